// What the scenarios of replicated machines share, whichever protocol replicates them: the grid, what faults may hit,
// clients, and an administrator who changes the group while they work.

import type { Json } from "../../core/data.ts";
import { type Random, randomInteger } from "../../core/random.ts";
import { drawCore } from "../injector.ts";
import { type PlainAgent, plainGrid } from "../plain_grid.ts";
import type { Exposure, Sizes, Stage } from "../scenario.ts";
import { type Administrator, makeAdministrator } from "./administrator.ts";
import { paceOf, Typist } from "./typist.ts";

export const groupSizes = {
  replicas: [1, 5],
  spares: [0, 2],
  clients: [1, 10],
  requests: [1, 60],
  keys: [1, 3],
  reconfigurations: [0, 3],
  /** 0 for the key-value machine, 1 for the counter. */
  machine: [0, 1],
  /** Whether reads are answered under a lease. */
  lease: [0, 1],
  batch: [1, 8],
  prepares: [1, 4],
  checkpoint: [1, 30],
  keep: [0, 20],
  /** How long a client waits for an answer before it asks everybody, in ms. */
  retry: [4, 60],
  /** How long a client waits for an answer at all, in ms. */
  deadline: [100, 3000],
} as const;

export type GroupSizes = Sizes<keyof typeof groupSizes>;

/** How many operations of each client must be carried out once the faults are over. */
const operationsAfterFaults = 2;

/** The box of the agent so called. */
export const boxOf = (agent: string): string => `box_${agent}`;

/** The replicas: those that begin, and with the spares. */
export function replicasOf(
  { replicas, spares }: GroupSizes,
): { founders: string[]; all: string[] } {
  const all = Array.from({ length: replicas + spares }, (_, index) => `r${index + 1}`);
  return { founders: all.slice(0, replicas), all };
}

/** What replicates: the type of the replicas, and attrs that only they have. */
export interface Engine {
  readonly type: string;
  readonly attrs?: { readonly [attr: string]: Json };
}

/** Replicas, spares, clients and the administrator, each in a box of its own. */
export function groupGrid(sizes: GroupSizes, isFirst: boolean, engine: Engine) {
  const { founders, all } = replicasOf(sizes);
  const agents: Record<string, PlainAgent> = {};
  for (const id of all) {
    const attrs = {
      replicas: founders,
      machine: sizes.machine === 0 ? "kv" : "counter",
      bootstrap: isFirst && founders.includes(id),
      batch: { operations: sizes.batch, prepares: sizes.prepares },
      checkpointOperations: sizes.checkpoint,
      keepOperations: sizes.keep,
      leaseMs: 60 * sizes.lease,
      ...engine.attrs,
    };
    agents[id] = { type: engine.type, box: boxOf(id), attrs };
  }
  const addClient = (name: string, deadlineMs: number) => {
    const box = boxOf(name);
    const attrs = { replicas: all, deadlineMs, retryMs: sizes.retry };
    agents[`${name}_client`] = { type: "vr_client", box, attrs };
    agents[name] = { type: "vr_asker", box, attrs: { client: `${name}_client` } };
  };
  for (let number = 1; number <= sizes.clients; number++) addClient(`c${number}`, sizes.deadline);
  addClient("admin", 20_000);
  return plainGrid(agents);
}

/** What faults may hit: of the disks a quorum is kept. */
export function groupExposure(sizes: GroupSizes, ambushes: readonly string[]): Exposure {
  const { founders, all } = replicasOf(sizes);
  const size = Math.floor(founders.length / 2) + 1;
  const boxes = all.map(boxOf);
  const clients = Array.from({ length: sizes.clients }, (_, index) => boxOf(`c${index + 1}`));
  return {
    // Clients fail too, but less often.
    victims: [...boxes, ...boxes, ...clients],
    disks: { boxes: founders.map(boxOf), max: founders.length - size },
    quorum: { boxes: founders.map(boxOf), size },
    ambushes: ["append", "sync", ...ambushes],
    // A lease trusts that clocks drift only so much.
    spares: sizes.lease === 1 ? ["jump"] : [],
  };
}

/** Time enough for the first sync on a slow disk: before it, a founder does not know that it is one. */
export const groupCalmMs = 60;

export function drawOperation(random: Random, { machine, keys }: GroupSizes, value: string): Json {
  if (machine === 1) return random() < 0.4 ? { kind: "read" } : { kind: "add", amount: 1 };
  const key = `key${randomInteger(random, 1, keys)}`;
  const kind = randomInteger(random, 0, 9);
  if (kind < 4) return { kind: "get", key };
  if (kind < 8) return { kind: "put", key, value };
  return kind < 9 ? { kind: "delete", key } : { kind: "cas", key, expected: null, value };
}

/** One client: asks one operation after another, and keeps on until enough were carried out after the faults. */
export class Asker {
  readonly typist: Typist;
  committed = 0;
  readonly #sizes: GroupSizes;
  #left: number;
  #lives = 0;
  #call: number | undefined;
  #wanted = 0;

  constructor(
    name: string,
    { world, safetyMs, random, history, sizes, count }: Stage<keyof GroupSizes>,
  ) {
    this.#sizes = sizes;
    this.#left = sizes.requests;
    const nowUs = () => Math.round(1000 * world.now);
    let asked = 0;
    this.typist = new Typist({
      world,
      agent: name,
      box: boxOf(name),
      think: paceOf(random, sizes.requests, safetyMs),
      next: () => {
        if (this.#left-- <= 0 && this.#wanted <= 0) return undefined;
        const operation = drawOperation(random, this.#sizes, `${name}.${++asked}`);
        this.#call = history.invoke(`${name}.${this.#lives}`, operation, nowUs());
        return JSON.stringify({ kind: "apply", operation });
      },
      answered: (text) => {
        const outcome = JSON.parse(text);
        const call = this.#call ?? 0;
        this.#call = undefined;
        if (outcome.kind === "applied") {
          history.answer(call, outcome.result, nowUs());
          this.committed++;
          this.#wanted--;
        } else {
          // Whatever may still happen is nobody's whom a later call of this client follows.
          this.#lives++;
          if (outcome.certain) history.fail(call);
          count(outcome.certain ? "calls failed" : "calls of unknown outcome");
        }
      },
      lost: () => {
        this.#lives++;
        count("answers lost");
      },
    });
  }

  /** The faults are over. */
  askMore(): void {
    this.#wanted = operationsAfterFaults;
    this.typist.wake();
  }
}

/** The administrator of a group of such sizes. */
export function administratorOf(
  { world, random, sizes, count }: Stage<keyof GroupSizes>,
): Administrator {
  const { all: replicas } = replicasOf(sizes);
  const changes = sizes.reconfigurations;
  return makeAdministrator({ world, random, count, replicas, boxOf, changes });
}

/** A quorum of the founders, or more of them, and whoever is no founder. */
export function smallCore(
  random: Random,
  founders: readonly string[],
  boxes: readonly string[],
): readonly string[] {
  const size = Math.floor(founders.length / 2) + 1;
  return drawCore(random, boxes, { boxes: founders.map(boxOf), size });
}
