// The machine that a group replicates for Gobby's servers: Gobby's own machine (machine.ts), the client table that
// makes a request execute at most once, and the rule that only the master of the latest term is obeyed.
//
// What it answers is one result of the group, so that it must fit into one: whatever would grow has a budget here.

import type { Json } from "../../core/data.ts";
import { defineMachine } from "../machine/machine.ts";
import type { AnyMachine } from "../machine/machine.ts";
import { judge, open, type Sessions } from "../machine/sessions.ts";
import { applyGobby, isRead } from "./machine.ts";
import { type Deadline, deadlinesOf } from "./machine_deadlines.ts";
import type { GobbyEvent } from "./machine_event.ts";
import { jsonLengthAtMost } from "./machine_history.ts";
import { type GobbyLimits, gobbyLimits } from "./machine_limits.ts";
import type { GobbyOperation } from "./machine_operation.ts";
import type { GobbyResult } from "./machine_result.ts";
import { type GobbyState, initialState } from "./machine_state.ts";
import { type GobbyRules, gobbyRules } from "./rules.ts";
import {
  type Service,
  type ServiceAnswer,
  type ServiceCall,
  type ServiceOperation,
  serviceOperation,
  type ServiceOutcome,
  type ServiceResult,
  serviceResult,
} from "./service_operation.ts";

/** Once the answers have so many characters, the other calls of a batch have to wait for the next one. */
export const answersLengthMax = 40_000;

/** How many characters one answer may have, or a page of deadlines or events. */
export const answerLengthMax = 80_000;

/** How many characters a whole result may have: less than a group can carry. */
export const resultLengthMax = 140_000;

/** The limits of Gobby where it is replicated: an answer of several entries or events is part of a result. */
export const serviceLimits: GobbyLimits = { ...gobbyLimits, answerLength: 20_000 };

/** What a group keeps for Gobby. */
export interface ServiceState {
  /** The client table. */
  readonly clients: Sessions;
  /** How many seats were given to clients. */
  seats: number;
  /** How many operations were carried out that may have changed something. */
  place: number;
  readonly gobby: GobbyState;
}

/** What a service is made with. */
export interface ServiceOptions {
  /** Every replica must have the same. */
  readonly limits?: GobbyLimits;
  /** Default: the rules of the protocol. A test replaces one to see who notices. */
  readonly rules?: GobbyRules;
}

/** Makes the machine with limits of one's own. */
export function makeGobbyService(options: ServiceOptions = {}): AnyMachine {
  const { limits = serviceLimits, rules = gobbyRules } = options;
  return defineMachine<ServiceState, ServiceOperation, ServiceResult>({
    name: "gobby_service",
    doc: "What gobby_servers keep: Gobby's keys, locks and sessions, and which requests are done.",
    operation: serviceOperation,
    result: serviceResult,
    initial: () => ({ clients: new Map(), seats: 0, place: 0, gobby: initialState() }),
    apply(state, operation) {
      if (!readsOnly(operation)) state.place++;
      switch (operation.kind) {
        case "beginTerm":
          return beginTerm(state, operation, limits);
        case "batch":
          return batch(state, operation, limits, rules);
        case "reads":
          return reads(state, operation, limits);
        case "deadlines":
          return deadlines(state, operation, rules);
        case "events": {
          const result = applyGobby(state.gobby, operation, limits);
          // Reading events gives events or a refusal.
          if (result.kind === "refused") return result;
          const { place } = state;
          return result.kind === "events"
            ? { ...result, place }
            : { kind: "events", events: [], next: operation.from, place };
        }
      }
    },
    isRead: readsOnly,
  });
}

/** The machine `gobby_service`. */
export const gobbyService: AnyMachine = makeGobbyService();

function readsOnly({ kind }: ServiceOperation): boolean {
  return kind === "deadlines" || kind === "events" || kind === "reads";
}

function beginTerm(
  { gobby, place }: ServiceState,
  operation: Service<"beginTerm">,
  limits: GobbyLimits,
): ServiceResult {
  // Whoever asks owns the lease. One that is late deposes a master, who then owns the lease and begins again.
  const result = applyGobby(gobby, { ...operation, after: gobby.term }, limits);
  if (result.kind === "refused") return result;
  return { kind: "termBegun", term: gobby.term, revision: gobby.revision, place };
}

function deposed({ gobby: { term, master } }: ServiceState): ServiceOutcome<"deposed"> {
  return { kind: "deposed", term, master };
}

function batch(
  state: ServiceState,
  { term, calls }: Service<"batch">,
  limits: GobbyLimits,
  rules: GobbyRules,
): ServiceResult {
  if (!rules.isCurrent(term, state.gobby.term)) return deposed(state);
  const before = state.gobby.revision;
  const { answers, length } = answerAll(calls, (call) => carryOut(state, call, limits, rules));
  const { gobby: { revision: after }, place } = state;
  const events = eventsAfter(state.gobby, before, resultLengthMax - length);
  return { kind: "batch", answers, before, after, events, place };
}

