// Watches at the master. No event is kept for them: those of the batch in hand are sent to whoever has all before, and
// whoever has not gets them from the history, through the log. So a watch costs its place in a map, and a slow one, or
// one whose messages are lost, costs nobody but itself.

import type { DeepReadonly } from "../../core/data.ts";
import type { GobbyEvent } from "./machine_event.ts";
import { isOf } from "./machine_history.ts";
import { gobbyLimits } from "./machine_limits.ts";
import type { ServerMessage, WatchEnd } from "./protocol.ts";
import {
  fetchesMax,
  fetchEventsMax,
  isMaster,
  type Part,
  type ServerState,
  type ServerStep,
  speak,
  unheardMax,
  type Watch,
} from "./server_state.ts";
import { indexWatch, unindexWatch, watchersOf } from "./server_watch_index.ts";
import type { ServiceAnswer, ServiceCall } from "./service_operation.ts";

/** Begins a watch, or takes note of how far it has got. */
export function onFollow(step: ServerStep, message: ServerMessage<"follow">): void {
  const { state, ctx } = step;
  // Whoever is not answered looks for the master; and who is behind does not know from where to begin.
  if (!isMaster(step) || state.behind) return;
  const name = watchName(message);
  const known = state.watches.get(name);
  if (known !== undefined) known.next = nextOf(state, name, known, state.revision);
  const watch = known ?? open(step, name, message);
  if (watch === undefined) return;
  watch.from = ctx.from;
  watch.heardAt = ctx.now;
  watch.heard = Math.max(watch.heard, message.next ?? 0);
  watch.unheard = watch.unheard.filter((next) => next > watch.heard);
  if (message.again && watch.unheard.length > 0) {
    watch.next = watch.heard;
    watch.unheard = [];
    watch.told = false;
    ctx.note("gobby.watch_repeated", { name });
  }
  // It may know more than this master has told it, if another one has.
  if (watch.unheard.length === 0) watch.next = Math.max(watch.next, watch.heard);
  if (message.next === null || message.again) {
    const { client, watch: number } = watch;
    // If nothing is on its way to it, it has all but what was not for it, and gets ahead of that.
    const next = watch.unheard.length === 0 ? watch.next : watch.heard;
    speak(step, ctx.from, { type: "following", client, watch: number, next });
  }
  if (wantsPast(state, watch)) state.late.add(name);
}

function open(
  step: ServerStep,
  name: string,
  { client, watch: number, target, next, oneShot }: ServerMessage<"follow">,
): Watch | undefined {
  const { state, ctx } = step;
  const count = state.watchesOf.get(client) ?? 0;
  const limit = count >= gobbyLimits.watchesOfClient
    ? "watchesOfClient"
    : state.watches.size >= gobbyLimits.watches
    ? "watches"
    : undefined;
  if (limit !== undefined) {
    const end = { why: "limit" as const, limit };
    speak(step, ctx.from, { type: "followEnded", client, watch: number, end });
    return undefined;
  }
  const first = next ?? state.revision + 1;
  // By one that was told from where it begins.
  if (next !== null) ctx.note("gobby.watch_resumed", { name, next });
  const watch: Watch = {
    from: ctx.from,
    client,
    watch: number,
    target,
    oneShot,
    next: first,
    heard: first,
    unheard: [],
    told: false,
    heardAt: ctx.now,
  };
  state.watches.set(name, watch);
  indexWatch(state.watchIndex, name, target);
  state.watchesOf.set(client, count + 1);
  return watch;
}

/** Ends a watch that nobody wants any more. */
export function onUnfollow({ state }: ServerStep, message: ServerMessage<"unfollow">): void {
  close(state, watchName(message));
}

/** Forgets the watches of clients that are silent. */
export function sweep({ state, ctx }: ServerStep): void {
  for (const [name, { heardAt }] of state.watches) {
    if (ctx.now - heardAt >= ctx.attrs.watchMs) close(state, name);
  }
}

/** Sends the events of a batch to all whom they are for, and who have all before. */
export function tell(step: ServerStep, before: number, events: readonly GobbyEvent[]): void {
  const { state } = step;
  const after = state.revision;
  for (const [name, wanted] of wantedBy(state, events)) {
    const watch = state.watches.get(name);
    if (watch === undefined || watch.told || state.late.has(name)) continue;
    watch.next = nextOf(state, name, watch, before);
    if (watch.next > after) continue;
    if (watch.unheard.length >= unheardMax) state.late.add(name);
    else send(step, watch, wanted.filter(({ revision }) => revision >= watch.next), after + 1);
  }
}

