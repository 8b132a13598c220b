// The machines that come with Ovid.

import { gobbyService } from "../gobby/service.ts";
import { counter } from "./counter.ts";
import { kv } from "./kv.ts";
import type { AnyMachine } from "./machine.ts";

/** Machines by the names that grids give them. */
export type Machines = ReadonlyMap<string, AnyMachine>;

/** The built-in machines. */
export const builtInMachines: Machines = new Map(
  [counter, gobbyService, kv].map((machine) => [machine.name, machine]),
);
