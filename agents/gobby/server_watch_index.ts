// Which watches an event may be for, found by its key, its session and the beginnings of its key, so that watches of
// other keys cost nothing.

import { type GobbyEvent, keyOfEvent } from "./machine_event.ts";
import type { EventTarget } from "./machine_operation.ts";

/** The names of watches by what they are for. */
export interface WatchIndex {
  readonly all: Set<string>;
  readonly byKey: Map<string, Set<string>>;
  readonly bySession: Map<number, Set<string>>;
  readonly byPrefix: Map<string, Set<string>>;
  /** How many different prefixes have each length: few lengths, however many prefixes. */
  readonly prefixLengths: Map<number, number>;
}

/** An index of no watches. */
export function newWatchIndex(): WatchIndex {
  return {
    all: new Set(),
    byKey: new Map(),
    bySession: new Map(),
    byPrefix: new Map(),
    prefixLengths: new Map(),
  };
}

/** Adds a watch. */
export function indexWatch(index: WatchIndex, name: string, target: EventTarget): void {
  switch (target.kind) {
    case "all":
      index.all.add(name);
      return;
    case "key":
      return addTo(index.byKey, target.key, name);
    case "session":
      return addTo(index.bySession, target.session, name);
    case "prefix": {
      const { prefix } = target;
      if (!index.byPrefix.has(prefix)) count(index, prefix.length, 1);
      return addTo(index.byPrefix, prefix, name);
    }
  }
}

/** Removes a watch. */
export function unindexWatch(index: WatchIndex, name: string, target: EventTarget): void {
  switch (target.kind) {
    case "all":
      index.all.delete(name);
      return;
    case "key":
      return removeFrom(index.byKey, target.key, name);
    case "session":
      return removeFrom(index.bySession, target.session, name);
    case "prefix": {
      const { prefix } = target;
      removeFrom(index.byPrefix, prefix, name);
      if (!index.byPrefix.has(prefix)) count(index, prefix.length, -1);
    }
  }
}

/** The watches that an event may be for: all that it is for, and of their keys some that want other events alone. */
export function* watchersOf(index: WatchIndex, event: GobbyEvent): Generator<string> {
  yield* index.all;
  const session = sessionOf(event);
  if (session !== null) yield* index.bySession.get(session) ?? [];
  const key = keyOfEvent(event);
  if (key === undefined) return;
  yield* index.byKey.get(key) ?? [];
  for (const length of index.prefixLengths.keys()) {
    if (length <= key.length) yield* index.byPrefix.get(key.slice(0, length)) ?? [];
  }
}

function sessionOf(event: GobbyEvent): number | null {
  if (event.kind === "keyStored") return event.entry.session;
  return "session" in event ? event.session : null;
}

function count({ prefixLengths }: WatchIndex, length: number, by: 1 | -1): void {
  const left = (prefixLengths.get(length) ?? 0) + by;
  if (left === 0) prefixLengths.delete(length);
  else prefixLengths.set(length, left);
}

function addTo<K>(index: Map<K, Set<string>>, at: K, name: string): void {
  const names = index.get(at);
  if (names === undefined) index.set(at, new Set([name]));
  else names.add(name);
}

function removeFrom<K>(index: Map<K, Set<string>>, at: K, name: string): void {
  const names = index.get(at);
  names?.delete(name);
  if (names?.size === 0) index.delete(at);
}
