import { assertEquals, assertThrows } from "@std/assert";
import type { Json } from "../../core/data.ts";
import { type Rig, rig } from "../../sim/rig.ts";
import { paxosClient, waitingMax } from "./client.ts";
import { messageLengthMax } from "./texts.ts";

function client(mode: "script" | "manual", more: { readonly [name: string]: Json } = {}): Rig {
  return rig(paxosClient, {
    id: "100",
    attrs: { myid: 100, replicas: [1, 2], mode, ...more },
    routes: { "1": { "1": 2 }, "2": { "2": 2 } },
    peers: ["999"],
  });
}

function issue(agent: Rig, message: string): void {
  agent.deliver("999", { type: "text", port: 9, text: `issue ${message}` });
}

function commit(agent: Rig, request: number, who = "100"): void {
  agent.deliver("1", { type: "text", port: 1, text: `committed ${who} ${request}` });
}

/** What was sent since the last look. */
function sent(agent: Rig): string[] {
  return agent.take().sent.map(({ to, message }) => `${to} ${message.port} ${message.text}`);
}

Deno.test("paxos_client in mode manual sends what the controller says to all replicas, one at a time", () => {
  const agent = client("manual");
  agent.advance(5000);
  assertEquals(sent(agent), []);
  issue(agent, "good morning");
  issue(agent, "b");
  assertEquals(sent(agent), ["1 2 100 1 good morning", "2 2 100 1 good morning"]);
  commit(agent, 1);
  assertEquals(sent(agent), ["1 2 100 2 b", "2 2 100 2 b"]);
  commit(agent, 2);
  agent.advance(60_000);
  assertEquals(sent(agent), []);
});

Deno.test("paxos_client takes a commit that comes twice, late, early, or is another's for nothing", () => {
  const agent = client("manual");
  commit(agent, 1);
  issue(agent, "a");
  sent(agent);
  commit(agent, 2);
  commit(agent, 1, "101");
  agent.deliver("1", { type: "text", port: 1, text: "committed" });
  agent.advance(999);
  assertEquals(sent(agent), []);
  commit(agent, 1);
  issue(agent, "b");
  commit(agent, 1);
  assertEquals(sent(agent), ["1 2 100 2 b", "2 2 100 2 b"]);
});

Deno.test("paxos_client sends again after 1 s, then 4, 8, 16 s, and no later than that", () => {
  const agent = client("manual");
  issue(agent, "a");
  const times: number[] = [];
  for (let seconds = 0; seconds <= 61; seconds++) {
    if (sent(agent).length > 0) times.push(seconds);
    agent.advance(1000);
  }
  assertEquals(times, [0, 1, 5, 13, 29, 45, 61]);
});

Deno.test("paxos_client in mode script issues once a second, unless one is under way", () => {
  const agent = client("script", { requests: 3 });
  assertEquals(sent(agent), []);
  agent.advance(1000);
  assertEquals(sent(agent), ["1 2 100 1 (100 : 1)", "2 2 100 1 (100 : 1)"]);
  agent.advance(900);
  commit(agent, 1);
  agent.advance(100);
  assertEquals(sent(agent), ["1 2 100 2 (100 : 2)", "2 2 100 2 (100 : 2)"]);
  agent.advance(999);
  commit(agent, 2);
  agent.advance(1);
  commit(agent, 3);
  sent(agent);
  agent.advance(10_000);
  assertEquals(sent(agent), [], "three were asked for");
});

Deno.test("paxos_client uses no number twice, and goes on with what was under way, after a crash", () => {
  const agent = client("manual");
  issue(agent, "a");
  commit(agent, 1);
  issue(agent, "b");
  issue(agent, "c");
  agent.take();
  agent.restart();
  assertEquals(sent(agent), ["1 2 100 2 b", "2 2 100 2 b"]);
  commit(agent, 2);
  assertEquals(sent(agent), ["1 2 100 3 c", "2 2 100 3 c"]);
});

Deno.test("paxos_client: what waits has its limit, and so has a message", () => {
  const agent = client("manual");
  for (let number = 0; number <= waitingMax; number++) issue(agent, `${number}`);
  assertEquals(agent.take().notes.map(({ event }) => event), ["paxos.overflow"]);
  const other = client("manual");
  issue(other, "m".repeat(messageLengthMax + 1));
  assertEquals(sent(other), []);
  issue(other, "m".repeat(messageLengthMax));
  assertEquals(sent(other).length, 2);
  assertThrows(() => client("manual", { mode: "auto" }), TypeError, "mode");
});