/** For whom there is anything among these events, and what. */
function wantedBy(
  { watches, watchIndex }: ServerState,
  events: readonly GobbyEvent[],
): Map<string, GobbyEvent[]> {
  const wanted = new Map<string, GobbyEvent[]>();
  for (const event of events) {
    for (const name of watchersOf(watchIndex, event)) {
      const watch = watches.get(name);
      if (watch === undefined || !isOf(event, watch.target)) continue;
      const known = wanted.get(name);
      if (known === undefined) wanted.set(name, [event]);
      else known.push(event);
    }
  }
  return wanted;
}

/** The first revision whose events a watch was not sent, when the server has told all those up to `revision`. */
function nextOf({ late }: ServerState, name: string, watch: Watch, revision: number): number {
  return late.has(name) || watch.told ? watch.next : Math.max(watch.next, revision + 1);
}

/** Lets all watches go on with the history from what they were told. */
export function fallBehind(state: ServerState): void {
  for (const [name, watch] of state.watches) {
    watch.next = nextOf(state, name, watch, state.revision);
    if (!watch.told) state.late.add(name);
  }
}

/** Forgets all watches. */
export function closeAll(state: ServerState): void {
  for (const name of [...state.watches.keys()]) close(state, name);
}

/** What is to be fetched for watches that are behind, a few at a time. */
export function* fetches(
  { late, watches }: ServerState,
): Generator<{ part: Part; call: ServiceCall }> {
  let left = fetchesMax;
  for (const name of late) {
    const watch = watches.get(name);
    if (watch === undefined || watch.told) {
      late.delete(name);
      continue;
    }
    if (watch.unheard.length >= unheardMax) continue;
    if (left-- === 0) return;
    const { target, next: from } = watch;
    const operation = { kind: "events" as const, target, from, limit: fetchEventsMax };
    yield { part: { kind: "watch", name, from }, call: { kind: "own", operation } };
  }
}

/** Takes what was fetched for a watch. */
export function takeFetched(
  step: ServerStep,
  { name, from }: Extract<Part, { kind: "watch" }>,
  answer: ServiceAnswer,
): void {
  const { state, ctx } = step;
  const watch = state.watches.get(name);
  state.late.delete(name);
  if (watch === undefined) return;
  // It has gone back meanwhile.
  if (watch.next !== from) {
    state.late.add(name);
    return;
  }
  const result = answer.kind === "done" ? answer.result : undefined;
  if (result?.kind === "events") {
    send(step, watch, result.events, result.next);
    if (wantsPast(state, watch)) state.late.add(name);
  } else if (result?.kind === "refused" && result.why === "compacted") {
    const { client, watch: number } = watch;
    const end: WatchEnd = { why: "compacted", oldest: result.oldest };
    speak(step, watch.from, { type: "followEnded", client, watch: number, end });
    ctx.note("gobby.watch_compacted", { name, oldest: result.oldest });
    close(state, name);
  } else state.late.add(name);
}

function send(
  step: ServerStep,
  watch: Watch,
  wanted: readonly GobbyEvent[],
  end: number,
): void {
  const first = wanted[0]?.revision;
  const isLast = first !== undefined && step.rules.endsWhenTold(watch.oneShot);
  const events = isLast ? wanted.filter(({ revision }) => revision === first) : wanted;
  const next = isLast ? first + 1 : end;
  const { client, watch: number } = watch;
  watch.next = next;
  if (events.length === 0) return;
  // It goes on from where the client is when all has arrived that is on its way, however long nothing was for it.
  const from = watch.unheard.at(-1) ?? watch.heard;
  watch.told = isLast;
  watch.unheard.push(next);
  speak(step, watch.from, { type: "news", client, watch: number, from, next, events });
}

function wantsPast({ revision }: ServerState, { next, told }: Watch): boolean {
  return !told && next <= revision;
}

function close(state: ServerState, name: string): void {
  const watch = state.watches.get(name);
  if (watch === undefined) return;
  state.watches.delete(name);
  state.late.delete(name);
  unindexWatch(state.watchIndex, name, watch.target);
  const count = (state.watchesOf.get(watch.client) ?? 1) - 1;
  if (count === 0) state.watchesOf.delete(watch.client);
  else state.watchesOf.set(watch.client, count);
}

function watchName({ client, watch }: DeepReadonly<{ client: string; watch: number }>): string {
  return `${client} ${watch}`;
}
