// A gobby_server on a rig, and the group that it asks.

import type { AnyMessage } from "../../core/agent.ts";
import type { Json } from "../../core/data.ts";
import { type Rig, rig } from "../../sim/rig.ts";
import { gobbyServer } from "../../agents/gobby/server.ts";
import { gobbyService } from "../../agents/gobby/service.ts";

export const times = { leaseMs: 1000, maxLeaseMs: 1000, roundMs: 50, retryMs: 5, clockDriftPpm: 0 };

export type Fields = { readonly [name: string]: Json | undefined };

/** A lone server, with a group that the test plays by the machine itself. */
export class Setting {
  readonly server: Rig;
  readonly state = gobbyService.initial();
  #asked: Fields | undefined;
  #sent: { to: string; message: AnyMessage }[] = [];

  constructor(servers = ["s1"], attrs: Fields = {}) {
    this.server = rig(gobbyServer, {
      id: "s1",
      attrs: { servers, group: "group", ...times, ...attrs },
      peers: ["group", "replica", "c1", "c2", ...servers],
    });
    // Its acceptor votes only after the longest lease.
    this.server.advance(times.maxLeaseMs + 10);
  }

  /** Lets the group carry out what it is asked, until it is asked nothing more. */
  serve(): this {
    while (this.asked !== undefined) this.carryOut();
    return this;
  }

  /** What the group is being asked. */
  get asked(): Fields | undefined {
    for (const { to, message } of this.server.take().sent) {
      if (to === "group") this.#asked = message;
      else this.#sent.push({ to, message });
    }
    return this.#asked;
  }

  /** The operation that the group is being asked to carry out. */
  get operation(): Fields {
    const command: unknown = this.asked?.["command"];
    const operation: unknown = Reflect.get(Object(command), "operation");
    return Object(operation);
  }

  carryOut(): void {
    this.tell({ kind: "applied", result: gobbyService.apply(this.state, { ...this.operation }) });
  }

  /** Tells the server what came of what it has asked. */
  tell(outcome: Json): void {
    const id = this.asked?.["id"];
    this.#asked = undefined;
    this.server.deliver("group", { type: "result", id, outcome });
  }

  from(client: string, message: AnyMessage): this {
    this.server.deliver(client, message);
    return this;
  }

  /** What was sent to clients since the last look. */
  sent(): { to: string; message: AnyMessage }[] {
    void this.asked;
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }

  /** The types of what was sent to clients since the last look. */
  types(): string[] {
    return this.sent().map(({ message }) => message.type);
  }
}

export const openSeat = { type: "open", client: "c" };

export function request(request: number, operation: Json, client = "c"): AnyMessage {
  return { type: "request", client, seat: client === "c" ? 1 : 2, request, operation };
}

export const put = (key: string, value: string) => ({ kind: "put", key, value });

export function outcomeOf(
  { message }: { message: AnyMessage } = { message: { type: "none" } },
): Json {
  return message["outcome"] ?? null;
}

/** With a session of 300 ms, whose number is 2. */
export function withSession(): Setting {
  const setting = new Setting().serve().from("c1", openSeat).serve();
  const open = { kind: "openSession", client: "c", ttlMs: 300 };
  setting.from("c1", request(1, open)).serve().sent();
  return setting;
}

export const keepAlive = { type: "keepAlive", client: "c", session: 2, number: 7 };

/** Lets the server s2 grant what s1 asks for. */
export function grantLease(setting: Setting): void {
  for (const type of ["prepareRequest", "proposeRequest"]) {
    const asked = setting.sent().findLast(({ to, message }) =>
      to === "s2" && message.type === type
    );
    const ballot = asked?.message["ballot"];
    setting.server.deliver(
      "s2",
      type === "prepareRequest"
        ? { type: "prepareResponse", ballot, answer: { kind: "open" } }
        : { type: "proposeResponse", ballot, accepted: true, number: 1 },
    );
  }
}
