// Gobby: servers of which one is the master at a time, on a group that keeps what must last, and users who lock, count,
// put, get and watch. Everything may go wrong but disks that are lost and clocks that jump.

import { type GobbyRules, gobbyRules } from "../../agents/gobby/rules.ts";
import { serviceLimits } from "../../agents/gobby/service.ts";
import { randomInteger } from "../../core/random.ts";
import { kvModel } from "../linearizable_model.ts";
import {
  defineScenario,
  type Exposure,
  type Scenario,
  type Sizes,
  type Stage,
} from "../scenario.ts";
import { boxOf, gobbyAgents, gobbyGrid, namesOf } from "./gobby_grid.ts";
import { GobbyJudge } from "./gobby_judge.ts";
import { GobbyLog } from "./gobby_log.ts";
import { GobbyReads } from "./gobby_reads.ts";
import { GobbyUser } from "./gobby_user.ts";
import { paceOf } from "./typist.ts";

/** How wrong clocks may be, by the size `drift`. */
const driftsPpm = [0, 10_000, 50_000, 100_000] as const;

const sizes = {
  /** 3 servers, or 5. */
  wide: [0, 1],
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

const serversOf = ({ wide }: GobbySizes) => namesOf("s", 3 + 2 * wide);

function grid(sizes: GobbySizes, isFirst: boolean) {
  const clockDriftPpm = driftsPpm[sizes.drift] ?? 0;
  return gobbyGrid({
    servers: serversOf(sizes).length,
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
  return {
    victims: [...servers, ...servers, ...users],
    quorum: { boxes: servers, size: Math.floor(servers.length / 2) + 1 },
    ambushes: [
      "append",
      "sync",
      "lease.acquired",
      "gobby.term_begun",
      "gobby.serves",
      "gobby.watch_resumed",
      "gobby.repeated",
      "gobby.session_jeopardy",
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
  const judge = new GobbyJudge({
    world,
    servers: new Set(servers),
    clients: new Map(names.map((name) => [boxOf(name), `${name}_client`])),
    driftPpm: driftsPpm[sizes.drift] ?? 0,
    count,
    violated,
  });
  const log = new GobbyLog({
    world,
    replicas: namesOf("r", servers.length),
    violated,
    happened: (happened) => judge.happened(happened),
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
    done: () => over && users.every(({ done }) => done),
    healed(core: readonly string[]) {
      over = true;
      for (const name of servers) {
        const box = boxOf(name);
        // Who stands still for ever is gone.
        if (!core.includes(box) && world.isUp(box) && world.isPaused(box)) world.crash(box);
      }
      for (const user of users) user.want(incrementsAfterFaults);
    },
    model: kvModel,
    converged: () => users.every(({ caughtUp }) => caughtUp),
    conclude() {
      judge.conclude();
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

/**
 * The scenario `gobby`, with the rules that it is about.
 *
 * @param rules A test gives some of which one is broken, to see whether it is found out.
 */
export function gobbyScenarioOf(rules: GobbyRules): Scenario {
  return defineScenario({
    name: "gobby",
    doc: "Gobby's locks, keys, sessions and watches: one master, fenced writes, nothing missed.",
    sizes,
    grid: (sizes) => grid(sizes, true),
    laterGrid: (sizes) => grid(sizes, false),
    definitions: gobbyAgents(rules, limits),
    exposure,
    // The lease and the sessions trust that clocks only drift, and how much is a size here.
    spares: ["jump", "drift", "lostDisk"],
    // Longer than the first sync on a slow disk: before it, a founder does not know that it is one.
    calmMs: 60,
    safetyMs: [500, 4000],
    livenessMs: 120_000,
    play,
    sometimes: [
      "master changed",
      "session expired with a lock",
      "wait granted after an expiry",
      "fenced write refused",
      "compacted watch",
      "watch resumed at another master",
      "old read of what was told to be past",
      "note.gobby.lease_read",
      "note.gobby.replica_behind",
      "note.gobby.deposed",
      "note.gobby.repeated",
      "note.gobby.session_jeopardy",
      "note.gobby.session_lost",
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
export const gobbyScenario: Scenario = gobbyScenarioOf(gobbyRules);
