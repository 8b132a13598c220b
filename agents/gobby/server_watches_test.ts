// What a master owes to watches when it has missed something, on a group that the test plays by the machine itself.

import { assertEquals } from "@std/assert";
import type { AnyMessage } from "../../core/agent.ts";
import type { Json } from "../../core/data.ts";
import { rig } from "../../sim/rig.ts";
import { gobbyServer } from "./server.ts";
import { gobbyService } from "./service.ts";

const attrs = {
  ...{ servers: ["s1"], group: "group", leaseMs: 1000, maxLeaseMs: 1000 },
  ...{ roundMs: 50, retryMs: 5, clockDriftPpm: 0 },
};

/** A master of its first term, at revision 1. */
function master() {
  const server = rig(gobbyServer, { id: "s1", attrs, peers: ["group", "c1"] });
  const state = gobbyService.initial();
  const told: AnyMessage[] = [];
  let asked: AnyMessage | undefined;
  /** Takes what was sent: what the group is asked, and what the client is told. */
  const look = () => {
    for (const { to, message } of server.take().sent) {
      if (to === "group") asked = message;
      else told.push(message);
    }
    return asked;
  };
  const operationOf = ({ command }: AnyMessage): { readonly [field: string]: Json } => ({
    ...Object(Reflect.get(Object(command), "operation")),
  });
  const answer = (outcome: Json) => {
    const id = look()?.id;
    asked = undefined;
    server.deliver("group", { type: "result", id, outcome });
  };
  const serve = () => {
    for (let message = look(); message !== undefined; message = look()) {
      answer({ kind: "applied", result: gobbyService.apply(state, operationOf(message)) });
    }
  };
  /** Something is carried out, of which the master hears nothing. */
  const behindItsBack = (...operations: Json[]) => {
    const calls = operations.map((operation) => ({ kind: "own", operation }));
    gobbyService.apply(state, { kind: "batch", term: 1, calls });
  };
  // Its acceptor votes only after the longest lease.
  server.advance(attrs.maxLeaseMs + 10);
  serve();
  return { server, serve, behindItsBack, told: () => (look(), told.splice(0)) };
}

const put = (key: string, value: string) => ({ kind: "put", key, value });
const follow = (next: number | null, key = "a", more = {}): AnyMessage => ({
  ...{ type: "follow", client: "c", watch: 1, target: { kind: "key", key } },
  ...{ next, oneShot: false, again: false, ...more },
});
const open = { type: "open", client: "c" };

Deno.test("gobby_server that has missed what is no longer kept gives no watch a gap", () => {
  const { server, serve, behindItsBack, told } = master();
  server.deliver("c1", follow(null));
  behindItsBack(put("a", "1"), put("b", "1"), { kind: "compact", revision: 3 });
  // The next batch shows that it has missed something, and the history that it is gone.
  server.deliver("c1", open);
  serve();
  assertEquals(told().filter(({ type }) => type === "followEnded").map(({ end }) => end), [
    { why: "compacted", oldest: 3 },
  ]);
});

Deno.test("gobby_server lets a watch get ahead of what was not for it", () => {
  const { server, serve, behindItsBack, told } = master();
  server.deliver("c1", follow(null));
  behindItsBack(put("b", "1"), put("b", "2"));
  server.deliver("c1", open);
  serve();
  told();
  server.deliver("c1", follow(2, "a", { again: true }));
  assertEquals(told().map(({ type, next }) => [type, next]), [["following", 4]]);
  // What it had all of is not asked of the history.
  server.deliver("c1", follow(4, "a"));
  serve();
  assertEquals(told(), []);
});
