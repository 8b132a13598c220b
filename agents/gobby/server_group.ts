// What a master asks of the group, one thing at a time: while one batch is under way, what comes gathers for the next.

import type { DeepReadonly } from "../../core/data.ts";
import { begin, end, follow, newClock, putBack } from "./server_clock.ts";
import type { ServerMessage } from "./protocol.ts";
import { tellSeekers } from "./server_seekers.ts";
import {
  type Asked,
  batchCallsMax,
  batchLengthMax,
  type Part,
  type ServerState,
  type ServerStep,
  speak,
} from "./server_state.ts";
import { fallBehind, fetches, takeFetched, tell } from "./server_watches.ts";
import {
  readServiceResult,
  type ServiceAnswer,
  type ServiceCall,
  type ServiceOperation,
  type ServiceOutcome,
  type ServiceResult,
} from "./service_operation.ts";

/** How many events are read at a time by a master that has missed some. */
const eventsMax = 256;

/** How many characters a call has besides its operation, at most: names are short. */
const callOverhead = 1000;

/** Asks the group for whatever comes next, unless it is being asked. */
export function pump(step: ServerStep): void {
  const { state, ctx } = step;
  if (state.underWay !== undefined || !step.rules.mayAnswer(step.ownsLease())) return;
  switch (state.phase) {
    case "none":
      // Whatever an earlier master has begun is over before this one serves anybody.
      state.phase = "beginning";
      wantLeader(step);
      return ask(step, { kind: "beginTerm" }, { kind: "beginTerm", master: ctx.self });
    case "beginning":
      return ask(step, { kind: "beginTerm" }, { kind: "beginTerm", master: ctx.self });
    case "reading": {
      const { skip } = state.read;
      return ask(step, { kind: "deadlines", skip }, { kind: "deadlines", term: state.term, skip });
    }
    case "serving":
      if (state.behind) {
        const from = state.revision + 1;
        const target = { kind: "all" as const };
        return ask(step, { kind: "events" }, { kind: "events", target, from, limit: eventsMax });
      }
      return askBatch(step);
  }
}

/**
 * For how long the group's leader may be on another box than the master. Whoever was preferred to this one had a
 * reason, and would have it again if it were asked for at once.
 */
const leaderMs = 3000;

/**
 * The group is led from the master's box, if its replica will: a leader elsewhere would cost each batch a way there
 * and back, and leave this box's copy of the state behind.
 */
export function wantLeader({ state, ctx }: ServerStep): void {
  const { replica } = ctx.attrs;
  if (replica === undefined || ctx.now < state.leaderWantedAt) return;
  state.leaderWantedAt = ctx.now + leaderMs;
  ctx.sendTo(replica, { type: "lead" });
}

function ask(
  { state, ctx }: ServerStep,
  asked: Asked,
  operation: DeepReadonly<ServiceOperation>,
): void {
  const id = ++state.asked;
  state.underWay = { ...asked, id };
  const command = { kind: "apply" as const, operation };
  // Whoever kept the group for the last master may have gone with it.
  const urgent = asked.kind === "beginTerm";
  ctx.sendTo(ctx.attrs.group, { type: "invoke", id, command, urgent });
  ctx.setTimer("group", ctx.attrs.groupMs);
}

/** The group's client has not answered in its time: it never heard the question, or nobody its answer. */
export function onSilence(step: ServerStep): void {
  const { underWay } = step.state;
  if (underWay === undefined) return;
  const outcome = { kind: "failed" as const, certain: false, why: "its client is silent" };
  onResult(step, { type: "result", id: underWay.id, outcome });
}

function askBatch(step: ServerStep): void {
  const { state } = step;
  const parts: Part[] = [];
  const calls: WantedCall[] = [];
  let length = 0;
  for (const { part, call, cost } of wanted(state, step.ctx.now)) {
    if (calls.length >= batchCallsMax) break;
    if (calls.length > 0 && length + cost > batchLengthMax) break;
    parts.push(part);
    calls.push(call);
    length += cost;
  }
  if (calls.length === 0) return;
  for (const part of parts) {
    const timed = part.kind === "timed" ? state.clock.timed.get(part.name) : undefined;
    if (timed !== undefined) timed.askedFor = true;
  }
  ask(step, { kind: "batch", parts }, { kind: "batch", term: state.term, calls });
}

type WantedCall = DeepReadonly<ServiceCall>;

interface Wanted {
  readonly part: Part;
  readonly call: WantedCall;
  readonly cost: number;
}

/** All that could be in the next batch, in order. */
function* wanted(state: ServerState, now: number): Generator<Wanted> {
  const cost = callOverhead;
  for (const session of state.renewals.keys()) {
    const call: WantedCall = { kind: "own", operation: { kind: "renewSession", session } };
    yield { part: { kind: "renewal", session }, call, cost };
  }
  for (const name of state.due) {
    const timed = state.clock.timed.get(name);
    // It has ended or begun anew since it was due.
    if (timed === undefined || timed.at > now) {
      state.due.delete(name);
      putBack(state.clock, name);
      continue;
    }
    const call: WantedCall = { kind: "own", operation: timed.operation };
    yield { part: { kind: "timed", name }, call, cost: 2 * callOverhead };
  }
  for (const [client, { request, seat, operation, length, byLog }] of state.waiting) {
    if (!byLog) continue;
    const part: Part = { kind: "client", client, request };
    const call: WantedCall = operation === undefined
      ? { kind: "open", client }
      : { kind: "request", client, seat, request, operation: operation };
    yield { part, call, cost: cost + length };
  }
  for (const { part, call } of fetches(state)) yield { part, call, cost };
}

