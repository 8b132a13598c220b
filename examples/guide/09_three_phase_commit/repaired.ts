// The coordinator of Three-Phase Commit (Skeen, "Nonblocking Commit Protocols", 1981): once all have voted yes it lets
// all of them know that, and commits only then. It needs no disk: if it crashes, the participants decide.

import { type AgentId, type Context, defineAgent } from "ovid";
import { z } from "zod";
import { answersMs, type Decision, isDecision, logMax, protocol } from "./protocol.ts";

type CoordinatorContext = Context<
  { readonly quorum: number },
  typeof protocol,
  "participants",
  "answers",
  never,
  "terminal"
>;

interface Coordinator {
  /** Who has answered, for each transaction that is not decided. */
  readonly underWay: Map<string, { phase: "voting" | "precommitted"; answered: Set<AgentId> }>;
}

export default defineAgent({
  type: "coordinator",
  version: 1,
  doc: "Commits the transactions that are typed, if all participants vote for them.",
  // How many participants must acknowledge before it commits without the others.
  attrs: z.strictObject({ quorum: z.int().min(0).default(0) }),
  protocol,
  routes: ["participants"],
  timers: ["answers"],
  devices: ["terminal"],
  init: (): Coordinator => ({ underWay: new Map() }),
  on: {
    vote(state, { transaction, yes }, ctx) {
      const it = state.underWay.get(transaction);
      if (it?.phase !== "voting") return;
      if (!yes) return decide(state, ctx, transaction, "aborted");
      it.answered.add(ctx.from);
      if (it.answered.size < ctx.targets("participants").length) return;
      it.phase = "precommitted";
      it.answered.clear();
      preCommit(ctx, transaction);
    },
    state(state, { transaction, state: theirs }, ctx) {
      const it = state.underWay.get(transaction);
      if (it?.phase !== "precommitted") return;
      if (isDecision(theirs)) return decide(state, ctx, transaction, theirs);
      it.answered.add(ctx.from);
      if (it.answered.size < ctx.targets("participants").length) return;
      decide(state, ctx, transaction, "committed");
    },
  },
  onTimer: {
    // Section 7.5: who has not voted may say no, so that all may; who does not acknowledge is down, and will ask.
    answers(state, ctx, transaction = "") {
      const it = state.underWay.get(transaction);
      if (it?.phase !== "precommitted") decide(state, ctx, transaction, "aborted");
      else if (it.answered.size < ctx.attrs.quorum) preCommit(ctx, transaction);
      else decide(state, ctx, transaction, "committed");
    },
  },
  onDevice: {
    terminal(state, event, ctx) {
      if (event.type === "eof") return ctx.stop();
      const transaction = event.text;
      if (state.underWay.has(transaction) || state.underWay.size >= logMax) return;
      state.underWay.set(transaction, { phase: "voting", answered: new Set() });
      ctx.send("participants", { type: "voteRequest", transaction });
      ctx.setTimer("answers", answersMs, transaction);
    },
  },
});

function preCommit(ctx: CoordinatorContext, transaction: string): void {
  ctx.send("participants", { type: "preCommit", transaction });
  ctx.setTimer("answers", answersMs, transaction);
}

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
