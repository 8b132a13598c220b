// The coordinator of Two-Phase Commit, as in chapter 8, but for its disk: if it crashes, the participants decide.

import { type AgentId, type Context, defineAgent } from "ovid";
import { z } from "zod";
import { answersMs, type Decision, logMax, protocol } from "./protocol.ts";

type CoordinatorContext = Context<
  unknown,
  typeof protocol,
  "participants",
  "answers",
  never,
  "terminal"
>;

interface Coordinator {
  /** Who has answered, for each transaction that is not decided. */
  readonly underWay: Map<string, { readonly answered: Set<AgentId> }>;
}

export default defineAgent({
  type: "coordinator",
  version: 1,
  doc: "Commits the transactions that are typed, if all participants vote for them.",
  attrs: z.strictObject({}),
  protocol,
  routes: ["participants"],
  timers: ["answers"],
  devices: ["terminal"],
  init: (): Coordinator => ({ underWay: new Map() }),
  on: {
    vote(state, { transaction, yes }, ctx) {
      const it = state.underWay.get(transaction);
      if (it === undefined) return;
      if (!yes) return decide(state, ctx, transaction, "aborted");
      it.answered.add(ctx.from);
      if (it.answered.size < ctx.targets("participants").length) return;
      decide(state, ctx, transaction, "committed");
    },
  },
  onTimer: {
    // Section 7.4: who has not voted may say no, so that all may.
    answers: (state, ctx, transaction = "") => decide(state, ctx, transaction, "aborted"),
  },
  onDevice: {
    terminal(state, event, ctx) {
      if (event.type === "eof") return ctx.stop();
      const transaction = event.text;
      if (state.underWay.has(transaction) || state.underWay.size >= logMax) return;
      state.underWay.set(transaction, { answered: new Set() });
      ctx.send("participants", { type: "voteRequest", transaction });
      ctx.setTimer("answers", answersMs, transaction);
    },
  },
});

function decide(
  state: Coordinator,
  ctx: CoordinatorContext,
  transaction: string,
  decision: Decision,
): undefined {
  state.underWay.delete(transaction);
  ctx.clearTimer("answers", transaction);
  ctx.send("participants", { type: "decision", transaction, decision });
  ctx.output("terminal", { type: "print", text: `${transaction} ${decision}` });
  ctx.note(decision, transaction);
}
