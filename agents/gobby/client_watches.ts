// A client's watches: it knows of each which revisions have arrived, and goes on from there at whoever is the master.

import type { AgentId } from "../../core/id.ts";
import type { GobbyEvent } from "./machine_event.ts";
import { type ClientStep, type ClientWatch, seek } from "./client_state.ts";
import type { ClientMessage } from "./protocol.ts";

/** Begins a watch, and gives its number. */
export function openWatch(step: ClientStep, watch: ClientWatch): number {
  const { state, ctx } = step;
  const number = ++state.watched;
  state.watches.set(number, watch);
  follow(step, number, watch, true);
  if (state.watches.size === 1) ctx.setTimer("refresh", ctx.attrs.refreshMs);
  return number;
}

/** Ends a watch. */
export function closeWatch({ state, ctx }: ClientStep, number: number): void {
  if (!state.watches.delete(number) || state.master === undefined) return;
  ctx.sendTo(state.master, { type: "unfollow", client: state.name, watch: number });
}

/** The watch of a user. */
export function findWatch({ state }: ClientStep, user: AgentId, id: number): number | undefined {
  for (const [number, watch] of state.watches) {
    if (watch.user === user && watch.id === id) return number;
  }
  return undefined;
}

/** Says of all watches how far they have got, to a master that may not know them. */
export function refresh(step: ClientStep): void {
  const { state, ctx } = step;
  if (state.watches.size === 0) return;
  for (const [number, watch] of state.watches) follow(step, number, watch, true);
  // A master that is dead says nothing: whoever is alive does.
  seek(step);
  ctx.setTimer("refresh", ctx.attrs.refreshMs);
}

/** There is a master: it is told what is watched. */
export function resume(step: ClientStep): void {
  for (const [number, watch] of step.state.watches) follow(step, number, watch, true);
}

function follow(
  { state, ctx, rules }: ClientStep,
  number: number,
  { target, oneShot, next }: ClientWatch,
  again: boolean,
): void {
  if (state.master === undefined) return;
  const from = next === null ? null : again ? rules.resumesFrom(next) : next;
  ctx.sendTo(state.master, {
    type: "follow",
    client: state.name,
    watch: number,
    target,
    next: from,
    oneShot,
    again,
  });
}

/** Takes where a watch begins, or how far it has got without anything for it. */
export function onFollowing(
  { state, ctx }: ClientStep,
  { watch: number, next }: ClientMessage<"following">,
): void {
  const watch = state.watches.get(number);
  if (watch === undefined) return;
  if (watch.next === null && watch.user !== null) {
    ctx.sendTo(watch.user, { type: "watching", id: watch.id, from: next });
  }
  watch.next = Math.max(watch.next ?? 0, next);
}

/** Takes events for a watch, and gives those that are new. */
export function takeNews(
  step: ClientStep,
  { watch: number, from, next, events }: ClientMessage<"news">,
): { readonly watch: ClientWatch; readonly events: GobbyEvent[] } | undefined {
  const watch = step.state.watches.get(number);
  // What comes before it is known where the watch begins will be sent again.
  if (watch === undefined || watch.next === null) return undefined;
  if (from > watch.next) {
    // Something before has not arrived.
    follow(step, number, watch, true);
    return undefined;
  }
  const known = watch.next;
  watch.next = Math.max(known, next);
  follow(step, number, watch, false);
  if (next <= known) return undefined;
  const fresh = events.filter(({ revision }) => step.rules.isNews(revision, known));
  return { watch, events: fresh.map((event): GobbyEvent => event) };
}
