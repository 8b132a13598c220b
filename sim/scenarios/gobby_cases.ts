// Gobby in the cases that the original was tried with, by eye: one client on one server and on three, and clients that
// increase a number under a lock so many times, while all is well, while mail is late, and while it is lost. Each has an
// exact verdict.

import { type GobbyRules, gobbyRules } from "../../agents/gobby/rules.ts";
import { serviceLimits } from "../../agents/gobby/service.ts";
import type { AskOutcome } from "../../agents/gobby/protocol.ts";
import { faultNames } from "../../core/config/fault_kinds.ts";
import { defineScenario, type Play, type Scenario, type Stage } from "../scenario.ts";
import { Actor, type News, type Script } from "./gobby_actor.ts";
import { boxOf, gobbyAgents, gobbyGrid, namesOf } from "./gobby_grid.ts";
import { GobbyJudge } from "./gobby_judge.ts";
import { GobbyLog } from "./gobby_log.ts";
import { GobbyUser } from "./gobby_user.ts";

/** How often each client increases the number, which is 1 at first. */
const increments = 50;

interface Case {
  readonly servers: number;
  readonly clients: number;
  readonly doc: string;
  /** The share of mail that is lost on each way. */
  readonly loss?: number;
  /** The share of mail that is late, by more than anybody waits for an answer. */
  readonly late?: number;
}

const cases: Readonly<Record<string, Case>> = {
  "1s1c": { servers: 1, clients: 1, doc: "one client uses all that one server has" },
  "3s1c": { servers: 3, clients: 1, doc: "one client uses all that three servers have" },
  "3s3c-normal": { servers: 3, clients: 3, doc: "three clients count to 151" },
  "3s3c-delay": {
    servers: 3,
    clients: 3,
    doc: "three clients count to 151 while a fifth of all mail is late by more than a second",
    late: 0.2,
  },
  "3s3c-drop": {
    servers: 3,
    clients: 3,
    doc: "three clients count to 151 while one in twenty messages is lost each way",
    loss: 0.05,
  },
  "5s10c-normal": { servers: 5, clients: 10, doc: "ten clients count to 501" },
  "5s10c-drop": {
    servers: 5,
    clients: 10,
    doc: "ten clients count to 501 while one in a hundred messages is lost each way",
    loss: 0.01,
  },
};

interface Told {
  readonly stage: Stage<"engine">;
  readonly judge: GobbyJudge;
  readonly log: GobbyLog;
}

/** Counts to what is right, and nothing else. */
function count({ servers: _, clients }: Case, { stage, judge, log }: Told): Play {
  const { world, random, history, count, violated } = stage;
  const users = namesOf("c", clients).map((name) =>
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
      locks: 1,
      keys: 1,
      turns: 0,
      think: () => 0,
      onlyCounts: true,
    })
  );
  for (const user of users) user.want(increments);
  return {
    committed: () => users.reduce((sum, { committed }) => sum + committed, 0),
    done: () => users.every(({ done }) => done),
    core: () => world.grid.boxes,
    conclude() {
      judge.conclude();
      const total = 1 + judge.increments("counter1");
      const wanted = 1 + clients * increments;
      if (total !== wanted) violated(`the clients count to ${total}, want ${wanted}`);
    },
  };
}

