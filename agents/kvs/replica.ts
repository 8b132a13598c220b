// The key-value store itself: a map that survives crashes. It takes requests in typed form, each executed at most
// once, and GoOvid's texts, which carry no number and are executed as often as they come.

import { z } from "zod";
import type { Context } from "../../core/agent.ts";
import type { DeepReadonly } from "../../core/data.ts";
import { defineAgent } from "../../core/define.ts";
import { isToken, virtualId } from "../../core/id.ts";
import { pathAttr } from "../paths.ts";
import { splitWord } from "../words.ts";
import {
  type Command,
  findCommandFault,
  type Outcome,
  parseCommand,
  replyText,
} from "./command.ts";
import { kvsProtocol, type Mark, markOf, type Request } from "./protocol.ts";

/** How many characters all keys and values have together, at most. */
export const storeLengthMax = 64 * 1024 * 1024;

/** How many origins may ever put something. */
export const originsMax = 10_000;

const record = z.object({
  key: z.string(),
  value: z.string(),
  /** None for a put that came as text. */
  mark: z.object({ origin: z.string(), session: z.int(), request: z.int() }).optional(),
});

interface Store {
  readonly entries: Map<string, string>;
  /** The characters of all keys and values. */
  length: number;
  /** The last put of each origin. Only puts that were stored are here, so the answer to it is known. */
  readonly lastPuts: Map<string, { readonly session: number; readonly request: number }>;
}

interface Replica {
  readonly durable: DeepReadonly<Store>;
}

type ReplicaContext = Context<
  { readonly log?: string | undefined },
  typeof kvsProtocol,
  never,
  never,
  z.infer<typeof record>,
  "file"
>;

export const kvsReplica = defineAgent({
  type: "kvs_replica",
  version: 1,
  doc:
    "Keeps keys and values on disk. With a log, every put is also written to it for people to read.",
  attrs: z.strictObject({
    log: pathAttr.optional(),
  }),
  protocol: kvsProtocol,
  ports: { 1: "CLIENT put KEY VALUE or CLIENT get KEY; the answer goes to destination CLIENT" },
  devices: ["file"],
  record,
  durable: (): Store => ({ entries: new Map(), length: 0, lastPuts: new Map() }),
  apply(durable, { key, value, mark }) {
    durable.length += growth(durable, key, value);
    durable.entries.set(key, value);
    if (mark === undefined) return;
    durable.lastPuts.set(mark.origin, { session: mark.session, request: mark.request });
  },
  init: () => ({}),
  on: {
    put(state, message, ctx) {
      const outcome = putOnce(state, message, ctx);
      if (outcome !== undefined) ctx.reply({ type: "answer", ...markOf(message), outcome });
    },
    get(state, message, ctx) {
      ctx.reply({ type: "answer", ...markOf(message), outcome: get(state, message.key) });
    },
    text(state, message, ctx) {
      const [client, line] = splitWord(message.text);
      const command = parseCommand(line);
      if (command === undefined || !isToken(client)) {
        return ctx.note("kvs.malformed", { from: ctx.from, text: message.text.slice(0, 80) });
      }
      const outcome = command.type === "put"
        ? put(state, command, client, undefined, ctx)
        : get(state, command.key);
      ctx.send(virtualId(client), { type: "text", text: replyText(outcome) });
    },
  },
  onDevice: {
    file(_state, { path, reason }, ctx) {
      ctx.note("kvs.log_failed", { path, reason });
    },
  },
  check({ durable: { entries, length, lastPuts } }) {
    const found = [...entries].reduce((sum, [key, value]) => sum + key.length + value.length, 0);
    if (found !== length) {
      throw new Error(`the store has ${found} characters, and counts ${length}`);
    }
    if (length > storeLengthMax) throw new Error(`the store has ${length} characters`);
    if (lastPuts.size > originsMax) throw new Error(`${lastPuts.size} origins`);
  },
});

function growth({ entries }: DeepReadonly<Store>, key: string, value: string): number {
  const before = entries.get(key);
  return before === undefined ? key.length + value.length : value.length - before.length;
}

function get({ durable }: Replica, key: string): Outcome {
  const value = durable.entries.get(key);
  return value === undefined ? { kind: "absent" } : { kind: "found", value };
}

/** Stores a value unless this very request did so before; undefined if nobody waits for the answer any more. */
function putOnce(
  state: Replica,
  message: Extract<Request, { type: "put" }>,
  ctx: ReplicaContext,
): Outcome | undefined {
  const { lastPuts } = state.durable;
  const mark = markOf(message);
  const last = lastPuts.get(mark.origin);
  if (last !== undefined) {
    if (mark.session < last.session) return { kind: "outlived", session: last.session };
    if (mark.session === last.session) {
      if (mark.request < last.request) return undefined;
      if (mark.request === last.request) return { kind: "stored" };
    }
  } else if (lastPuts.size >= originsMax) {
    return { kind: "refused", why: `there are ${originsMax} clients already` };
  }
  return put(state, message, ctx.from, mark, ctx);
}

function put(
  { durable }: Replica,
  command: Extract<Command, { type: "put" }>,
  client: string,
  mark: Mark | undefined,
  ctx: ReplicaContext,
): Outcome {
  const { key, value } = command;
  const fault = findCommandFault(command);
  if (fault !== undefined) return { kind: "refused", why: fault };
  if (durable.length + growth(durable, key, value) > storeLengthMax) {
    return { kind: "refused", why: `the store is full, it has ${durable.length} characters` };
  }
  ctx.append({ key, value, mark });
  if (ctx.attrs.log !== undefined) {
    const line = `${client} put ${key} ${value}`;
    ctx.output("file", { type: "append", path: ctx.attrs.log, text: line, stamp: true });
  }
  return { kind: "stored" };
}
