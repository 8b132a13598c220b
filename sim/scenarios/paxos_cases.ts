// Multi-Paxos in cases that do not depend on what a seed draws. Each is a grid of GoOvid's agents, of which every node has
// a replica and a client, goes through what its name says, and ends with a dump of every replica that has exactly so many
// commands, each once and all in one order.

import { paxosClient } from "../../agents/paxos_chatroom/client.ts";
import { paxosController } from "../../agents/paxos_chatroom/controller.ts";
import { paxosReplica } from "../../agents/paxos_chatroom/replica.ts";
import { faultNames } from "../../core/config/fault_kinds.ts";
import type { AgentDefinition } from "../../core/define.ts";
import { OvidError } from "../../core/error.ts";
import type { Json } from "../../core/data.ts";
import { type PlainAgent, plainGrid } from "../plain_grid.ts";
import { defineScenario, type Scenario, type Stage } from "../scenario.ts";
import type { Climate } from "../swarm.ts";
import { commandsOf, type DumpPlace, findDumpFault, readDumps } from "./paxos_dumps.ts";

/** A case, with so many nodes. */
interface Case {
  readonly doc: string;
  readonly climate?: Climate;
  /** How many commands each node issues by itself; without it, as the steps say. */
  readonly script?: number;
  /** How long all may take, in virtual milliseconds. */
  readonly withinMs: number;
  readonly steps?: readonly CaseStep[];
  /** A node that is never there. */
  readonly absent?: number;
}

/** What happens, one after the other. */
type CaseStep =
  /** These nodes are reached by nobody, though they reach others. */
  | { readonly pause: readonly number[] }
  | { readonly resume: readonly number[] }
  /** Each of these nodes issues so many commands, and all are committed. */
  | { readonly issue: readonly number[]; readonly each: number };

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** Node 1 is paused, which leads at first, while the others issue two commands each; then `last` issues two. */
const pause = (nodes: number, last: number): readonly CaseStep[] => [
  { pause: [1] },
  { issue: upTo(nodes).slice(1), each: 2 },
  { resume: [1] },
  { issue: [last], each: 2 },
];

const cases: Readonly<Record<string, (nodes: number) => Case>> = {
  normal: () => ({ doc: "every node issues 50 commands", script: 50, withinMs: 20_000 }),
  pause: (nodes) => ({
    doc: "one node is paused, and issues commands when it is back",
    withinMs: 20_000,
    steps: pause(nodes, 1),
  }),
  pause1: (nodes) => ({
    doc: "one node is paused, and catches up by what another one issues",
    withinMs: 20_000,
    steps: pause(nodes, 2),
  }),
  pause2: () => ({
    doc: "two nodes are paused while three go on, and catch up",
    withinMs: 20_000,
    steps: [
      { pause: [1, 2] },
      { issue: [3, 4, 5], each: 6 },
      { resume: [1, 2] },
      { issue: [1, 2], each: 2 },
    ],
  }),
  "random-delay": () => ({
    doc: "every tenth message takes between 1.2 and 2 s",
    climate: { late: { share: 0.1, minUs: 1_200_000, maxUs: 2_000_000 } },
    script: 50,
    withinMs: 1_200_000,
  }),
  "random-drop": (nodes) => ({
    doc: `${nodes === 3 ? 20 : 15} % of all messages are lost each way`,
    climate: { loss: nodes === 3 ? 0.2 : 0.15 },
    script: 50,
    withinMs: 300_000,
  }),
  stress: (nodes) => ({
    doc: `every node issues ${nodes === 3 ? 3000 : 2000} commands`,
    script: nodes === 3 ? 3000 : 2000,
    withinMs: 300_000,
  }),
  "one-absent": (nodes) => ({
    doc: "one node is never there, and the others issue two commands each",
    withinMs: 20_000,
    absent: 1,
    steps: [{ issue: upTo(nodes).slice(1), each: 2 }],
  }),
};

const boxOf = (node: number) => `node_${node}`;
const clientOf = (node: number) => String(100 + node);

function dumpPlace(node: number): DumpPlace {
  return { replica: String(node), box: boxOf(node), path: "replica.output" };
}

function caseGrid(nodes: number, { script }: Case) {
  const replicas = upTo(nodes);
  const clients = replicas.map((node) => Number(clientOf(node)));
  const agents: Record<string, PlainAgent> = {};
  const routes = (ids: readonly number[], port: number) =>
    Object.fromEntries(ids.map((id) => [id, { [id]: port }]));
  for (const node of replicas) {
    agents[node] = {
      type: "paxos_replica",
      box: boxOf(node),
      attrs: { myid: node, replicas, clients, output: dumpPlace(node).path },
      routes: { ...routes(replicas, 1), ...routes(clients, 1) },
    };
    const mode: Record<string, Json> = script === undefined
      ? { mode: "manual" }
      : { mode: "script", requests: script, everyMs: 1 };
    agents[clientOf(node)] = {
      type: "paxos_client",
      box: boxOf(node),
      attrs: { myid: clientOf(node), replicas, retryMs: 200, ...mode },
      routes: routes(replicas, 2),
    };
  }
  agents["999"] = {
    type: "paxos_controller",
    box: "controller",
    attrs: { replicas, clients },
    routes: { ...routes(replicas, 9), ...routes(clients, 9) },
  };
  return plainGrid(agents);
}

/** A case as it is told, a step after the other, on the clock of the world. */
class Telling {
  ended = false;
  readonly #stage: Stage<"nodes">;
  readonly #case: Case;
  readonly #present: readonly number[];
  /** How many commands each client has issued so far. */
  readonly #issued = new Map<number, number>();

