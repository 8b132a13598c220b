// Mail as agents get it: what every built-in agent was really sent, changed. A host outlives all of it, and so do the
// agents that live inside programs, since a program's client must not break by what a box says.

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { builtIns } from "../../agents/registry.ts";
import { gobbyClient } from "../../agents/gobby/client.ts";
import { vrClient } from "../../agents/vr/client.ts";
import type { AnyMessage } from "../../core/agent.ts";
import { parseGrid } from "../../core/config/parse.ts";
import type { Json } from "../../core/data.ts";
import type { AgentDefinition } from "../../core/define.ts";
import type { Envelope, Input } from "../../core/envelope.ts";
import type { AgentEntry, Grid } from "../../core/grid.ts";
import { Host } from "../../core/host.ts";
import { type AgentId, agentId, type BoxId } from "../../core/id.ts";
import { formatFrame, parseFrame } from "../../transport/wire.ts";
import { fuzz, type Reading, type Subject } from "./fuzz.ts";

const me = agentId("me");
const askings: readonly (readonly [to: string, message: AnyMessage])[] = [
  ["c", { type: "ask", id: 1, operation: { kind: "put", key: "a", value: "1" } }],
  ["c", { type: "watch", id: 2, target: { kind: "prefix", prefix: "" } }],
  ["c", {
    ...{ type: "ask", id: 3, session: true },
    operation: { kind: "acquire", key: "l", mode: "exclusive", waitMs: 0, session: 0 },
  }],
];
const typed = ["put a 1", "get a", "SET a 1", "CAS a 1 2", "hello"];

function gridOf(name: string): Grid {
  const file = new URL(`../../examples/${name}/grid.json`, import.meta.url);
  const { grid } = parseGrid(Deno.readTextFileSync(file), name);
  assert(grid !== undefined, name);
  return grid;
}

function bootAll(grid: Grid): Map<BoxId, Host> {
  const isGuest = (agent: AgentId) => agent === me;
  return new Map(grid.boxes.map((box) => [
    box,
    new Host({ box, grid, definitions: builtIns, seed: 1n, isGuest }),
  ]));
}

/** What agents say to each other when somebody types, and some ask: a line of each kind. */
function overhear(grid: Grid): string[] {
  const hosts = bootAll(grid);
  const heard = new Map<string, string>();
  let waiting: { box: BoxId; input: Input }[] = [];
  const take = (envelope: Envelope, box: BoxId) => {
    const kind = `${envelope.message.type} ${grid.agents.get(envelope.to)?.type}`;
    if (!heard.has(kind)) heard.set(kind, formatFrame({ kind: "mail", envelope }, "grid"));
    if (envelope.to !== me) waiting.push({ box, input: { kind: "mail", envelope } });
  };
  for (const [box, host] of hosts) {
    for (const outgoing of host.boot(0).sends) take(outgoing, outgoing.box);
    for (const { id, type } of grid.agents.values()) {
      if (grid.agents.get(id)?.box !== box) continue;
      if (builtIns.get(type)?.devices?.includes("terminal")) {
        for (const text of typed) {
          const event = { device: "terminal", event: { type: "line", text } } as const;
          waiting.push({ box, input: { kind: "device", agent: id, event } });
        }
      }
      for (const [to, message] of askings) {
        if (to === id) take({ from: me, to: id, message }, box);
      }
    }
  }
  for (let now = 5; now < 4000; now += 5) {
    const inputs = waiting;
    waiting = [];
    for (const [box, host] of hosts) {
      const own = inputs.filter((each) => each.box === box).map(({ input }) => input);
      for (const outgoing of host.step(now, own).sends) take(outgoing, outgoing.box);
    }
  }
  return [...heard.values()];
}

/** The grid of an example at its first start, with a client of Gobby if there are servers of it. */
function examined(name: string): Grid {
  const read = gridOf(name);
  const isReplica = ({ type }: AgentEntry) => ["vr_replica", "paxos_member"].includes(type);
  const started = Array.from(
    read.agents.values(),
    (entry) => isReplica(entry) ? { ...entry, attrs: { ...entry.attrs, bootstrap: true } } : entry,
  );
  const grid = { ...read, agents: new Map(started.map((entry) => [entry.id, entry])) };
  const servers = [...grid.agents.values()].filter(({ type }) => type === "gobby_server");
  const [first] = servers;
  if (first === undefined) return grid;
  const entry: AgentEntry = {
    ...{ id: agentId("c"), type: "gobby_client", box: first.box, routes: new Map() },
    attrs: { servers: servers.map(({ id }): Json => id) },
  };
  return { ...grid, agents: new Map([...grid.agents, [entry.id, entry]]) };
}

