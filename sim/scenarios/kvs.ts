// The key-value store of one durable replica, and people who put and get: every answer is one that a store without
// faults could have given, and no put is executed twice.

import { kvsClient } from "../../agents/kvs/client.ts";
import { kvsReplica } from "../../agents/kvs/replica.ts";
import { kvsTty } from "../../agents/kvs/tty.ts";
import type { Json } from "../../core/data.ts";
import type { AgentDefinition } from "../../core/define.ts";
import { randomInteger } from "../../core/random.ts";
import { excessText, findExcess, timesAskedIn } from "../at_most_once.ts";
import { kvModel } from "../linearizable_model.ts";
import { type PlainAgent, plainGrid } from "../plain_grid.ts";
import { defineScenario, type Scenario, type Sizes } from "../scenario.ts";
import { paceOf, Typist } from "./typist.ts";

type KvsSizes = Sizes<"clients" | "requests" | "keys">;

function kvsGrid({ clients }: KvsSizes) {
  const agents: Record<string, PlainAgent> = {};
  const routes: Record<string, string[]> = {};
  for (let number = 1; number <= clients; number++) {
    const [tty, client, box] = [`tty${number}`, `client${number}`, `c${number}`];
    agents[tty] = { type: "kvs_tty", box, routes: { "1": { [client]: 1 } } };
    agents[client] = {
      type: "kvs_client",
      box,
      attrs: { myid: `id${number}` },
      routes: { "1": { [tty]: 1 }, "2": { store: 1 } },
    };
    routes[`id${number}`] = [client];
  }
  agents["store"] = { type: "kvs_replica", box: "store", routes };
  return plainGrid(agents);
}

/** The replica, with a durable list of all that it has executed. */
function watched(replica: AgentDefinition): AgentDefinition {
  return {
    ...replica,
    durable: (attrs) => Object.assign(Object(replica.durable?.(attrs)), { executed: [] }),
    apply(durable, record) {
      replica.apply?.(durable, record);
      Reflect.get(Object(durable), "executed").push(Reflect.get(Object(record), "value"));
    },
  };
}

/** The value that an operation puts, which no other one does. */
function valuePut(operation: Json): string | undefined {
  const value: unknown = Reflect.get(Object(operation), "value");
  return typeof value === "string" ? value : undefined;
}

/** What a line of the terminal says, in the words of the model. */
function resultOf(text: string): Json {
  if (text === "ok") return { kind: "stored" };
  return { kind: "value", value: text === "No such entry" ? null : text };
}

/**
 * The scenario `kvs`, with the agents that it is made of.
 *
 * @param replica The store; a test gives one that is broken, to see whether it is found out.
 */
export function kvsScenarioOf(replica: AgentDefinition): Scenario {
  return defineScenario({
    name: "kvs",
    doc:
      "Clients put and get at one durable store: linearizable, and each put is executed at most once.",
    sizes: { clients: [1, 4], requests: [1, 25], keys: [1, 3] },
    grid: kvsGrid,
    definitions: [kvsTty, kvsClient, watched(replica)],
    play({ world, sizes, safetyMs, random, history, count, violated }) {
      let committed = 0;
      let values = 0;
      let over = false;
      const nowUs = () => Math.round(1000 * world.now);
      const typists: Typist[] = [];
      /** Who has yet to get an answer now that the faults are over, so that every run has one. */
      const unserved = new Set<Typist>();
      for (let number = 1; number <= sizes.clients; number++) {
        let left = sizes.requests;
        let lives = 0;
        let call = 0;
        const typist: Typist = new Typist({
          world,
          agent: `tty${number}`,
          box: `c${number}`,
          think: paceOf(random, sizes.requests, safetyMs),
          next() {
            if (left-- <= 0 && !unserved.has(typist)) return undefined;
            const key = `key${randomInteger(random, 1, sizes.keys)}`;
            const value = `value${++values}`;
            const isPut = random() < 0.5;
            const operation = isPut ? { kind: "put", key, value } : { kind: "get", key };
            call = history.invoke(`c${number}.${lives}`, operation, nowUs());
            return isPut ? `put ${key} ${value}` : `get ${key}`;
          },
          answered(text) {
            committed++;
            unserved.delete(typist);
            history.answer(call, resultOf(text), nowUs());
          },
          lost() {
            // Its call may happen at any time, beside those that follow.
            lives++;
            count("answers lost");
          },
        });
        typists.push(typist);
      }
      return {
        committed: () => committed,
        model: kvModel,
        healed() {
          over = true;
          for (const typist of typists) {
            unserved.add(typist);
            typist.wake();
          }
        },
        done: () => over && typists.every((typist) => typist.done),
        conclude() {
          const state = world.inspect("store")?.state ?? {};
          const executed: unknown = Reflect.get(Object(Reflect.get(state, "durable")), "executed");
          if (!Array.isArray(executed)) {
            return violated("the store has no list of what it executed");
          }
          const excess = findExcess(executed, timesAskedIn(history.calls(), valuePut));
          if (excess !== undefined) violated(`the put of ${excessText(excess)}`);
        },
      };
    },
    sometimes: [
      "fault.kill",
      "fault.powerCut",
      "fault.ambush",
      "fault.unsyncedBytes",
      "fault.tornTail",
      "fault.fullDisk",
      "compaction",
      "answers lost",
    ],
  });
}

/** The built-in scenario `kvs`. */
export const kvsScenario: Scenario = kvsScenarioOf(kvsReplica);
