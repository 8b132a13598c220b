// Boxes of a grid as processes on free ports, in a folder of their own.

import { join } from "@std/path";
import { Process, type Self } from "./process.ts";

/** An agent of a benchmark's grid. */
export interface BenchAgent {
  readonly id: string;
  readonly type: string;
  readonly attrs?: { readonly [attr: string]: unknown };
  /** Route -> the agents behind it. */
  readonly routes?: { readonly [route: string]: readonly string[] };
}

/** See the top of this file. */
export class Boxes implements AsyncDisposable {
  readonly folder: string = Deno.makeTempDirSync({ prefix: "ovid-bench-" });
  readonly addresses: readonly string[];
  readonly processes: readonly Process[];

  /**
   * Starts a box for each list of agents. The terminal of a box is that of its first agent.
   *
   * @param terminals Whether the first agent of each box has one.
   */
  constructor(self: Self, agents: readonly (readonly BenchAgent[])[], terminals = true) {
    this.addresses = freeAddresses(agents.length);
    const file = join(this.folder, "grid.json");
    Deno.writeTextFileSync(file, JSON.stringify(gridOf(agents, this.addresses)));
    this.processes = this.addresses.map((address, index) => {
      const attach = terminals ? [`--attach=${agents[index]?.[0]?.id}`] : [];
      const invocation = self(["box", file, address, "--new", "--supervised", ...attach]);
      return new Process(invocation, (line) => JSON.stringify({ line }));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.processes) await process[Symbol.asyncDispose]();
    Deno.removeSync(this.folder, { recursive: true });
  }
}

function gridOf(agents: readonly (readonly BenchAgent[])[], addresses: readonly string[]) {
  return Object.fromEntries(
    agents.flatMap((ofBox, index) =>
      ofBox.map(({ id, type, attrs = {}, routes = {} }) => [id, {
        type,
        box: addresses[index],
        attrs,
        routes: Object.fromEntries(
          Object.entries(routes).map(([route, targets]) => [
            route,
            Object.fromEntries(targets.map((target) => [target, 1])),
          ]),
        ),
      }])
    ),
  );
}

/** Addresses at which nobody listens now. */
export function freeAddresses(count: number): string[] {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  const addresses = listeners.map(({ addr }) => `127.0.0.1:${(addr as Deno.NetAddr).port}`);
  for (const listener of listeners) listener.close();
  return addresses;
}
