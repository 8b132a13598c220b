// Random runs: everything goes wrong at once, then everything is mended, and then every operation must be answered.

import { assert } from "@std/assert";
import type { Json } from "../../core/data.ts";
import { deriveSeed, type Random, randomInteger, seededRandom } from "../../core/random.ts";
import { type GroupOptions, SimulatedGroup } from "./sim_group_test.ts";

const safetyMs = 3000;
const livenessMs = 60_000;

function chance(random: Random, probability: number): boolean {
  return random() < probability;
}

function pick<T>(random: Random, from: readonly T[]): T {
  const picked = from[randomInteger(random, 0, from.length - 1)];
  assert(picked !== undefined);
  return picked;
}

function drawOptions(random: Random, seed: bigint): GroupOptions {
  const heavyTail = chance(random, 0.5);
  return {
    seed,
    replicas: pick(random, [1, 2, 3, 3, 3, 3, 4, 5, 5]),
    spares: pick(random, [0, 1, 2]),
    clients: randomInteger(random, 1, 8),
    thinkMs: pick(random, [5, 20, 400]),
    operations: 1_000_000,
    // Who writes at a primary that was cut off waits; who only reads may be misled.
    reads: pick(random, [[0.3], [0, 1], [1, 0.3]]),
    transcriptLines: 4000,
    network: {
      latency: { minUs: 100, maxUs: pick(random, [500, 5000, 100_000]), heavyTail },
      loss: pick(random, [0, 0, 0.01, 0.05, 0.2]),
      duplicate: pick(random, [0, 0, 0.05]),
      reorder: pick(random, [0, 0, 0.1, 0.5]),
    },
    disk: {
      sync: { minUs: 50, maxUs: pick(random, [500, 20_000]), heavyTail: chance(random, 0.5) },
      compactBytes: pick(random, [2000, 16_000]),
    },
    attrs: {
      checkpointOperations: pick(random, [1, 5, 20, 1000]),
      keepOperations: pick(random, [0, 3, 20]),
      batch: pick<Json>(random, [{}, { operations: 1, prepares: 1000 }, {
        operations: 2,
        prepares: 1,
      }]),
      leaseMs: pick(random, [0, 60]),
    },
  };
}

/** What one run was. */
export interface Run {
  readonly group: SimulatedGroup;
  readonly notes: ReadonlyMap<string, number>;
  readonly events: number;
}

/** Runs a group through all that a seed has in store for it. Throws if anything is not as it should be. */
export function runSeed(seed: bigint, changes: Partial<GroupOptions> = {}): Run {
  const random = seededRandom(deriveSeed(seed, "chaos"));
  const group = new SimulatedGroup({ ...drawOptions(random, seed), ...changes });
  const { world } = group;
  const all = [...group.replicas, ...group.spares];
  world.start();
  group.runUntil(
    () => all.every((id) => world.disk(`b${id}`).syncs > 0),
    5000,
    "the first syncs",
  );
  group.founded();
  new Faults(group, random).run();
  mend(group);
  const since = world.now;
  // Whatever was asked before the mending may still fail.
  const reached = () => {
    for (let index = 0; index < group.clients; index++) {
      const good = group.calls.filter(({ client, askedMs, outcome }) =>
        client === `a${index}` && askedMs > since && outcome?.kind === "applied"
      );
      if (good.length < 3) return false;
    }
    return true;
  };
  group.runUntil(reached, livenessMs, "answers after everything was mended");
  for (let index = 0; index < group.clients; index++) world.pause(`bc${index}`);
  world.pause("badmin");
  group.runUntil(() => group.converged(), livenessMs, "convergence");
  group.checkCounter();
  group.checkAgreement();
  return { group, notes: group.notes, events: world.transcript.events };
}

function mend({ world, replicas, spares, clients }: SimulatedGroup): void {
  world.heal();
  const boxes = [...replicas, ...spares].map((id) => `b${id}`);
  for (let index = 0; index < clients; index++) boxes.push(`bc${index}`);
  boxes.push("badmin");
  for (const box of boxes) {
    if (!world.isUp(box)) world.start(box);
    else {
      try {
        world.resume(box);
      } catch {
        // It did not stand still.
      }
    }
  }
}

class Faults {
  readonly #group: SimulatedGroup;
  readonly #random: Random;
  readonly #all: readonly string[];
  readonly #kinds: readonly (() => void)[];
  #typed = 0;
  readonly #end: number;

  constructor(group: SimulatedGroup, random: Random) {
    this.#group = group;
    this.#end = group.world.now + safetyMs;
    this.#random = random;
    this.#all = [...group.replicas, ...group.spares];
    const kinds = [
      () => this.#crash(),
      () => this.#crashPrimary(),
      () => this.#crashAll(),
      () => this.#restart(),
      () => this.#cut(false),
      () => this.#cut(true),
      () => this.#cutLink(),
      () => this.#cutLink(),
      () => group.world.heal(),
      () => this.#pause(),
      () => this.#reconfigure(),
      () => this.#crashClient(),
      () => this.#loseDisk(),
    ];
    this.#kinds = kinds.filter(() => chance(random, 0.6));
    this.#aim();
  }

