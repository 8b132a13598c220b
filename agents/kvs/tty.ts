// The key-value store's terminal: a person, or a pipe, types commands and gets an answer to each, in order.

import { z } from "zod";
import type { Context } from "../../core/agent.ts";
import { defineAgent } from "../../core/define.ts";
import { call, type Callee, type Caller, finish, newCaller, takeText, tryAgain } from "./call.ts";
import {
  type Command,
  commandText,
  findCommandFault,
  outcomeText,
  parseCommand,
} from "./command.ts";
import { isSameRequest, kvsProtocol, nextSession } from "./protocol.ts";

/** How many characters of commands may wait; those on top are dropped with a word. */
export const waitingLengthMax = 16 * 1024 * 1024;

/** What a waiting line costs besides its characters. */
const lineOverhead = 16;

const client: Callee = { route: "1", wording: commandText };

interface Terminal extends Caller {
  /** Lines that wait for their turn. */
  readonly waiting: string[];
  waitingLength: number;
  /** How many requests this session has had. */
  requests: number;
  ended: boolean;
  readonly durable: { readonly session: number };
}

type TtyContext = Context<
  unknown,
  typeof kvsProtocol,
  "1",
  "retry",
  { session: number },
  "terminal"
>;

export const kvsTty = defineAgent({
  type: "kvs_tty",
  version: 1,
  doc: "Takes put KEY VALUE and get KEY from the terminal, asks a kvs_client, prints the answers.",
  attrs: z.strictObject({}),
  protocol: kvsProtocol,
  ports: { 1: "the answer of a kvs_client that takes text only" },
  routes: ["1"],
  timers: ["retry"],
  devices: ["terminal"],
  record: z.object({ session: z.int().positive() }),
  durable: () => ({ session: 0 }),
  apply(durable, record) {
    durable.session = record.session;
  },
  init: () => ({
    ...newCaller(),
    waiting: [] as string[],
    waitingLength: 0,
    requests: 0,
    ended: false,
  }),
  start(state, ctx) {
    ctx.append({ session: nextSession(state.durable.session, () => ctx.random()) });
    ctx.output("terminal", { type: "prompt", text: "> " });
  },
  on: {
    answer(state, { outcome, ...mark }, ctx) {
      if (state.current === undefined || !isSameRequest(mark, state.current)) return;
      if (outcome.kind === "outlived") {
        // This agent's disk is younger than the store's: a new session, above all that the store knows.
        ctx.append({ session: nextSession(outcome.session, () => ctx.random()) });
        return ask(state, state.current, ctx);
      }
      showAnswer(state, outcomeText(outcome), ctx);
    },
    text(state, message, ctx) {
      if (takeText(state, ctx.from, client, ctx)) showAnswer(state, message.text, ctx);
    },
  },
  onTimer: {
    retry(state, ctx) {
      tryAgain(state, client, ctx);
    },
  },
  onDevice: {
    terminal(state, event, ctx) {
      if (event.type === "eof") state.ended = true;
      else {
        const length = event.text.length + lineOverhead;
        if (state.waitingLength + length > waitingLengthMax) {
          const start = JSON.stringify(event.text.slice(0, 40));
          return print(`error: too many commands are waiting, dropped ${start}`, ctx);
        }
        state.waiting.push(event.text);
        state.waitingLength += length;
      }
      takeNext(state, ctx);
    },
  },
  check(state) {
    const length = state.waiting.reduce((sum, line) => sum + line.length + lineOverhead, 0);
    if (length !== state.waitingLength || length > waitingLengthMax) {
      throw new Error(`${length} characters wait, and ${state.waitingLength} are counted`);
    }
  },
});

function print(text: string, ctx: TtyContext): void {
  ctx.output("terminal", { type: "print", text });
}

function showAnswer(state: Terminal, text: string, ctx: TtyContext): void {
  finish(state, ctx);
  print(text, ctx);
  takeNext(state, ctx);
}

/** Takes lines up to the next request; without one, shows the prompt, or stops at the end of input. */
function takeNext(state: Terminal, ctx: TtyContext): void {
  while (state.current === undefined) {
    const line = state.waiting.shift();
    if (line === undefined) {
      if (state.ended) ctx.stop();
      else ctx.output("terminal", { type: "prompt", text: "> " });
      return;
    }
    state.waitingLength -= line.length + lineOverhead;
    const command = parseCommand(line);
    const fault = command && findCommandFault(command);
    if (command === undefined) print("Invalid command", ctx);
    else if (fault !== undefined) print(`error: ${fault}`, ctx);
    else ask(state, command, ctx);
  }
}

function ask(state: Terminal, command: Command, ctx: TtyContext): void {
  const mark = { origin: ctx.self, session: state.durable.session, request: ++state.requests };
  call(state, { ...mark, ...commandOf(command) }, client, ctx);
}

function commandOf(command: Command): Command {
  return command.type === "put"
    ? { type: "put", key: command.key, value: command.value }
    : { type: "get", key: command.key };
}