/** Does each thing once, and looks at each answer. */
function useAll({ stage, judge }: Told): Play {
  const { world, violated } = stage;
  const heard: News[] = [];
  let asked = 0;
  const actor = new Actor({
    world,
    agent: "c1",
    box: boxOf("c1"),
    script,
    heard: (news) => heard.push(news),
    crashed: () => violated("the client's box crashes"),
  });
  function kindOf(outcome: AskOutcome | undefined): string {
    asked++;
    return outcome?.kind === "done" ? outcome.result.kind : outcome?.kind ?? "nothing";
  }
  function want(found: unknown, wanted: unknown, what: string): void {
    if (found !== wanted) violated(`${what} is ${String(found)}, want ${String(wanted)}`);
  }
  function* script(): Script {
    want(kindOf(yield { ask: { kind: "put", key: "a", value: "1" } }), "stored", "a put");
    const got = yield { ask: { kind: "get", key: "a" } };
    want(kindOf(got), "entry", "a get");
    const entry = got?.kind === "done" && got.result.kind === "entry" ? got.result.entry : null;
    want(entry?.value, "1", "the value of a");
    const lock = { kind: "acquire", key: "nowhere", mode: "exclusive", waitMs: 0 };
    const acquired = yield { ask: lock, session: true };
    want(kindOf(acquired), "acquired", "a lock of a key that does not exist");
    const result = acquired?.kind === "done" ? acquired.result : undefined;
    const token = result?.kind === "acquired" ? result.token : 0;
    const fence = { lock: "nowhere", token };
    const fenced = { kind: "put", key: "a", value: "2", fence };
    want(kindOf(yield { ask: fenced }), "stored", "a write under the token");
    want(
      kindOf(yield { ask: { kind: "release", key: "nowhere", token } }),
      "released",
      "a release",
    );
    want(kindOf(yield { ask: fenced }), "refused", "a write under the token afterwards");
    actor.say({ type: "watch", id: 1, target: { kind: "key", key: "a" }, oneShot: true });
    while (!heard.some(({ type }) => type === "watching")) yield { pauseMs: 50 };
    want(kindOf(yield { ask: { kind: "put", key: "a", value: "3" } }), "stored", "a put");
    while (!heard.some(({ type }) => type === "watchEnded")) yield { pauseMs: 50 };
    const events = heard.flatMap((news) => news.type === "events" ? news.events : []);
    want(events.length, 1, "the number of events");
    const [event] = events;
    want(event?.kind === "keyStored" ? event.entry.value : "", "3", "the event's value");
    want(kindOf(yield { ask: { kind: "closeSession" }, session: true }), "sessionEnded", "a close");
  }
  return {
    committed: () => asked,
    done: () => asked > 0 && actor.done,
    core: () => world.grid.boxes,
    conclude: () => judge.conclude(),
  };
}

/**
 * A case of Gobby: `gobby-3s3c-drop` and the like.
 *
 * @param rules A test gives some of which one is broken, to see whether it is found out.
 */
export function gobbyCaseOf(name: string, rules: GobbyRules): Scenario {
  const told = cases[name];
  if (told === undefined) throw new RangeError(`There is no case ${name} of Gobby`);
  const { servers, clients, loss, late } = told;
  const grid = (engine: number, isFirst: boolean) =>
    gobbyGrid({
      servers,
      clients,
      engine: engine === 0 ? "vr_replica" : "paxos_member",
      isFirst,
      group: { deadlineMs: 5000 },
      server: { leaseMs: 1000, maxLeaseMs: 1000, failures: 3, restMs: 1000 },
      client: { deadlineMs: 3_600_000 },
    });
  return defineScenario({
    name: `gobby-${name}`,
    doc: `Gobby with ${servers} servers: ${told.doc}.`,
    sizes: { engine: [0, 1] },
    grid: ({ engine }) => grid(engine, true),
    laterGrid: ({ engine }) => grid(engine, false),
    definitions: gobbyAgents({ rules }, serviceLimits),
    // Only what the case names goes wrong.
    spares: loss === undefined ? faultNames : faultNames.filter((kind) => kind !== "loss"),
    ...loss === undefined ? {} : { loss },
    // As the original's calls were late, each by itself and by more than its clients waited.
    ...late === undefined ? {} : { late: { share: late, minUs: 1_200_000, maxUs: 2_000_000 } },
    safetyMs: [1_800_000, 1_800_000],
    play(stage) {
      const { world, count: mark, violated } = stage;
      const judge = new GobbyJudge({
        world,
        servers: new Set(namesOf("s", servers)),
        clients: new Map(namesOf("c", clients).map((each) => [boxOf(each), `${each}_client`])),
        driftPpm: 0,
        count: mark,
        violated,
      });
      const log = new GobbyLog({
        world,
        replicas: namesOf("r", servers),
        violated,
        happened: (happened) => judge.happened(happened),
      });
      const parts = { stage, judge, log };
      return clients === 1 ? useAll(parts) : count(told, parts);
    },
    sometimes: ["note.gobby.serves"],
  });
}

/** Every case of Gobby. */
export const gobbyCases: readonly Scenario[] = Object.keys(cases).map((name) =>
  gobbyCaseOf(name, gobbyRules)
);
