// One replica that is its whole group, and groups in a simulated world.

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Json } from "../../core/data.ts";
import { type PlainAgent, plainGrid } from "../../sim/plain_grid.ts";
import { type Rig, rig } from "../../sim/rig.ts";
import { World } from "../../sim/world.ts";
import { paxosClient } from "./client.ts";
import { paxosController } from "./controller.ts";
import { generateGrid } from "./grid.ts";
import { paxosReplica } from "./replica.ts";

const output = "tmp/replica1.output";

function replica(more: { readonly [name: string]: Json } = {}, id = "1"): Rig {
  return rig(paxosReplica, {
    id,
    attrs: { myid: 1, replicas: [1], clients: [100, "bob"], output, ...more },
    routes: { "100": { "100": 1 }, bob: { bob: 1 } },
    peers: ["999"],
  });
}

function ask(agent: Rig, text: string, port = 2): string[] {
  agent.take();
  agent.deliver("100", { type: "text", port, text });
  return agent.take().sent.map(({ to, message }) => `${to} ${message.port} ${message.text}`);
}

/** The lines of a dump. */
function dump(agent: Rig): string[] {
  agent.take();
  agent.deliver("999", { type: "text", port: 9, text: "dump" });
  const { written } = agent.take();
  assertEquals(written.map(({ path }) => path), [output]);
  const text = written[0]?.text ?? "";
  return text === "" ? [] : text.split("\n");
}

Deno.test("paxos_replica commits a command once, and says so as often as it is asked", () => {
  const agent = replica();
  assertEquals(ask(agent, "100 1 good morning"), ["100 1 committed 100 1"]);
  assertEquals(ask(agent, "100 1 good morning"), ["100 1 committed 100 1"]);
  assertEquals(ask(agent, "bob 1 it's me"), ["bob 1 committed bob 1"]);
  assertEquals(ask(agent, "100 2 b"), ["100 1 committed 100 2"]);
  assertEquals(ask(agent, "100 1 good morning"), [], "nobody waits for it any more");
  assertEquals(dump(agent), [
    "100, 1 : 'good morning'",
    "bob, 1 : 'it's me'",
    "100, 2 : 'b'",
  ]);
});

Deno.test("paxos_replica knows what it has committed after a crash", () => {
  const agent = replica({ checkpointOperations: 2, keepOperations: 0 });
  for (let request = 1; request <= 5; request++) ask(agent, `100 ${request} m${request}`);
  const before = dump(agent);
  assertEquals(before.length, 5);
  agent.restart();
  agent.advance(1000);
  assertEquals(dump(agent), before);
  assertEquals(ask(agent, "100 5 m5"), ["100 1 committed 100 5"]);
  assertEquals(dump(agent), before);
});

Deno.test("paxos_replica takes nothing from strangers, nor what it cannot read", () => {
  const agent = replica();
  for (const text of ["101 1 a", "100 1", "100 x a", "100 -1 a", "", "100 1 "]) {
    assertEquals(ask(agent, text), [], text);
  }
  assertEquals(ask(agent, "100 1 a", 1), []);
  assertEquals(ask(agent, "skip x", 9), []);
  assertEquals(dump(agent), []);
});

Deno.test("paxos_replica: a slot that is skipped stays empty, and what waits gets the next one", () => {
  const agent = replica({ skip: [1] });
  assertEquals(ask(agent, "100 1 a"), ["100 1 committed 100 1"]);
  assertEquals(agent.state.decided, 2);
  ask(agent, "skip 4", 9);
  ask(agent, "skip 1", 9);
  ask(agent, "100 2 b");
  assertEquals(agent.state.decided, 3);
  ask(agent, "100 3 c");
  assertEquals(agent.state.decided, 5);
  assertEquals(agent.state.skipped, new Set());
  // The empty slots are decided, so that a dump need not stop at them, and has no line for them.
  assertEquals(dump(agent), ["100, 1 : 'a'", "100, 2 : 'b'", "100, 3 : 'c'"]);
});

Deno.test("paxos_replica refuses grids in which it is not what it is called", () => {
  assertThrows(() => replica({}, "7"), Error, "attrs.myid is 1, want 7");
  const elsewhere = () =>
    rig(paxosReplica, {
      id: "1",
      attrs: { myid: 1, replicas: [1, 2], clients: [], output },
      routes: { "2": { "3": 1 } },
    });
  assertThrows(elsewhere, Error, "the route 2 leads to 3, want 2 itself");
});

/** The generated grid of three replicas and a client in mode manual. */
function manualWorld(): World {
  const generated = generateGrid({ failures: 1, clients: 1, mode: "manual" });
  const agents: Record<string, PlainAgent> = { ...generated };
  const world = new World({
    grid: plainGrid(agents),
    definitions: [paxosReplica, paxosClient, paxosController],
    seed: 3n,
  });
  world.start();
  world.runFor(50);
  return world;
}

const box = (replica: number) => `127.0.0.1:500${replica}`;

function dumpsOf(world: World): (string | undefined)[] {
  world.line("999", "dump");
  world.runFor(100);
  return [1, 2, 3].map((each) => world.file(box(each), `tmp/replica${each}.output`));
}

Deno.test("paxos_chatroom: a replica that was down learns what it missed without a later command", () => {
  const world = manualWorld();
  world.crash(box(3));
  for (const message of ["a", "b", "c"]) world.line("999", `req 100 ${message}`);
  world.runFor(5000);
  world.start(box(3));
  world.runFor(1000);
  const all = "100, 1 : 'a'\n100, 2 : 'b'\n100, 3 : 'c'\n";
  assertEquals(dumpsOf(world), [all, all, all]);
});

Deno.test("paxos_chatroom: the next leader proposes what was asked of the last, without being asked again", () => {
  const world = manualWorld();
  // Nobody hears the leader any more, and it hears the client.
  for (const other of [2, 3]) world.cut(box(1), box(other), { oneWay: true });
  world.line("999", "req 100 a");
  world.runFor(900);
  assertEquals(dumpsOf(world).slice(1), ["100, 1 : 'a'\n", "100, 1 : 'a'\n"]);
});

Deno.test("paxos_chatroom: the controller starts and kills boxes, which go down with its own", () => {
  const world = manualWorld();
  world.crash(box(1));
  world.line("999", "start 5001 0");
  world.line("999", "start 5002 0");
  world.line("999", "start 1 0");
  world.runFor(10);
  assert(world.isUp(box(1)));
  world.line("999", "kill 5001");
  world.runFor(10);
  assert(!world.isUp(box(1)));
  assertEquals(world.printed("999").map((line) => line.replace(/, want.*| one of.*/, "")), [
    "Started 127.0.0.1:5001",
    "Nothing done about 127.0.0.1:5002: it runs already",
    "Nothing done about 127.0.0.1:1: want",
    "127.0.0.1:5001 has ended",
  ]);
  world.line("999", "start 5001 1");
  world.runFor(10);
  assert(world.isUp(box(1)));
  world.line("999", "exit");
  world.runFor(10);
  assertEquals([world.isUp("127.0.0.1:9999"), world.isUp(box(1)), world.isUp(box(2))], [
    false,
    false,
    true,
  ]);
});
