// The terminal of a replicated key-value store: a vr_client is asked one command at a time, and the results are
// printed as JSON.

import { z } from "zod";
import type { Context } from "../../core/agent.ts";
import { defineAgent } from "../../core/define.ts";
import type { KvOperation } from "../machine/kv.ts";
import { splitWord } from "../words.ts";
import { vrProtocol } from "./protocol.ts";

/** How many lines may wait; those on top are refused with a word. */
export const linesMax = 100_000;

/** How long the client may take to answer before it is asked again: longer than its own deadline. */
const patienceMs = 15_000;

interface Terminal {
  readonly lines: string[];
  ended: boolean;
  /** The number of the call under way; 0 for none. */
  call: number;
  calls: number;
}

type TtyContext = Context<unknown, typeof vrProtocol, "client", "patience", never, "terminal">;

export const vrTty = defineAgent({
  type: "vr_tty",
  version: 1,
  doc:
    "Takes GET KEY, SET KEY VALUE, DEL KEY and CAS KEY OLD NEW from the terminal, and prints results as JSON.",
  attrs: z.strictObject({}),
  protocol: vrProtocol,
  routes: ["client"],
  timers: ["patience"],
  devices: ["terminal"],
  init: (): Terminal => ({ lines: [], ended: false, call: 0, calls: 0 }),
  start(_state, ctx) {
    ctx.output("terminal", { type: "prompt", text: "client=> " });
  },
  on: {
    result(state, { id, outcome }, ctx) {
      if (id !== state.call) return;
      ctx.clearTimer("patience");
      state.call = 0;
      const shown = outcome.kind === "applied" ? outcome.result : outcome;
      ctx.output("terminal", { type: "print", text: JSON.stringify(shown) });
      takeNext(state, ctx);
    },
  },
  onTimer: {
    patience(state, ctx) {
      // The client is on this very grid: it was restarted, and does not know of the call.
      state.call = 0;
      ctx.output("terminal", { type: "print", text: failed(false, "the client did not answer") });
      takeNext(state, ctx);
    },
  },
  onDevice: {
    terminal(state, event, ctx) {
      if (event.type === "eof") state.ended = true;
      else if (state.lines.length < linesMax) state.lines.push(event.text);
      else ctx.output("terminal", { type: "print", text: failed(true, "too many commands wait") });
      if (state.call === 0) takeNext(state, ctx);
    },
  },
  check(state) {
    if (state.lines.length > linesMax) throw new Error(`${state.lines.length} lines wait`);
  },
});

function failed(certain: boolean, why: string): string {
  return JSON.stringify({ kind: "failed", certain, why });
}

function takeNext(state: Terminal, ctx: TtyContext): void {
  for (let line = state.lines.shift(); line !== undefined; line = state.lines.shift()) {
    if (line.trim() === "") continue;
    const operation = parseOperation(line.trim());
    if (operation !== undefined) {
      state.call = ++state.calls;
      ctx.send("client", { type: "invoke", id: state.call, command: { kind: "apply", operation } });
      return ctx.setTimer("patience", patienceMs);
    }
    const why = "want GET KEY, SET KEY VALUE, DEL KEY or CAS KEY OLD NEW";
    ctx.output("terminal", { type: "print", text: failed(true, why) });
  }
  if (state.ended) ctx.stop();
  else ctx.output("terminal", { type: "prompt", text: "client=> " });
}

/** The operation that a line asks for; undefined if it is none. */
export function parseOperation(line: string): KvOperation | undefined {
  const [verb, afterVerb] = splitWord(line);
  const [key, value] = splitWord(afterVerb);
  if (key === "") return undefined;
  switch (verb.toUpperCase()) {
    case "GET":
      return value === "" ? { kind: "get", key } : undefined;
    case "DEL":
      return value === "" ? { kind: "delete", key } : undefined;
    case "SET":
      return value === "" ? undefined : { kind: "put", key, value };
    case "CAS": {
      const [expected, next] = splitWord(value);
      if (next === "" || splitWord(next)[1] !== "") return undefined;
      return { kind: "cas", key, expected, value: next };
    }
  }
}
