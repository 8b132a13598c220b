// The coordinator of Two-Phase Commit (Gray, "Notes on Data Base Operating Systems", 1978, section 5.8.3.3): it asks
// all participants to vote, and commits if all of them say yes.

import { type AgentId, type Context, defineAgent } from "ovid";
import { z } from "zod";
import { type Decision, type Entry, entry, logMax, protocol } from "./protocol.ts";

type CoordinatorContext = Context<
  { readonly patienceMs: number },
  typeof protocol,
  "participants",
  "votes",
  Entry,
  "terminal"
>;

interface Coordinator {
  /** Who has said yes, for each transaction that was begun in this life and is not decided. */
  readonly votes: Map<string, Set<AgentId>>;
  readonly decided: Map<string, Decision>;
  readonly durable: { readonly log: ReadonlyMap<string, Entry["state"]> };
}

export default defineAgent({
  type: "coordinator",
  version: 1,
  doc: "Commits the transactions that are typed, if all participants vote for them.",
  attrs: z.strictObject({ patienceMs: z.int().min(1).default(100) }),
  protocol,
  routes: ["participants"],
  timers: ["votes"],
  devices: ["terminal"],
  record: entry,
  durable: () => ({ log: new Map<string, Entry["state"]>() }),
  apply: ({ log }, { transaction, state }) => void log.set(transaction, state),
  init: () => ({
    votes: new Map<string, Set<AgentId>>(),
    decided: new Map<string, Decision>(),
  }),
  start(state, ctx) {
    // Section 7.4: who finds no decision on its disk has told nobody that it commits, and may abort.
    for (const [transaction, where] of [...state.durable.log]) {
      if (where === "begun") decide(state, ctx, transaction, "aborted");
    }
  },
  on: {
    vote(state, { transaction, yes }, ctx) {
      const votes = state.votes.get(transaction);
      if (votes === undefined) return;
      if (!yes) return decide(state, ctx, transaction, "aborted");
      votes.add(ctx.from);
      if (votes.size === ctx.targets("participants").length) {
        decide(state, ctx, transaction, "committed");
      }
    },
    decisionRequest(state, { transaction }, ctx) {
      const decision = state.decided.get(transaction);
      if (decision === undefined) return;
      ctx.reply({ type: "decision", transaction, decision });
    },
  },
  onTimer: {
    // Section 7.4: a vote is missing, and nothing is decided yet, so that it is free to abort.
    votes: (state, ctx, transaction = "") => decide(state, ctx, transaction, "aborted"),
  },
  onDevice: {
    terminal(state, event, ctx) {
      if (event.type === "eof") return ctx.stop();
      const { log } = state.durable;
      const transaction = event.text;
      if (log.has(transaction) || log.size >= logMax) return;
      ctx.append({ transaction, state: "begun" });
      state.votes.set(transaction, new Set());
      ctx.send("participants", { type: "voteRequest", transaction });
      ctx.setTimer("votes", ctx.attrs.patienceMs, transaction);
    },
  },
});

function decide(
  state: Coordinator,
  ctx: CoordinatorContext,
  transaction: string,
  decision: Decision,
): undefined {
  state.decided.set(transaction, decision);
  state.votes.delete(transaction);
  ctx.clearTimer("votes", transaction);
  ctx.send("participants", { type: "decision", transaction, decision });
  ctx.output("terminal", { type: "print", text: `${transaction} ${decision}` });
  ctx.note(decision, transaction);
}
