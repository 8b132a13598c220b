// A gobby_client on a rig, and what servers say to it.

import type { AnyMessage } from "../../core/agent.ts";
import type { Json } from "../../core/data.ts";
import { type Rig, rig } from "../../sim/rig.ts";
import { gobbyClient } from "../../agents/gobby/client.ts";

export const servers = ["s1", "s2", "s3"];

export type Fields = { readonly [name: string]: Json | undefined };

/** A client, and a master s1 that it knows. */
export function client(attrs: { readonly [name: string]: Json } = {}): Rig {
  const agent = rig(gobbyClient, {
    id: "c",
    attrs: { servers, sessionTtlMs: 3000, clockDriftPpm: 0, retryMs: 100, ...attrs },
    peers: [...servers, "u", "v"],
  });
  agent.take();
  agent.deliver("s1", { type: "master", mine: true, term: 1, master: "s1" });
  return agent;
}

/** What was sent since the last look, of these types. */
export function sent(agent: Rig, ...types: string[]): { to: string; message: AnyMessage }[] {
  return agent.take().sent.filter(({ message }) => types.includes(message.type));
}

export function nameOf(agent: Rig): string {
  return (agent.state as { name: string }).name;
}

export function ask(agent: Rig, id: number, operation: Json, more: Fields = {}): void {
  agent.deliver("u", { type: "ask", id, operation, ...more });
}

export function reply(agent: Rig, request: number, outcome: Json, from = "s1"): void {
  agent.deliver(from, { type: "reply", client: nameOf(agent), request, term: 1, outcome });
}

export const done = (result: Json) => ({ kind: "done", result, repeated: false });
export const get = { kind: "get", key: "a" };
export const nothing = { kind: "entry", revision: 1, entry: null };
export const acquire = { kind: "acquire", key: "l", mode: "exclusive", waitMs: 500 };
export const session = {
  kind: "session",
  revision: 5,
  session: 5,
  client: "c",
  ttlMs: 3000,
  renewal: 0,
  keys: 0,
  locks: 0,
};
export const seated = (agent: Rig) => reply(agent, 0, { kind: "opened", seat: 9 });

/** One that has the session 5, counted from 0 on. */
export function withSession(attrs: { readonly [name: string]: Json } = {}): Rig {
  const agent = client(attrs);
  ask(agent, 1, { kind: "getSession" }, { session: true });
  seated(agent);
  reply(agent, 1, done(session));
  reply(agent, 2, done(session));
  agent.take();
  return agent;
}

/** One that waits for a lock under ticket 7. */
export function waiting(more: Fields = {}): Rig {
  const agent = withSession();
  ask(agent, 2, acquire, { session: true, ...more });
  const [request] = sent(agent, "request");
  reply(agent, Number(request?.message["request"]), done({ kind: "waiting", ticket: 7, ahead: 0 }));
  return agent;
}
