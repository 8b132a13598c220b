// Who looks for the master and does not find it is told as soon as there is one: a client that had to ask again would
// wait for its back-off, which by then has grown as long as the lease that it waits for.

import type { AgentId } from "../../core/id.ts";
import { type ServerStep, waitingMax } from "./server_state.ts";

/** Remembers one who looks for the master. Who is not remembered has to ask again. */
export function noteSeeker({ state: { seekers }, ctx }: ServerStep, seeker: AgentId): void {
  if (seekers.has(seeker) || seekers.size < waitingMax) seekers.set(seeker, ctx.now);
}

/** This server is the master now. */
export function tellSeekers({ state: { seekers, term }, ctx }: ServerStep): void {
  for (const seeker of seekers.keys()) {
    ctx.sendTo(seeker, { type: "master", mine: true, term, master: ctx.self });
  }
  seekers.clear();
}

/** Forgets those who are silent. */
export function forgetSeekers({ state: { seekers }, ctx }: ServerStep): void {
  for (const [seeker, soughtAt] of seekers) {
    if (ctx.now - soughtAt >= ctx.attrs.watchMs) seekers.delete(seeker);
  }
}