  /** Strikes where it hurts: a replica that has just voted, and one that has just become the primary. */
  #aim(): void {
    const { world } = this.#group;
    const voter = chance(this.#random, 0.5) ? 0.2 : 0;
    const winner = chance(this.#random, 0.5) ? 0.2 : 0;
    world.observe((event) => {
      if (event.kind !== "note" || world.now > this.#end) return;
      const { agent, event: name } = event.note;
      const probability = name === "vr.view_change.started"
        ? voter
        : name === "vr.view_change.completed" || name === "vr.reconfigured"
        ? winner
        : 0;
      if (agent === undefined || probability === 0 || !chance(this.#random, probability)) return;
      const delayMs = pick(this.#random, [0, 1, 5, 30]);
      world.at(world.now + delayMs, () => {
        if (world.isUp(`b${agent}`)) world.restart(`b${agent}`);
      });
    });
  }

  run(): void {
    const { world } = this.#group;
    const pace = pick(this.#random, [20, 100, 400]);
    while (world.now < this.#end) {
      this.#group.runFor(randomInteger(this.#random, 1, pace));
      if (this.#kinds.length > 0) pick(this.#random, this.#kinds)();
      else this.#group.runFor(100);
    }
  }

  #crash(id = pick(this.#random, this.#all)): void {
    const { world } = this.#group;
    const box = `b${id}`;
    if (!world.isUp(box)) return;
    world.crash(box);
    const at = world.now + randomInteger(this.#random, 1, pick(this.#random, [10, 200, 1500]));
    world.at(at, () => {
      if (!world.isUp(box)) world.start(box);
    });
  }

  #crashPrimary(): void {
    const primary = this.#group.primary();
    if (primary !== undefined) this.#crash(primary);
  }

  #crashAll(): void {
    if (chance(this.#random, 0.8)) return;
    for (const id of this.#all) this.#crash(id);
  }

  #restart(): void {
    this.#group.world.restart(`b${pick(this.#random, this.#all)}`);
  }

  #crashClient(): void {
    const { world } = this.#group;
    world.restart(`bc${randomInteger(this.#random, 0, this.#group.clients - 1)}`);
  }

  /** Cuts boxes in two halves; clients stay connected to all, or belong to a half. */
  #cut(oneWay: boolean): void {
    const { world, clients } = this.#group;
    const boxes = this.#all.map((id) => `b${id}`);
    if (chance(this.#random, 0.5)) {
      for (let index = 0; index < clients; index++) boxes.push(`bc${index}`);
    }
    const side = boxes.filter(() => chance(this.#random, 0.5));
    for (const a of boxes) {
      for (const b of boxes) {
        if (a !== b && side.includes(a) && !side.includes(b)) world.cut(a, b, { oneWay });
      }
    }
    world.at(world.now + randomInteger(this.#random, 1, 1000), () => world.heal());
  }

  /** Cuts a single link: two replicas do not hear each other, and a third hears both. */
  #cutLink(): void {
    const { world } = this.#group;
    const [a, b] = [pick(this.#random, this.#all), pick(this.#random, this.#all)];
    if (a === b) return;
    world.cut(`b${a}`, `b${b}`, { oneWay: chance(this.#random, 0.3) });
    world.at(world.now + randomInteger(this.#random, 1, 1000), () => world.heal(`b${a}`, `b${b}`));
  }

  #pause(): void {
    const { world } = this.#group;
    const box = `b${pick(this.#random, this.#all)}`;
    try {
      world.pause(box);
    } catch {
      return;
    }
    world.at(world.now + randomInteger(this.#random, 1, 500), () => {
      try {
        world.resume(box);
      } catch {
        // It has crashed meanwhile.
      }
    });
  }

  #reconfigure(): void {
    const { world } = this.#group;
    const size = randomInteger(this.#random, 1, this.#all.length);
    // Who is down cannot say whether it has lost its disk, and would be named as what it was before.
    const up = this.#all.filter((id) => world.isUp(`b${id}`));
    const order = up.map((id) => ({ id, key: this.#random() })).sort((a, b) => a.key - b.key);
    const chosen = order.slice(0, size).map(({ id }) => id);
    if (chosen.length === 0) return;
    this.#typed++;
    world.line("admin", chosen.join(" "));
  }

  /** At most f disks: fewer than half of any configuration that may still matter, and none before the last is replaced. */
  #loseDisk(): void {
    const { world } = this.#group;
    const id = pick(this.#random, this.#all);
    // A reconfiguration may be about to name the replica as what it was.
    if (world.printed("admin").length < this.#typed) return;
    if (!world.isUp(`b${id}`) || !this.#maySpare(id)) return;
    world.crash(`b${id}`);
    world.loseDisk(`b${id}`);
    this.#group.notes.set("lost", (this.#group.notes.get("lost") ?? 0) + 1);
    world.at(world.now + randomInteger(this.#random, 1, 500), () => {
      if (!world.isUp(`b${id}`)) world.start(`b${id}`);
    });
  }

  #maySpare(id: string): boolean {
    const states = this.#all.map((other) => this.#group.replica(other));
    // What a box that is down has on its disk cannot be seen: it may know a later epoch.
    if (states.some((state) => state === undefined)) return false;
    const epochs = states.map((state) => state?.durable.epoch ?? 0);
    const epoch = Math.max(...epochs);
    const latest = states.find((state) => state?.durable.epoch === epoch);
    if (latest === undefined) return false;
    const { replicas } = latest.durable;
    const whole = replicas.filter(({ agent, incarnation }) => {
      if (agent === id) return false;
      const { durable } = states[this.#all.indexOf(agent)] ?? latest;
      return durable.incarnation === incarnation && durable.epoch === epoch && durable.complete;
    });
    // A majority must have all of it, and no reconfiguration be on its way.
    const pending = states.some((state) =>
      state?.durable.log.some(({ command }) =>
        command.kind === "reconfigure" && command.epoch >= epoch
      )
    );
    return !pending && whole.length > replicas.length / 2;
  }
}

const runs = Number(Deno.env.get("VR_RUNS") ?? 12);
const first = BigInt(Deno.env.get("VR_SEED") ?? 1);

Deno.test("vr_replica: random faults lose nothing, and do not stop the group", () => {
  for (let seed = first; seed < first + BigInt(runs); seed++) runSeed(seed);
});
