// What a box is given and what it tells: the types around box.ts.

import type { AnyMessage } from "../core/agent.ts";
import type { AgentDefinition } from "../core/define.ts";
import type { Grid } from "../core/grid.ts";
import type { AgentId, BoxId } from "../core/id.ts";
import type { Transport } from "../transport/transport.ts";
import type { TextWriter } from "./devices.ts";
import type { Collector } from "./garbage.ts";
import type { OpenedJournal } from "./journal.ts";
import type { PluginSource } from "./plugin_source.ts";
import type { BoxTelemetry } from "./telemetry.ts";
import type { BoxStarter } from "./processes.ts";
import type { SandboxedType } from "./sandbox_type.ts";
import type { BoxSandboxes } from "./sandboxes.ts";

/** Where a box says what happens to it. The loggers of `@std/log` are such logs. */
export interface BoxLog {
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}

/** What a box is made of. */
export interface BoxOptions {
  readonly box: BoxId;
  readonly grid: Grid;
  /** The definition of each type that an agent of this box has, or of all types of the grid. */
  readonly definitions: ReadonlyMap<string, AgentDefinition>;
  /** Where the code of types comes from, so that what it throws is told by its own file, line and column. */
  readonly sources?: ReadonlyMap<string, PluginSource>;
  /** The plugins whose agents run in sandboxes. Default: none. */
  readonly sandboxes?: BoxSandboxes;
  /** Default: TCP. */
  readonly transport?: Transport;
  /** Opened by the caller, closed by the box. Default: one in memory, which is gone with the box. */
  readonly journal?: OpenedJournal;
  /** An unsigned 64-bit number. Default: drawn. */
  readonly seed?: bigint;
  /** The probability that a message between agents is lost; default 0. */
  readonly loss?: number;
  /** `numeric` is the chatroom of numbered servers, which has no agents. Default `grid`. */
  readonly dialect?: "grid" | "numeric";
  /** Where a box listens; by default at its own id. */
  readonly addressOf?: (box: BoxId) => string;
  /** Where masters command it, on loopback; 0 for a port that is free. Default: nowhere. */
  readonly masterPort?: number;
  /** What agents print; default standard output. */
  readonly out?: TextWriter;
  /** Whether a person reads it, so that prompts are shown; default false. */
  readonly interactive?: boolean;
  /** Where agents' files are kept. Default: nowhere, and what agents append to files fails. */
  readonly filesFolder?: string;
  /** How its agents start other boxes of the grid. Default: they cannot. */
  readonly starter?: BoxStarter;
  /** Default: none. */
  readonly log?: BoxLog;
  /** Collects garbage once the box is quiet after its start, and after many connections have come and gone. */
  readonly collector?: Collector;
  /** Default: nothing is measured. */
  readonly telemetry?: BoxTelemetry;
  /** Logs every note of every agent. */
  readonly debug?: boolean;
  /** The events of notes that are logged as warnings in any case, and what each of them means for its reader. */
  readonly warnings?: ReadonlyMap<string, string>;
}

/** What a type of agent is from now on. */
export interface Replacement {
  readonly definition: AgentDefinition;
  readonly source?: PluginSource;
  /** Where its agents run in sandboxes, as those before did: the definition only stands for it then. */
  readonly sandboxed?: SandboxedType;
}

/** Why a box came to its end. */
export type BoxEnd =
  | { readonly why: "closed" }
  /** A master said so. */
  | { readonly why: "crash" }
  /** It must not go on. */
  | { readonly why: "failed"; readonly error: unknown };

/** A program among the agents of a box: it sends to them, and they may answer. */
export interface Guest {
  readonly id: AgentId;
  /** @throws {RangeError} if no agent of this box is called so. */
  send(to: AgentId, message: AnyMessage): void;
  /** Takes no more mail. */
  leave(): void;
}
