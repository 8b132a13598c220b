// GoOvid's paxos grid, as its generator writes it, where everything goes wrong that can: whatever replicas dump at
// whatever time is the beginning of one order, in which each client's commands are once each, and in their own order.

import { paxosClient } from "../../agents/paxos_chatroom/client.ts";
import { paxosController } from "../../agents/paxos_chatroom/controller.ts";
import { controllerId, generateGrid } from "../../agents/paxos_chatroom/grid.ts";
import { paxosReplica } from "../../agents/paxos_chatroom/replica.ts";
import type { Json } from "../../core/data.ts";
import type { AgentDefinition } from "../../core/define.ts";
import { agentsOf, type Grid } from "../../core/grid.ts";
import { randomInteger } from "../../core/random.ts";
import { type PlainAgent, plainGrid } from "../plain_grid.ts";
import {
  defineScenario,
  type Exposure,
  type Scenario,
  type Sizes,
  type Stage,
} from "../scenario.ts";
import type { World } from "../world.ts";
import { commandsOf, type DumpPlace, findDumpFault, readDumps } from "./paxos_dumps.ts";

const sizes = {
  failures: [1, 2],
  clients: [1, 3],
  /** How many commands each client issues, and how often. */
  requests: [1, 25],
  every: [1, 60],
  retry: [40, 200],
  /** How long a silent leader is waited for, in ms. */
  patience: [10, 150],
  checkpoint: [3, 30],
  keep: [0, 12],
  /** How many of the first slots the first replica skips. */
  skip: [0, 3],
} as const;

type ChatroomSizes = Sizes<keyof typeof sizes>;

function chatroomGrid(sizes: ChatroomSizes): Grid {
  const { failures, clients } = sizes;
  const generated = generateGrid({ failures, clients, mode: "script" });
  const more: Record<string, { readonly [name: string]: Json }> = {
    paxos_client: { requests: sizes.requests, everyMs: sizes.every, retryMs: sizes.retry },
    paxos_replica: {
      viewChangeMs: sizes.patience,
      heartbeatMs: Math.ceil(sizes.patience / 5),
      checkpointOperations: sizes.checkpoint,
      keepOperations: sizes.keep,
    },
  };
  const agents: Record<string, PlainAgent> = {};
  for (const [id, agent] of Object.entries(generated)) {
    const skip = id === "1"
      ? { skip: Array.from({ length: sizes.skip }, (_, i) => 2 + 3 * i) }
      : {};
    agents[id] = { ...agent, attrs: { ...agent.attrs, ...more[agent.type], ...skip } };
  }
  return plainGrid(agents);
}

function placesOf(grid: Grid): DumpPlace[] {
  return [...grid.agents.values()].flatMap(({ id, type, box, attrs: { output } }) =>
    type === "paxos_replica" ? [{ replica: id, box, path: String(output) }] : []
  );
}

function clientsOf(grid: Grid): string[] {
  return [...grid.agents.values()].filter(({ type }) => type === "paxos_client").map(({ id }) =>
    id
  );
}

function exposure(sizes: ChatroomSizes): Exposure {
  const grid = chatroomGrid(sizes);
  const replicas = placesOf(grid).map(({ box }) => box);
  const others = grid.boxes.filter((box) =>
    agentsOf(grid, box).every(({ type }) => type === "paxos_client")
  );
  return {
    victims: [...replicas, ...replicas, ...others],
    quorum: { boxes: replicas, size: sizes.failures + 1 },
    ambushes: ["append", "sync", "paxos.leads", "paxos.preempted", "paxos.behind", "paxos.dumped"],
  };
}

/** How many commands of a client are committed, as far as it knows; undefined while it is down. */
function committedOf(world: World, client: string): number | undefined {
  const { count, waiting } = Object(Object(world.inspect(client)?.state).durable);
  return typeof count === "number" && Array.isArray(waiting) ? count - waiting.length : undefined;
}

/**
 * The scenario `paxos_chatroom`, with the replica that it is about.
 *
 * @param replica A test gives one that is broken, to see whether it is found out.
 */
export function paxosChatroomScenarioOf(replica: AgentDefinition): Scenario {
  return defineScenario({
    name: "paxos_chatroom",
    doc: "GoOvid's paxos grid: all dumps agree, and no command is lost or there twice.",
    sizes,
    grid: chatroomGrid,
    definitions: [replica, paxosClient, paxosController],
    exposure,
    // Longer than the first sync on a slow disk: before it, a replica does not know that it is a founder.
    calmMs: 60,
    safetyMs: [500, 4000],
    livenessMs: 120_000,
    play: (stage) => new Dumping(stage),
    sometimes: [
      "note.paxos.retry",
      "note.paxos.skipped",
      "note.paxos.preempted",
      "note.paxos.learned",
      "note.paxos.snapshot_installed",
      "note.paxos.truncated",
      "fault.fullDisk",
      "fault.tornTail",
      "fault.unsyncedBytes",
      "fault.ambush",
      "fault.partition",
      "fault.oneWay",
      "fault.pause",
    ],
  });
}

/** Dumps again and again, and judges what is there. */
class Dumping {
  readonly #stage: Stage<keyof typeof sizes>;
  readonly #places: readonly DumpPlace[];
  readonly #clients: readonly string[];
  #committed = 0;
  #over = false;
  #core: readonly string[];

  constructor(stage: Stage<keyof typeof sizes>) {
    const { world, random } = stage;
    this.#stage = stage;
    this.#places = placesOf(world.grid);
    this.#clients = clientsOf(world.grid);
    this.#core = world.grid.boxes;
    world.observe((event) => {
      if (event.kind === "note" && event.note.event === "paxos.committed") this.#committed++;
    });
    const dump = () => {
      world.line(String(controllerId), "dump");
      const fault = findDumpFault(readDumps(world, this.#places));
      if (fault !== undefined) stage.violated(fault);
      world.at(world.now + randomInteger(random, 20, 200), dump);
    };
    world.at(0, dump);
  }

  committed(): number {
    return this.#committed;
  }

  healed(core: readonly string[]): void {
    this.#over = true;
    this.#core = core;
  }

  done(): boolean {
    const { world, sizes } = this.#stage;
    return this.#over &&
      this.#clients.every((client) => committedOf(world, client) === sizes.requests);
  }

  /** Whether all that may still dump have dumped everything. */
  converged(): boolean {
    const { world, sizes } = this.#stage;
    const places = this.#places.filter(({ box }) => this.#core.includes(box));
    const dumps = readDumps(world, places);
    const total = sizes.clients * sizes.requests;
    return dumps.length === places.length && dumps.every((dump) => commandsOf(dump) === total);
  }

  conclude(): void {
    const { world, violated } = this.#stage;
    const fault = findDumpFault(readDumps(world, this.#places));
    if (fault !== undefined) violated(fault);
  }
}

/** The built-in scenario `paxos_chatroom`. */
export const paxosChatroomScenario: Scenario = paxosChatroomScenarioOf(paxosReplica);
