// GoOvid's paxos_client: it sends commands to all replicas, one at a time, and each again and again until it is told
// that it was carried out.

import { z } from "zod";
import type { Context } from "../../core/agent.ts";
import { defineAgent } from "../../core/define.ts";
import { text } from "../../core/text.ts";
import { virtualIdAttr } from "../ids.ts";
import { replicasMax } from "../vr/protocol.ts";
import { splitWord } from "../words.ts";
import { commandText, messageLengthMax, parseCommitted } from "./texts.ts";

/** How many commands may wait; those on top are dropped. */
export const waitingMax = 1000;

/** How many times the first wait before a command is sent again each further one takes: 1, 4, 8 and 16 s. */
const backOff: readonly number[] = [1, 4, 8, 16];

const attrsSchema = z.strictObject({
  myid: virtualIdAttr,
  replicas: z.array(virtualIdAttr).min(1).max(replicasMax),
  /** Whether it issues commands by itself, or those that the controller sends. */
  mode: z.enum(["script", "manual"]),
  /** How often it issues one in mode script, unless one is under way. */
  everyMs: z.int().min(1).max(3_600_000).default(1000),
  /** How many it issues in mode script; without it, it goes on for ever. */
  requests: z.int().min(0).optional(),
  /** How long it waits before it sends a command a second time; later on, up to 16 times as long. */
  retryMs: z.int().min(1).max(3_600_000).default(1000),
});

const recordSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("issue"), message: z.string() }),
  z.object({ kind: z.literal("committed") }),
]);

interface Issued {
  /** How many commands there were; the last of them has this number. */
  count: number;
  /** The messages of the last ones, which are not committed. The first is under way. */
  readonly waiting: string[];
}

interface Client {
  /** How often the command under way was sent. */
  sent: number;
  readonly durable: { readonly count: number; readonly waiting: readonly string[] };
}

type ClientContext = Context<
  z.infer<typeof attrsSchema>,
  { readonly text: typeof text },
  never,
  "retry" | "issue",
  z.infer<typeof recordSchema>,
  never
>;

export const paxosClient = defineAgent({
  type: "paxos_client",
  version: 1,
  doc:
    "GoOvid's client: sends commands to all paxos_replicas until each is committed, by itself or as the controller says.",
  attrs: attrsSchema,
  protocol: { text },
  ports: {
    1: "committed CLIENT REQ, from a replica",
    9: "issue M, from the controller",
  },
  timers: ["retry", "issue"],
  record: recordSchema,
  // On disk, since a number that was used before would be taken for a command that was sent again.
  durable: (): Issued => ({ count: 0, waiting: [] }),
  apply(durable, record) {
    if (record.kind === "committed") durable.waiting.shift();
    else {
      durable.waiting.push(record.message);
      durable.count++;
    }
  },
  init: () => ({ sent: 0 }),
  start(state, ctx) {
    ask(state, ctx);
    if (ctx.attrs.mode === "script") ctx.setTimer("issue", ctx.attrs.everyMs);
  },
  on: {
    text(state, message, ctx) {
      if (message.port === 1) return takeCommitted(state, message.text, ctx);
      const [order, rest] = splitWord(message.text);
      const fits = rest !== "" && rest.length <= messageLengthMax;
      if (message.port === 9 && order === "issue" && fits) issue(state, rest, ctx);
      else {
        const { port } = message;
        ctx.note("paxos.malformed", { from: ctx.from, port, text: message.text.slice(0, 80) });
      }
    },
  },
  onTimer: {
    retry: send,
    issue(state, ctx) {
      const { everyMs, requests = Infinity, myid } = ctx.attrs;
      const { count, waiting } = state.durable;
      if (count >= requests) return;
      if (waiting.length === 0) issue(state, `(${myid} : ${count + 1})`, ctx);
      ctx.setTimer("issue", everyMs);
    },
  },
  check({ durable: { waiting } }) {
    if (waiting.length > waitingMax) throw new Error(`${waiting.length} commands wait`);
  },
});

/** The number of the command under way. */
function requestOf({ durable: { count, waiting } }: Client): number {
  return count - waiting.length + 1;
}

function issue(state: Client, message: string, ctx: ClientContext): void {
  if (state.durable.waiting.length >= waitingMax) return ctx.note("paxos.overflow", { message });
  ctx.append({ kind: "issue", message });
  if (state.durable.waiting.length === 1) ask(state, ctx);
}

/** Begins with the first command that waits. */
function ask(state: Client, ctx: ClientContext): void {
  state.sent = 0;
  if (state.durable.waiting.length === 0) ctx.clearTimer("retry");
  else send(state, ctx);
}

/** Sends the command under way to all replicas, and again if nothing comes of it. */
function send(state: Client, ctx: ClientContext): void {
  const { myid, replicas, retryMs } = ctx.attrs;
  const [message] = state.durable.waiting;
  if (message === undefined) return;
  const text = commandText({ client: myid, request: requestOf(state), message });
  for (const replica of replicas) ctx.send(replica, { type: "text", text });
  if (state.sent > 0) ctx.note("paxos.retry", { request: requestOf(state), sent: state.sent });
  const times = backOff[Math.min(state.sent, backOff.length - 1)] ?? 1;
  state.sent++;
  ctx.setTimer("retry", times * retryMs);
}

function takeCommitted(state: Client, text: string, ctx: ClientContext): void {
  const committed = parseCommitted(text);
  if (committed === undefined) {
    return ctx.note("paxos.malformed", { from: ctx.from, port: 1, text: text.slice(0, 80) });
  }
  const { client, request } = committed;
  // Several replicas may say so, and any of them late.
  if (client !== ctx.attrs.myid || request !== requestOf(state)) return;
  if (state.durable.waiting.length === 0) return;
  ctx.append({ kind: "committed" });
  ctx.note("paxos.committed", { request });
  ask(state, ctx);
}