  constructor(stage: Stage<"nodes">, told: Case) {
    this.#stage = stage;
    this.#case = told;
    this.#present = upTo(stage.sizes.nodes).filter((node) => node !== told.absent);
    const { world } = stage;
    world.at(0, () => {
      if (told.absent !== undefined) world.crash(boxOf(told.absent));
      if (told.script === undefined) return this.#tell(told.steps ?? []);
      for (const node of this.#present) this.#issued.set(node, told.script);
      this.#within("all commands to be committed", () => this.#idle, () => this.#dump());
    });
  }

  /** How many commands must have been decided by now. */
  get total(): number {
    return [...this.#issued.values()].reduce((sum, count) => sum + count, 0);
  }

  #tell(steps: readonly CaseStep[]): void {
    const [step, ...rest] = steps;
    if (step === undefined) return this.#dump();
    if ("pause" in step) this.#reach(step.pause, false);
    else if ("resume" in step) this.#reach(step.resume, true);
    else {
      for (const node of step.issue) this.#issue(node, step.each);
      return this.#within("commands to be committed", () => this.#idle, () => this.#tell(rest));
    }
    this.#tell(rest);
  }

  /** Only other nodes: whoever sits at a paused node still can tell it what to do. */
  #reach(nodes: readonly number[], reached: boolean): void {
    const { world } = this.#stage;
    for (const to of nodes) {
      for (const from of this.#present) {
        if (from === to) continue;
        if (reached) world.heal(boxOf(from), boxOf(to), { oneWay: true });
        else world.cut(boxOf(from), boxOf(to), { oneWay: true });
      }
    }
  }

  #issue(node: number, count: number): void {
    const before = this.#issued.get(node) ?? 0;
    for (let number = 1; number <= count; number++) {
      this.#stage.world.line("999", `req ${clientOf(node)} command ${before + number}`);
    }
    this.#issued.set(node, before + count);
  }

  /** Whether all that was issued is committed, as far as the clients know. */
  get #idle(): boolean {
    for (const [node, count] of this.#issued) {
      const state = Object(this.#stage.world.inspect(clientOf(node))?.state);
      const { count: issued, waiting } = Object(state.durable);
      if (issued !== count || !Array.isArray(waiting) || waiting.length > 0) return false;
    }
    return true;
  }

  /** Asks for dumps until all are there and have all commands. */
  #dump(): void {
    const { world, violated } = this.#stage;
    const places = this.#present.map(dumpPlace);
    let askedAt = -Infinity;
    const complete = () => {
      if (world.now - askedAt >= 100) {
        askedAt = world.now;
        world.line("999", "dump");
      }
      const dumps = readDumps(world, places);
      const fault = findDumpFault(dumps);
      if (fault !== undefined) violated(fault);
      const excess = dumps.find((dump) => commandsOf(dump) > this.total);
      if (excess !== undefined) violated(`${excess.name} has more than ${this.total} commands`);
      return dumps.length === places.length &&
        dumps.every((dump) => commandsOf(dump) === this.total);
    };
    this.#within(`${this.total} commands in all dumps`, complete, () => {
      this.#stage.count("commands in all dumps", this.total);
      this.ended = true;
    });
  }

  /** Goes on with `then` when `reached`. */
  #within(what: string, reached: () => boolean, then: () => void): void {
    const { world } = this.#stage;
    const { withinMs } = this.#case;
    const endMs = world.now + withinMs;
    const look = () => {
      if (reached()) return then();
      if (world.now >= endMs) {
        throw new OvidError("sim.liveness", `Waited ${withinMs} virtual ms for ${what} in vain`);
      }
      world.at(world.now + 10, look);
    };
    look();
  }
}

/**
 * A case of Multi-Paxos with so many nodes: `paxos-3-normal` and the like.
 *
 * @param replica A test gives one that is broken, to see whether it is found out.
 */
export function paxosCaseOf(
  nodes: number,
  name: string,
  replica: AgentDefinition = paxosReplica,
): Scenario {
  const told = cases[name]?.(nodes);
  if (told === undefined) throw new RangeError(`There is no case ${name} of Multi-Paxos`);
  return defineScenario({
    name: `paxos-${nodes}-${name}`,
    doc: `Multi-Paxos of ${nodes} nodes: ${told.doc}.`,
    sizes: { nodes: [nodes, nodes] },
    grid: (sizes) => caseGrid(sizes.nodes, told),
    definitions: [replica, paxosClient, paxosController],
    ...told.climate,
    // Only what the case names goes wrong.
    spares: faultNames.filter((kind) => kind !== "loss" || told.climate?.loss === undefined),
    safetyMs: [2 * told.withinMs, 2 * told.withinMs],
    play(stage) {
      const telling = new Telling(stage, told);
      return {
        committed: () => telling.total,
        done: () => telling.ended,
        core: () => stage.world.grid.boxes,
      };
    },
    sometimes: ["note.paxos.leads", "note.paxos.committed", "note.paxos.dumped"],
  });
}

/** Every case of Multi-Paxos. */
export const paxosCases: readonly Scenario[] = ([
  [3, ["normal", "pause", "pause1", "random-delay", "random-drop", "stress", "one-absent"]],
  [5, ["normal", "pause", "pause1", "pause2", "random-delay", "random-drop", "stress"]],
] as const).flatMap(([nodes, names]) => names.map((name) => paxosCaseOf(nodes, name)));
