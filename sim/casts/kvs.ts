// The key-value store in golden transcripts: one durable replica, `store`, and clients c1, c2 and so on, each on a box
// of its own name. At the terminal of client c1 sits c1_user.

import { kvsClient } from "../../agents/kvs/client.ts";
import { kvsReplica } from "../../agents/kvs/replica.ts";
import { kvsTty } from "../../agents/kvs/tty.ts";
import type { AnyMessage } from "../../core/agent.ts";
import type { Json } from "../../core/data.ts";
import { type Cast, defineCast } from "../cast.ts";
import { fieldsOf, kindWords } from "../plain_words.ts";
import { type PlainAgent, plainGrid } from "../plain_grid.ts";

/** Below these bits of a session's number is what was drawn by lot. */
const lots = 2 ** 24;

/** The cast `kvs`, or one that is broken, for a test that wants to see its story change. */
export function kvsCastOf(changes: Pick<Cast, "sendBeforeSync"> = {}): Cast {
  return defineCast({
    name: "kvs",
    options: { clients: 1 },
    grid({ clients }) {
      const agents: Record<string, PlainAgent> = {};
      const routes: Record<string, string[]> = {};
      for (let number = 1; number <= clients; number++) {
        const id = `c${number}`;
        const user = `${id}_user`;
        agents[user] = { type: "kvs_tty", box: id, routes: { "1": { [id]: 1 } } };
        agents[id] = {
          type: "kvs_client",
          box: id,
          attrs: { myid: id },
          routes: { "1": { [user]: 1 }, "2": { store: 1 } },
        };
        routes[id] = [id];
      }
      agents["store"] = { type: "kvs_replica", box: "store", routes };
      return plainGrid(agents);
    },
    definitions: [kvsTty, kvsClient, kvsReplica],
    ask: (client, words) => ({ agent: `${client}_user`, line: words.join(" ") }),
    message: messageWords,
    record: recordWords,
    views: { state: (state) => fieldsOf({ entries: Reflect.get(state, "durable").entries }) },
    shown: () => ["store"],
    ...changes,
  });
}

/** The built-in cast `kvs`. */
export const kvsCast: Cast = kvsCastOf();

function messageWords(
  { type: _, origin, session, request, key, value, outcome }: AnyMessage,
): string {
  const mark = `${origin}/${Math.floor(Number(session) / lots)}/${request}`;
  if (outcome !== undefined) return `${mark} ${kindWords(Object(outcome))}`;
  return [mark, key, value].filter((word) => word !== undefined).join(" ");
}

function recordWords(record: Json): string {
  const { key, value, session, mark } = Object(record);
  if (key === undefined) return fieldsOf({ session: Math.floor(session / lots) });
  const by = mark && ` for ${mark.origin}/${Math.floor(mark.session / lots)}/${mark.request}`;
  return `put ${key} ${value}${by ?? ""}`;
}
