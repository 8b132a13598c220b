// What passes between a host and its driver: mail, records, outputs and notes.

import type { AnyMessage } from "./agent.ts";
import type { Json } from "./data.ts";
import type { DeviceEvent, DeviceOutput } from "./devices.ts";
import type { AgentId, BoxId } from "./id.ts";

/** A message on its way from one agent to another. */
export interface Envelope {
  readonly from: AgentId;
  readonly to: AgentId;
  readonly message: AnyMessage;
}

/** Mail for an agent of another box, which is the box's name in it. */
export interface Outgoing extends Envelope {
  readonly box: BoxId;
}

/** A record for the journal, as JSON, so that nothing can change it before it is written. */
export interface Append {
  readonly agent: AgentId;
  readonly record: string;
}

/** Something an agent gave to a device. */
export interface Output {
  readonly agent: AgentId;
  readonly output: DeviceOutput;
}

/** A line for the log, the transcript and the dashboard. */
export interface Note {
  readonly agent: AgentId | undefined;
  readonly event: string;
  readonly detail?: Json;
}

/** A handler that threw, or an invariant that broke. */
export interface Fault {
  readonly agent: AgentId;
  readonly error: unknown;
  /**
   * `rebuild`: it starts again from its durable state. `stopped`: it asked for its end, or faulted too often.
   * Either way give `Host.revive` what the journal holds of the agent, once this batch's appends are in it.
   */
  readonly then: "rebuild" | "stopped";
}

/** A message that has come to a box. */
export interface MailInput {
  readonly kind: "mail";
  readonly envelope: Envelope;
}

/** Something that happened to a box, for its host. */
export type Input =
  | MailInput
  | { readonly kind: "device"; readonly agent: AgentId; readonly event: DeviceEvent };

/**
 * All that a step wants done. The driver syncs `appends`, only then hands out `sends` and `outputs`, and arms one
 * timer for `wakeAt`. A batch's sends also wait for the appends of all earlier batches.
 */
export interface Batch {
  readonly appends: readonly Append[];
  readonly sends: readonly Outgoing[];
  readonly outputs: readonly Output[];
  readonly notes: readonly Note[];
  readonly faults: readonly Fault[];
  /** Agents that ended in peace. */
  readonly endings: readonly AgentId[];
  /** When the next timer is due, in the clock of `now`; undefined if none is armed. */
  readonly wakeAt: number | undefined;
  /** Whether mail or inputs are left, so that another step is due at once. */
  readonly busy: boolean;
}

/** What a journal holds of one agent: a snapshot of its durable state, and the records since. */
export interface DurableImage {
  readonly snapshot?: { readonly version: number; readonly durable: string } | undefined;
  readonly records: readonly string[];
}