function step(host: Host, line: string): Reading & { readonly faults?: readonly unknown[] } {
  const frame = parseFrame(line.split("\n")[0] ?? "", "grid");
  if (frame.kind !== "mail") return { refused: "no mail" };
  const { envelope } = frame;
  const faults: unknown[] = [];
  for (const now of [10, 500, 1000]) {
    const batch = host.step(now, now === 10 ? [{ kind: "mail", envelope }] : []);
    faults.push(...batch.faults.map(({ error }) => error));
  }
  return { taken: envelope, faults };
}

const examples = ["chat", "multiplexing", "kvs", "vr_kv", "paxos_kv", "gobby"].map((name) => {
  const grid = examined(name);
  return { name, grid, heard: overhear(grid) };
});

/** Agents of every box take the mail of one of them. */
const hosts = examples.map(({ name, grid, heard }): Subject => ({
  name: `mail of the grid ${name}`,
  valid: fc.constantFrom(...heard),
  pieces: [...grid.agents.keys()].slice(0, 9).flatMap((id) => [id, `"${id}"`]),
  cost: 8,
  read(line) {
    const to = line.split(" ")[2] ?? "";
    const box = grid.agents.get(to as AgentId)?.box ?? grid.boxes[0];
    const host = box && bootAll(grid).get(box);
    assert(host !== undefined);
    host.boot(0);
    return step(host, line);
  },
}));

/** Replies of boxes to the agent inside a program; the same lines, addressed to it. */
function guest(definition: AgentDefinition, peerType: string, attr: string): Subject {
  const { type } = definition;
  const self = agentId("client-1");
  const peers = ["p1", "p2"];
  const replies = new Set(
    examples.flatMap(({ grid, heard }) =>
      heard.filter((line) => grid.agents.get(line.split(" ")[2] as AgentId)?.type === type)
    ),
  );
  const entries = peers.map((name): AgentEntry => ({
    ...{ id: agentId(name), type: peerType, box: "127.0.0.1:1" as BoxId },
    ...{ attrs: {}, routes: new Map() },
  }));
  const own = {
    ...{ id: self, type, box: "here" as BoxId, routes: new Map() },
    attrs: { [attr]: peers },
  };
  const agents = new Map([own, ...entries].map((entry) => [entry.id, entry]));
  const grid: Grid = { file: "", agents, boxes: ["here" as BoxId], plugins: new Map() };
  const first: AnyMessage = type === "vr_client"
    ? { type: "invoke", id: 1, command: { kind: "apply", operation: 1 } }
    : { type: "ask", id: 1, operation: { kind: "get", key: "a" } };
  const found: AnyMessage = { type: "master", mine: true, term: 1, master: "p1" };
  /** One that has asked, and has found whom to ask. */
  const begin = () => {
    const host = new Host({
      ...{ box: "here" as BoxId, grid, definitions: new Map([[type, definition]]), seed: 1n },
      isGuest: (agent) => agent === me,
    });
    host.boot(0);
    const asked = host.step(1, [{
      kind: "mail",
      envelope: { from: me, to: self, message: first },
    }]);
    const envelope = { from: agentId("p1"), to: self, message: found };
    const told = type === "vr_client" ? asked : host.step(2, [{ kind: "mail", envelope }]);
    return { host, sends: [...asked.sends, ...told.sends] };
  };
  // What is said to another client would be passed over.
  const names = begin().sends.map(({ message }) => message.client);
  const name = names.find((each) => each !== undefined);
  assert(name !== undefined, `${type} asked for nothing`);
  return {
    name: `replies to a ${type} in a program`,
    valid: fc.constantFrom(...replies).map((line) =>
      line.replace(/^mail \S+ \S+/, `mail p1 ${self}`)
        .replaceAll(/"client":"[^"]*"/g, `"client":${JSON.stringify(name)}`)
    ),
    pieces: ['"p1"', '"p2"', '"client-1"', '"me"'],
    cost: 2,
    read(line) {
      const { host } = begin();
      const { faults = [], ...reading } = step(host, line);
      assertEquals(faults, []);
      return reading;
    },
  };
}

fuzz([
  ...hosts,
  guest(vrClient, "vr_replica", "replicas"),
  guest(gobbyClient, "gobby_server", "servers"),
]);

Deno.test("fuzz: what agents were overheard to say is of many kinds", () => {
  for (const { name, heard } of examples) {
    if (Deno.env.has("OVID_FUZZ_SHOW")) console.log(name, heard.map((line) => line.slice(0, 60)));
    assert(heard.length >= (name === "gobby" ? 20 : 1), `${name}: ${heard.join("\n")}`);
  }
});