/** Takes what came of a question to the group. */
export function onResult(step: ServerStep, { id, outcome }: ServerMessage<"result">): void {
  const { state, ctx } = step;
  const { underWay } = state;
  if (underWay === undefined || underWay.id !== id) return;
  state.underWay = undefined;
  ctx.clearTimer("group");
  if (outcome.kind !== "applied") {
    // Nothing that was asked is lost: the next batch has it again.
    const why = outcome.kind === "failed" ? outcome.why : "the group does not carry out operations";
    ctx.note("gobby.group_failed", { why });
    if (++state.failures >= ctx.attrs.failures) step.rest("the group does not answer");
    return;
  }
  state.failures = 0;
  const result = readServiceResult(outcome.result);
  if (result === undefined) return step.rest("the group is not one of gobby_service");
  take(step, underWay, result);
}

function take(step: ServerStep, asked: Asked, result: ServiceResult): void {
  const { state, ctx } = step;
  if ("place" in result) state.place = Math.max(state.place, result.place);
  if (result.kind === "deposed") {
    ctx.note("gobby.deposed", { term: state.term, by: result.term });
    return step.rest("there is another master");
  }
  if (asked.kind === "beginTerm" && result.kind === "termBegun") {
    state.term = result.term;
    ctx.note("gobby.term_begun", { term: state.term });
    return readAnew(step);
  }
  if (asked.kind === "deadlines" && result.kind === "deadlines") {
    return takeDeadlines(step, asked.skip, result);
  }
  if (asked.kind === "events") {
    if (result.kind === "events") return takeEvents(step, result);
    // What it has missed is no longer known: it begins with what there is.
    if (result.kind === "refused") return readAnew(step);
  }
  if (asked.kind === "batch" && result.kind === "batch") {
    return takeBatch(step, asked.parts, result);
  }
  step.rest("the group is not one of gobby_service");
}

function readAnew({ state }: ServerStep): void {
  // What has happened since the revision that it knows is in the history, if anywhere.
  fallBehind(state);
  state.phase = "reading";
  state.read = { skip: 0, revision: 0 };
  state.clock = newClock();
  state.due.clear();
}

function takeDeadlines(
  step: ServerStep,
  skip: number,
  { deadlines, next, revision }: ServiceOutcome<"deadlines">,
): void {
  const { state, ctx, rules } = step;
  // Only this master changes anything now, but for what it has asked before and not heard of.
  if (skip > 0 && revision !== state.read.revision) return readAnew(step);
  for (const deadline of deadlines) {
    const ms = deadline.operation.kind === "expireSession"
      ? rules.timeUnderNewMaster(deadline.ms)
      : deadline.ms;
    begin(state.clock, { operation: deadline.operation, ms }, ctx.now);
  }
  state.read = { skip: next ?? 0, revision };
  if (next !== null) return;
  state.revision = revision;
  state.behind = false;
  state.phase = "serving";
  tellSeekers(step);
  ctx.note("gobby.serves", { term: state.term, revision });
}

function takeEvents(step: ServerStep, { events, next }: ServiceOutcome<"events">): void {
  const { state } = step;
  const before = state.revision;
  state.revision = next - 1;
  learn(step, before, events);
  // It is asked once more, unless nothing came: what is still to come cannot be told from what was asked before.
  state.behind = events.length > 0;
}

function learn(
  step: ServerStep,
  before: number,
  events: ServiceOutcome<"events">["events"],
): void {
  const { state, ctx: { now } } = step;
  const { term } = state;
  for (const event of events) follow(state.clock, event, { term, now });
  tell(step, before, events);
}

function takeBatch(
  step: ServerStep,
  parts: readonly Part[],
  { answers, before, after, events }: ServiceOutcome<"batch">,
): void {
  const { state } = step;
  // A batch of which nothing was heard was carried out all the same.
  if (before !== state.revision || events === null) state.behind = true;
  else {
    state.revision = after;
    learn(step, before, events);
  }
  for (const [index, part] of parts.entries()) {
    const answer = answers[index];
    if (answer !== undefined) takeAnswer(step, part, answer);
    else if (part.kind === "timed") {
      const timed = state.clock.timed.get(part.name);
      if (timed !== undefined) timed.askedFor = false;
    }
  }
}

function takeAnswer(step: ServerStep, part: Part, answer: ServiceAnswer): void {
  const { state, ctx } = step;
  switch (part.kind) {
    case "client": {
      const waiting = state.waiting.get(part.client);
      if (waiting === undefined || waiting.request !== part.request) return;
      state.waiting.delete(part.client);
      if (answer.kind === "done" && answer.repeated) ctx.note("gobby.repeated", { ...part });
      const { client, request } = part;
      return speak(step, waiting.from, { type: "reply", client, request, outcome: answer });
    }
    case "timed": {
      state.due.delete(part.name);
      const timed = state.clock.timed.get(part.name);
      // It is timed anew, or what it was for has gone.
      if (timed?.askedFor === false) return putBack(state.clock, part.name);
      return end(state.clock, part.name);
    }
    case "renewal": {
      const renewal = state.renewals.get(part.session);
      state.renewals.delete(part.session);
      if (renewal === undefined || answer.kind !== "done") return;
      const ended = answer.result.kind !== "session";
      const { client, number } = renewal;
      const { session } = part;
      return speak(step, renewal.from, { type: "keptAlive", client, session, number, ended });
    }
    case "watch":
      return takeFetched(step, part, answer);
  }
}
