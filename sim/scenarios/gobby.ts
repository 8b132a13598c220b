// Gobby: servers of which one is the master at a time, on a group that keeps what must last and is changed meanwhile, and
// users who lock, count, put, get and watch. Everything may go wrong but clocks that jump; of every two groups at least
// one quorum keeps its disks.

import { serviceLimits } from "../../agents/gobby/service.ts";
import { type Random, randomInteger } from "../../core/random.ts";
import { checkLinearizable, verdictLines } from "../linearizable.ts";
import { kvModel } from "../linearizable_model.ts";
import {
  defineScenario,
  type Exposure,
  type Scenario,
  type Sizes,
  type Stage,
} from "../scenario.ts";
import { boxOf, gobbyAgents, gobbyGrid, type GobbyParts, namesOf } from "./gobby_grid.ts";
import { foundersOf, GobbyGroup } from "./gobby_group.ts";
import { GobbyJudge } from "./gobby_judge.ts";
import { GobbyLocks, lockModel } from "./gobby_locks.ts";
import { GobbyLog } from "./gobby_log.ts";
import { GobbyReads } from "./gobby_reads.ts";
import { GobbyUser } from "./gobby_user.ts";
import { paceOf } from "./typist.ts";

/** How wrong clocks may be, by the size `drift`. */
const driftsPpm = [0, 10_000, 50_000, 100_000] as const;

const sizes = {
  /** 3 servers, or 5, without those of the spares. */
  wide: [0, 1],
  spares: [0, 2],
  reconfigurations: [0, 3],
  /** Boxes start again with the same servers to vote for the lease, with one that is a spare more, or with one fewer. */
  seats: [0, 2],
  /** 0 for Viewstamped Replication, 1 for Multi-Paxos. */
  engine: [0, 1],
  clients: [1, 5],
  turns: [1, 20],
  locks: [1, 2],
  keys: [1, 3],
  lease: [30, 200],
  session: [100, 500],
  retry: [5, 60],
  deadline: [300, 3000],
  refresh: [20, 300],
  checkpoint: [5, 60],
  drift: [0, 3],
  /** 0: every read goes through the log. */
  reads: [0, 3],
  fresh: [5, 100],
} as const;

type GobbySizes = Sizes<keyof typeof sizes>;

/** How many increments each user must get done once the faults are over. */
const incrementsAfterFaults = 2;

/** So few events are kept that watches that have to wait come too late. */
const limits = { ...serviceLimits, historyEvents: 96 };

const serversOf = ({ wide, spares }: GobbySizes) => namesOf("s", 3 + 2 * wide + spares);

/** How many servers vote for the lease, as a box is told that starts for the first time, or starts again. */
function seatedOf(sizes: GobbySizes, isFirst: boolean, reseated: number): number {
  const all = serversOf(sizes).length;
  const isFewer = sizes.seats !== 0 && isFirst === (sizes.seats === 1);
  return isFewer ? all - Math.min(reseated, sizes.spares) : all;
}

function grid(sizes: GobbySizes, isFirst: boolean, reseated = 1) {
  const clockDriftPpm = driftsPpm[sizes.drift] ?? 0;
  return gobbyGrid({
    servers: serversOf(sizes).length,
    spares: sizes.spares,
    seated: seatedOf(sizes, isFirst, reseated),
    hasAdministrator: true,
    clients: sizes.clients,
    engine: sizes.engine === 0 ? "vr_replica" : "paxos_member",
    isFirst,
    readsLocally: sizes.reads > 0,
    replica: { checkpointOperations: sizes.checkpoint, keepOperations: sizes.checkpoint },
    group: { retryMs: sizes.retry, deadlineMs: 300 },
    server: {
      leaseMs: sizes.lease,
      maxLeaseMs: sizes.lease,
      roundMs: 60,
      retryMs: 10,
      clockDriftPpm,
      restMs: 2 * sizes.lease,
      watchMs: 5000,
      freshMs: sizes.fresh,
    },
    client: {
      sessionTtlMs: sizes.session,
      retryMs: sizes.retry,
      retryMsMax: 4 * sizes.retry,
      deadlineMs: sizes.deadline,
      refreshMs: sizes.refresh,
      clockDriftPpm,
    },
  });
}

function exposure(sizes: GobbySizes): Exposure {
  const servers = serversOf(sizes).map(boxOf);
  const users = namesOf("c", sizes.clients).map(boxOf);
  const founders = foundersOf(sizes);
  return {
    victims: [...servers, ...servers, ...users],
    disks: { boxes: founders.boxes, max: founders.boxes.length - founders.size },
    // With all spares it is a majority of the servers as well, who grant the lease.
    quorum: founders,
    ambushes: [
      "append",
      "sync",
      "lease.acquired",
      "gobby.term_begun",
      "gobby.serves",
      "gobby.watch_resumed",
      "gobby.repeated",
      "gobby.session_jeopardy",
      "vr.reconfigured",
      "vr.epoch_learned",
      "paxos.reconfigured",
    ],
  };
}

/** Lets clocks be wrong, in half of all runs as wrong as they may be. */
function drift({ world, random }: Stage<keyof GobbySizes>, ppmMax: number): void {
  const isAtBound = random() < 0.5;
  for (const box of world.grid.boxes) {
    const sign = random() < 0.5 ? 1 : -1;
    world.driftClock(box, sign * (isAtBound ? ppmMax : randomInteger(random, 0, ppmMax)));
  }
}

