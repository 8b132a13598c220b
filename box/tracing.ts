// Who watches the mail of a box: programs outside the grid, each with a filter and a queue that has its limit. One that
// reads too slowly misses lines and is told how many; the box never waits for it.

import { z } from "zod";
import type { AnyMessage } from "../core/agent.ts";
import type { Envelope } from "../core/envelope.ts";
import { isLoopback, readBox } from "../core/config/address.ts";
import type { AgentId } from "../core/id.ts";
import type { GuestCaller } from "../transport/mesh_options.ts";

/** Which mail a tracer wants: all that fits whatever is given. */
export interface TraceFilter {
  /** Sent or received by this agent. */
  readonly agent?: string;
  /** Of this type. */
  readonly type?: string;
  /** With this in its JSON text. */
  readonly text?: string;
}

/** How much of a body is shown, in UTF-16 units. */
export const traceBodyMax = 2000;

/** How many programs may watch one box. */
export const tracersMax = 16;

/** How much may wait for a tracer, in UTF-16 units. */
export const traceQueueMax = 1 << 18;

/** What a tracer is told: some mail that an agent was handed, or how much it has missed. */
export type TraceMessage =
  | {
    readonly type: "trace";
    /** When, in milliseconds since 1970. */
    readonly at: number;
    readonly from: string;
    readonly to: string;
    /** The type of the mail. */
    readonly mail: string;
    /** Its JSON text, as far as {@linkcode traceBodyMax}. */
    readonly body: string;
    readonly cut: boolean;
  }
  | { readonly type: "trace_missed"; readonly count: number };

/** What {@linkcode Tracing} stands on. */
export interface TracingOptions {
  /** How much waits for a tracer to read it. */
  readonly queued: (tracer: AgentId) => number;
  readonly send: (tracer: AgentId, message: AnyMessage) => void;
  readonly date: () => number;
  /** Is told of all mail, whether or not anybody traces. */
  readonly always?: ((envelope: Envelope) => void) | undefined;
  /** Hands over what is to be called for each piece of mail; undefined while nobody watches. */
  readonly watch: (saw: ((envelope: Envelope) => void) | undefined) => void;
}

interface Tracer {
  readonly filter: TraceFilter;
  missed: number;
}

/** The tracers of one box. */
export class Tracing {
  readonly #options: TracingOptions;
  readonly #tracers = new Map<AgentId, Tracer>();

  constructor(options: TracingOptions) {
    this.#options = options;
    options.watch(options.always);
  }

  /** Lets a guest watch if its hello says `trace`, and says why not, if it may not be a guest. */
  admit(guest: AgentId, { hello, remote }: GuestCaller): string | undefined {
    const read = helloSchema().safeParse(hello);
    if (!read.success) return "its trace is no filter";
    const { trace: filter } = read.data;
    if (filter === undefined) return undefined;
    const { box } = readBox(remote);
    // Mail is not for everybody's eyes, and nothing protects the wire: whoever reads along is on this machine.
    if (box === undefined || !isLoopback(box)) return "it traces from another machine";
    if (this.#tracers.size >= tracersMax) return "too many programs trace this box";
    this.#tracers.set(guest, { filter, missed: 0 });
    const { always, watch } = this.#options;
    watch((envelope) => {
      always?.(envelope);
      this.#saw(envelope);
    });
    return undefined;
  }

  remove(guest: AgentId): void {
    if (!this.#tracers.delete(guest)) return;
    if (this.#tracers.size === 0) this.#options.watch(this.#options.always);
  }

  /** Tells those who have caught up what they missed: called now and then. */
  tellMissed(): void {
    for (const [id, tracer] of this.#tracers) this.#hasRoom(id, tracer);
  }

  #saw({ from, to, message }: Envelope): void {
    let body: string | undefined;
    for (const [id, tracer] of this.#tracers) {
      const { agent, type, text } = tracer.filter;
      if (agent !== undefined && agent !== from && agent !== to) continue;
      if (type !== undefined && type !== message.type) continue;
      body ??= JSON.stringify(message);
      if (text !== undefined && !body.includes(text)) continue;
      if (!this.#hasRoom(id, tracer)) {
        tracer.missed++;
        continue;
      }
      const cut = body.length > traceBodyMax;
      this.#tell(id, {
        type: "trace",
        at: this.#options.date(),
        ...{ from, to, mail: message.type, cut },
        body: cut ? body.slice(0, traceBodyMax) : body,
      });
    }
  }

  // What was missed is told in its place, before what comes behind it.
  #hasRoom(id: AgentId, tracer: Tracer): boolean {
    if (this.#options.queued(id) > traceQueueMax) return false;
    if (tracer.missed > 0) {
      this.#tell(id, { type: "trace_missed", count: tracer.missed });
      tracer.missed = 0;
    }
    return true;
  }

  #tell(id: AgentId, message: TraceMessage): void {
    this.#options.send(id, message);
  }
}

const makeHelloSchema = () =>
  z.object({
    trace: z.partialRecord(z.enum(["agent", "type", "text"]), z.string()).optional(),
  });
let made: ReturnType<typeof makeHelloSchema> | undefined;

// Made for the first guest: it takes 3 ms, and most boxes never have one.
const helloSchema = () => made ??= makeHelloSchema();
