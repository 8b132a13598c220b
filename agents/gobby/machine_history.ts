// The latest events, so that whoever watches can go on where it was, also at another replica and after a restart.
// Every replica keeps the same ones.

import { type GobbyEvent, isKeyEvent, keyOfEvent } from "./machine_event.ts";
import { entryOverhead, type GobbyLimits } from "./machine_limits.ts";
import type { EventTarget } from "./machine_operation.ts";
import { countBefore } from "./machine_order.ts";
import type { GobbyOutcome, Refusal } from "./machine_result.ts";
import type { GobbyState, GobbyView } from "./machine_state.ts";

/** Notes an event of the revision that is under way, or begins the next one. */
export function record(state: GobbyState, event: GobbyEvent): void {
  state.revision = event.revision;
  state.history.events.push(event);
  state.history.length += lengthOf(event);
}

/** What an event costs. */
export function lengthOf(event: GobbyEvent): number {
  const value = event.kind === "keyStored" ? event.entry.value.length : 0;
  return (keyOfEvent(event)?.length ?? 0) + value + entryOverhead;
}

/** The most characters that the JSON of an event has besides those of the texts that users choose. */
const jsonOverhead = 200;

/** A number of characters that the JSON of events does not exceed, at a fraction of the price of the exact one. */
export function jsonLengthAtMost(events: readonly GobbyEvent[]): number {
  let length = 2;
  for (const event of events) {
    const name = event.kind === "sessionOpened"
      ? event.client
      : event.kind === "termBegun"
      ? event.master
      : "";
    // Each character may have to be written as \uXXXX.
    length += jsonOverhead + 6 * (lengthOf(event) + name.length);
  }
  return length;
}

/** Forgets the oldest revisions if there are more events than `limits` allows. */
export function trimHistory(state: GobbyState, limits: GobbyLimits): void {
  const { events, length } = state.history;
  if (events.length <= limits.historyEvents && length <= limits.historyLength) return;
  // Down to seven eighths, so that few changes pay for the moving.
  const eventsMax = limits.historyEvents - (limits.historyEvents >>> 3);
  const lengthMax = limits.historyLength - (limits.historyLength >>> 3);
  let left = length;
  let oldest = state.history.oldest;
  for (let index = 0; index < events.length; index++) {
    if (events.length - index <= eventsMax && left <= lengthMax) break;
    const event = events[index];
    if (event === undefined) break;
    left -= lengthOf(event);
    oldest = event.revision + 1;
  }
  forgetBefore(state, oldest);
}

/** Forgets the events before a revision. */
export function forgetBefore(state: GobbyState, revision: number): void {
  const { history } = state;
  if (revision <= history.oldest) return;
  const forgotten = history.events.splice(0, indexOf(state, revision));
  for (const event of forgotten) history.length -= lengthOf(event);
  history.oldest = revision;
}

/** Where the events of a revision begin. */
function indexOf({ history: { events } }: GobbyView, revision: number): number {
  return countBefore(events.length, (index) => (events[index]?.revision ?? 0) < revision);
}

/** What is asked of {@linkcode eventsSince}. */
export interface EventQuery {
  readonly target: EventTarget;
  /** The first revision whose events are wanted. */
  readonly from: number;
  /** After so many events it ends with the revision that it is at. */
  readonly limit: number;
  /** After so many characters, too. */
  readonly lengthMax: number;
}

/**
 * The events of `target` from a revision on, in order, and the revision to go on from; or a refusal that names the
 * oldest revision left. A revision is told whole or not at all, so that `next` neither leaves out nor repeats any.
 */
export function eventsSince(
  state: GobbyView,
  { target, from, limit, lengthMax }: EventQuery,
): GobbyOutcome<"events"> | Refusal {
  const { events, oldest } = state.history;
  if (from < oldest) return { kind: "refused", why: "compacted", from, oldest };
  const found: GobbyEvent[] = [];
  let length = 0;
  let told = 0;
  for (let index = indexOf(state, from); index < events.length; index++) {
    const event = events[index];
    if (event === undefined || !isOf(event, target)) continue;
    if (event.revision !== told && (found.length >= limit || length >= lengthMax)) {
      return { kind: "events", events: found, next: event.revision };
    }
    told = event.revision;
    found.push(event);
    length += lengthOf(event);
  }
  return { kind: "events", events: found, next: Math.max(from, state.revision + 1) };
}

/** Whether an event is one of those that are asked for. */
export function isOf(event: GobbyEvent, target: EventTarget): boolean {
  switch (target.kind) {
    case "all":
      return true;
    case "session":
      return event.kind === "keyStored"
        ? event.entry.session === target.session
        : "session" in event && event.session === target.session;
    case "key":
    case "prefix": {
      const key = keyOfEvent(event);
      if (key === undefined) return false;
      if (target.only !== undefined && (target.only === "keys") !== isKeyEvent(event)) return false;
      return target.kind === "key" ? key === target.key : key.startsWith(target.prefix);
    }
  }
}