function play(stage: Stage<keyof GobbySizes>) {
  const { world, sizes, count, violated, random, history, safetyMs } = stage;
  const servers = serversOf(sizes);
  const names = namesOf("c", sizes.clients);
  const group = new GobbyGroup(stage);
  const judge = new GobbyJudge({
    world,
    servers: new Set(servers),
    clients: new Map(names.map((name) => [boxOf(name), `${name}_client`])),
    driftPpm: driftsPpm[sizes.drift] ?? 0,
    count,
    violated,
  });
  const locking = new GobbyLocks();
  const log = new GobbyLog({
    world,
    replicas: group.replicas,
    violated,
    happened(happened) {
      judge.happened(happened);
      locking.happened(happened);
    },
  });
  new GobbyReads({ world, users: new Set(names), servers, log, count, violated });
  const users = names.map((name) =>
    new GobbyUser({
      world,
      name,
      box: boxOf(name),
      random,
      history,
      log,
      judge,
      locking,
      count,
      violated,
      locks: sizes.locks,
      keys: sizes.keys,
      turns: sizes.turns,
      think: paceOf(random, sizes.turns, safetyMs),
      onlyCounts: false,
    })
  );
  drift(stage, driftsPpm[sizes.drift] ?? 0);
  let over = false;
  const sum = (of: (user: GobbyUser) => number) => users.reduce((all, user) => all + of(user), 0);
  return {
    committed: () => sum(({ committed }) => committed),
    done() {
      log.look();
      return over && group.done && users.every(({ done }) => done);
    },
    mayLose: (box: string) => group.mayLose(box),
    core: (random: Random) => group.core(random),
    healed(core: readonly string[]) {
      over = true;
      group.healed(core);
      for (const name of servers) {
        const box = boxOf(name);
        // Who stands still for ever is gone.
        if (!core.includes(box) && world.isUp(box) && world.isPaused(box)) world.crash(box);
      }
      for (const user of users) user.want(incrementsAfterFaults);
    },
    model: kvModel,
    converged: () => group.agrees && users.every(({ caughtUp }) => caughtUp),
    conclude() {
      group.conclude();
      judge.conclude();
      judgeLocks(locking, stage);
      const total = namesOf("counter", sizes.locks)
        .reduce((all, key) => all + judge.increments(key), 0);
      const least = sum(({ incremented }) => incremented);
      const most = least + sum(({ unsure, lostWrites }) => unsure + lostWrites);
      if (total < least || total > most) {
        violated(`counters were increased ${total} times, want ${least} to ${most}`);
      }
    },
  };
}

/** What judging the locks of one run may cost: much less than a second. */
const lockLimits = { stepsMax: 1_000_000, configurationsMax: 100_000, shrinkStepsMax: 100_000 };

function judgeLocks(locking: GobbyLocks, { count, violated }: Stage<keyof GobbySizes>): void {
  const verdict = checkLinearizable(locking.calls(), lockModel, lockLimits);
  if (verdict.kind === "linearizable") count("locks judged");
  else if (verdict.kind === "unknown") count("locks too hard to judge");
  else violated(["Of locks:", ...verdictLines(verdict)].join("\n"));
}

/**
 * The scenario `gobby`, with what it is about.
 *
 * @param parts A test gives some of which one is broken, to see whether it is found out.
 */
export function gobbyScenarioOf(parts: GobbyParts): Scenario {
  return defineScenario({
    name: "gobby",
    doc: "Gobby's locks, keys, sessions and watches: one master, fenced writes, nothing missed.",
    sizes,
    grid: (sizes) => grid(sizes, true, parts.reseated),
    laterGrid: (sizes) => grid(sizes, false, parts.reseated),
    definitions: gobbyAgents(parts, limits),
    exposure,
    // The lease and the sessions trust that clocks only drift, and how much is a size here.
    spares: ["jump", "drift"],
    // Longer than the first sync on a slow disk: before it, a founder does not know that it is one.
    calmMs: 60,
    safetyMs: [500, 4000],
    livenessMs: 120_000,
    play,
    sometimes: [
      "master changed",
      "session expired with a lock",
      "wait granted after an expiry",
      { mark: "fenced write refused", share: 1 / 40 },
      { mark: "compacted watch", share: 1 / 30 },
      "one-shot watch told",
      "locks judged",
      "watch resumed at another master",
      "old read of what was told to be past",
      "note.gobby.lease_read",
      "note.gobby.replica_behind",
      { mark: "note.gobby.deposed", share: 1 / 150 },
      "note.gobby.repeated",
      "note.gobby.session_jeopardy",
      "note.gobby.session_lost",
      "note.vr.reconfigured",
      "note.paxos.reconfigured",
      "fault.lostDisk",
      { mark: "taken in again after a lost disk", share: 1 / 30 },
      "served by the box of a spare",
      "quorum.gone",
      "fault.kill",
      "fault.powerCut",
      "fault.ambush",
      "fault.partition",
      "fault.oneWay",
      "fault.pause",
      "fault.slow",
      "fault.clog",
      "fault.duplicate",
      "fault.reorder",
    ],
  });
}

/** The built-in scenario `gobby`. */
export const gobbyScenario: Scenario = gobbyScenarioOf({});
