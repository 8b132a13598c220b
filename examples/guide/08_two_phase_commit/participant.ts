// A participant of Two-Phase Commit: it votes, and once it has said yes it is uncertain, until somebody tells it what
// was decided. Sections are those of Bernstein, Hadzilacos and Goodman.

import { type Context, defineAgent } from "ovid";
import { z } from "zod";
import { type Entry, entry, logMax, protocol } from "./protocol.ts";

type ParticipantContext = Context<
  { readonly patienceMs: number },
  typeof protocol,
  "helpers",
  "patience",
  Entry,
  "console"
>;

export default defineAgent({
  type: "participant",
  version: 1,
  doc: "Votes on transactions, and does what is decided.",
  attrs: z.strictObject({ patienceMs: z.int().min(1).default(200) }),
  protocol,
  routes: ["helpers"],
  timers: ["patience"],
  devices: ["console"],
  record: entry,
  durable: () => ({ log: new Map<string, Entry["state"]>() }),
  apply: ({ log }, { transaction, state }) => void log.set(transaction, state),
  init: () => ({}),
  start(state, ctx) {
    for (const [transaction, where] of state.durable.log) show(ctx, transaction, where);
  },
  on: {
    voteRequest(state, { transaction }, ctx) {
      const { log } = state.durable;
      if (!log.has(transaction) && log.size < logMax) {
        // A die stands for all the reasons that there may be to say no.
        enter(ctx, transaction, ctx.random() < 0.9 ? "uncertain" : "aborted");
      }
      const voted = log.get(transaction) ?? "aborted";
      ctx.reply({ type: "vote", transaction, yes: voted !== "aborted" });
    },
    decision(state, { transaction, decision }, ctx) {
      if (state.durable.log.get(transaction) === "uncertain") enter(ctx, transaction, decision);
    },
    decisionRequest(state, { transaction }, ctx) {
      const { log } = state.durable;
      // Section 7.4, cooperative termination: who has not voted can still say no, and who knows tells.
      if (!log.has(transaction) && log.size < logMax) enter(ctx, transaction, "aborted");
      const decision = log.get(transaction) ?? "aborted";
      if (decision !== "committed" && decision !== "aborted") return;
      ctx.reply({ type: "decision", transaction, decision });
    },
  },
  onTimer: {
    patience(_state, ctx, transaction = "") {
      ctx.send("helpers", { type: "decisionRequest", transaction });
      ctx.setTimer("patience", ctx.attrs.patienceMs, transaction);
    },
  },
});

function enter(ctx: ParticipantContext, transaction: string, state: Entry["state"]): void {
  ctx.append({ transaction, state });
  show(ctx, transaction, state);
}

/** Says where a transaction stands, and asks about it for as long as it is uncertain. */
function show(ctx: ParticipantContext, transaction: string, state: Entry["state"]): void {
  ctx.output("console", { type: "print", text: `${transaction} ${state}` });
  if (state === "uncertain") ctx.setTimer("patience", ctx.attrs.patienceMs, transaction);
  else ctx.clearTimer("patience", transaction);
}