function reads(
  { gobby, place }: ServiceState,
  { operations }: Service<"reads">,
  limits: GobbyLimits,
): ServiceResult {
  // What changes something has no business here, where nobody else would do it.
  const { answers } = answerAll(
    operations,
    (operation) =>
      measure(isRead(operation) ? done(applyGobby(gobby, operation, limits)) : { kind: "stale" }),
  );
  return { kind: "reads", answers, term: gobby.term, place };
}

/** Results of a few numbers and no text. */
export const shortResults: ReadonlySet<GobbyResult["kind"]> = new Set([
  ...["stored", "deleted", "keyExpired", "sessionEnded", "termBegun"] as const,
  ...["acquired", "waiting", "released", "waitCancelled", "lockDelayEnded", "compacted"] as const,
]);

/** The most characters that the answer with a short result has as JSON. */
export const shortAnswerLength = 140;

/** An answer, and how many characters it has as JSON, at most. */
interface Measured {
  readonly answer: ServiceAnswer;
  readonly length: number;
}

function measure(answer: ServiceAnswer): Measured {
  const isShort = answer.kind === "done" && shortResults.has(answer.result.kind);
  return { answer, length: isShort ? shortAnswerLength : JSON.stringify(answer).length };
}

/** Answers the first of what is asked, as many as there is room for, which have `length` characters. */
function answerAll<T>(
  asked: readonly T[],
  answerOf: (one: T) => Measured,
): { answers: ServiceAnswer[]; length: number } {
  const answers: ServiceAnswer[] = [];
  let length = 0;
  for (const one of asked) {
    if (length >= answersLengthMax) break;
    const { answer, length: told } = answerOf(one);
    if (told > answerLengthMax) answers.push({ kind: "tooLong", length: told });
    else {
      answers.push(answer);
      length += told;
    }
  }
  return { answers, length };
}

function done(result: GobbyResult): ServiceAnswer {
  return { kind: "done", result, repeated: false };
}

function carryOut(
  state: ServiceState,
  call: ServiceCall,
  limits: GobbyLimits,
  rules: GobbyRules,
): Measured {
  const { clients, gobby } = state;
  if (call.kind === "open") {
    // A client's name is of one life, so that there is but one incarnation.
    const opening = open(clients, call.client, 1, state.seats + 1);
    if (opening.kind === "outlived") return measure({ kind: "expired" });
    state.seats = Math.max(state.seats, opening.session);
    return measure({ kind: "opened", seat: opening.session });
  }
  const { operation } = call;
  const perform = () => done(applyGobby(gobby, operation, limits));
  // A read that is repeated is a read: nothing of it need be remembered.
  if (call.kind === "own" || isRead(operation)) return measure(perform());
  const mark = { client: call.client, session: call.seat, request: call.request };
  const verdict = judge(clients, mark);
  switch (verdict.kind) {
    case "fresh": {
      const answer = perform();
      // An answer is JSON, as its schema says.
      rules.remember(clients, mark, answer as Json);
      return measure(answer);
    }
    case "repeated": {
      const answer = verdict.result as ServiceAnswer;
      return measure(answer.kind === "done" ? { ...answer, repeated: true } : answer);
    }
    case "stale":
    case "expired":
      return measure({ kind: verdict.kind });
  }
}

/** The events after a revision, or null if they are too long, or not all there any more. */
function eventsAfter(
  { history: { events, oldest } }: GobbyState,
  revision: number,
  lengthMax: number,
): GobbyEvent[] | null {
  if (oldest > revision + 1) return null;
  let first = events.length;
  while (first > 0 && (events[first - 1]?.revision ?? 0) > revision) first--;
  const found = events.slice(first);
  // Hardly ever are there so many that their exact length matters.
  return jsonLengthAtMost(found) <= lengthMax || JSON.stringify(found).length <= lengthMax
    ? found
    : null;
}

function deadlines(
  state: ServiceState,
  { term, skip }: Service<"deadlines">,
  rules: GobbyRules,
): ServiceResult {
  if (!rules.isCurrent(term, state.gobby.term)) return deposed(state);
  const { gobby: { revision }, place } = state;
  const all = deadlinesOf(state.gobby);
  const page: Deadline[] = [];
  let length = 0;
  for (const deadline of all.slice(skip)) {
    if (length >= answerLengthMax) break;
    page.push(deadline);
    length += JSON.stringify(deadline).length;
  }
  const next = skip + page.length;
  return {
    kind: "deadlines",
    deadlines: page,
    next: next < all.length ? next : null,
    revision,
    place,
  };
}

/** Whether clients may ask for an operation themselves; the others are for the master alone. */
export function isForClients({ kind }: Pick<GobbyOperation, "kind">): boolean {
  return kind !== "beginTerm" && kind !== "expireSession" && kind !== "expireKey" &&
    kind !== "endLockDelay";
}
