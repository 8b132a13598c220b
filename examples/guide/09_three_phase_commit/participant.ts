// A participant of Three-Phase Commit. If the coordinator is silent for too long, a participant takes its place, and
// decides by what those know that run. Sections are those of Bernstein, Hadzilacos and Goodman.

import { type AgentId, type Context, defineAgent } from "ovid";
import { z } from "zod";
import { answersMs, type Decision, isDecision, logMax, silenceMs, type State } from "./protocol.ts";
import { type Entry, entry, protocol } from "./protocol.ts";

type ParticipantContext = Context<
  { readonly rank: number },
  typeof protocol,
  "others",
  "silence" | "states" | "acknowledgements",
  Entry,
  "console"
>;

export default defineAgent({
  type: "participant",
  version: 1,
  doc: "Votes on transactions, and decides with the others if nobody tells it.",
  // How many must answer before one in the coordinator's place goes on, itself included.
  attrs: z.strictObject({ rank: z.int().min(1), quorum: z.int().min(1).default(1) }),
  protocol,
  routes: ["others"],
  timers: ["silence", "states", "acknowledgements"],
  devices: ["console"],
  record: entry,
  durable: () => ({ log: new Map<string, State>() }),
  apply: ({ log }, { transaction, state }) => void log.set(transaction, state),
  init: () => ({
    /** What was undecided when it crashed. */
    recovered: new Set<string>(),
    /** For each transaction of which it is the coordinator now, where those stand that run. */
    states: new Map<string, Map<AgentId, State>>(),
  }),
  start(state, ctx) {
    for (const [transaction, where] of state.durable.log) {
      if (!isDecision(where)) state.recovered.add(transaction);
      ctx.output("console", { type: "print", text: `${transaction} ${where}` });
      listen(ctx, transaction, where);
    }
  },
  on: {
    voteRequest({ durable: { log } }, { transaction }, ctx) {
      if (!log.has(transaction) && log.size < logMax) {
        // A die stands for all the reasons that there may be to say no.
        enter(ctx, transaction, ctx.random() < 0.9 ? "uncertain" : "aborted");
      }
      const voted = log.get(transaction) ?? "aborted";
      ctx.reply({ type: "vote", transaction, yes: voted !== "aborted" });
    },
    preCommit({ durable: { log } }, { transaction }, ctx) {
      const where = log.get(transaction) ?? "aborted";
      if (where === "uncertain") enter(ctx, transaction, "precommitted");
      else listen(ctx, transaction, where);
      ctx.reply({ type: "state", transaction, state: log.get(transaction) ?? "aborted" });
    },
    decision({ durable: { log } }, { transaction, decision }, ctx) {
      const where = log.get(transaction);
      if (where !== undefined && !isDecision(where)) enter(ctx, transaction, decision);
    },
    stateRequest({ durable: { log }, recovered }, { transaction }, ctx) {
      // Who has not voted can still say no.
      if (!log.has(transaction) && log.size < logMax) enter(ctx, transaction, "aborted");
      const where = log.get(transaction) ?? "aborted";
      // Section 7.5: while it was down the others may have decided against what it knows.
      if (!isDecision(where) && recovered.has(transaction)) return;
      ctx.reply({ type: "state", transaction, state: where });
    },
    state(state, { transaction, state: theirs }, ctx) {
      const where = state.durable.log.get(transaction);
      if (where === undefined || isDecision(where)) return;
      // Section 7.5, rules TR1 and TR2: what one has decided, all decide.
      if (isDecision(theirs)) decide(ctx, transaction, theirs);
      else state.states.get(transaction)?.set(ctx.from, theirs);
    },
  },
  onTimer: {
    // Ranks stand for an election: who is next waits for longer, and will have heard of who was before.
    silence(state, ctx, transaction = "") {
      ctx.send("others", { type: "stateRequest", transaction });
      if (state.recovered.has(transaction)) return ctx.setTimer("silence", silenceMs, transaction);
      state.states.set(transaction, new Map());
      ctx.setTimer("states", answersMs, transaction);
    },
    states(state, ctx, transaction = "") {
      const where = state.durable.log.get(transaction) ?? "aborted";
      const states = [where, ...state.states.get(transaction)?.values() ?? []];
      state.states.delete(transaction);
      if (states.length < ctx.attrs.quorum) return listen(ctx, transaction, where);
      // Rule TR3: all are uncertain, so that nobody can have committed.
      if (!states.includes("precommitted")) return decide(ctx, transaction, "aborted");
      // Rule TR4: somebody may have committed; all that run must be ready before anybody does.
      if (where === "uncertain") enter(ctx, transaction, "precommitted");
      state.states.set(transaction, new Map());
      ctx.send("others", { type: "preCommit", transaction });
      ctx.setTimer("acknowledgements", answersMs, transaction);
    },
    acknowledgements(state, ctx, transaction = "") {
      const states = [...state.states.get(transaction)?.values() ?? []];
      const acknowledged = states.filter((theirs) => theirs === "precommitted");
      state.states.delete(transaction);
      if (1 + acknowledged.length >= ctx.attrs.quorum) decide(ctx, transaction, "committed");
      else listen(ctx, transaction, "precommitted");
    },
  },
});

function decide(ctx: ParticipantContext, transaction: string, decision: Decision): undefined {
  enter(ctx, transaction, decision);
  ctx.send("others", { type: "decision", transaction, decision });
}

function enter(ctx: ParticipantContext, transaction: string, state: State): void {
  ctx.append({ transaction, state });
  ctx.output("console", { type: "print", text: `${transaction} ${state}` });
  listen(ctx, transaction, state);
}

/** Listens for silence, from now on and until it is decided. */
function listen(ctx: ParticipantContext, transaction: string, state: State): undefined {
  for (const timer of ["silence", "states", "acknowledgements"] as const) {
    ctx.clearTimer(timer, transaction);
  }
  if (!isDecision(state)) ctx.setTimer("silence", ctx.attrs.rank * silenceMs, transaction);
}
