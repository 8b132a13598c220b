// What a coordinator and its participants say to each other, and what the participants write down. The words are those
// of Bernstein, Hadzilacos and Goodman, "Concurrency Control and Recovery in Database Systems", 1987, chapter 7.

import { z } from "zod";

const transaction = z.string();
const decision = z.enum(["committed", "aborted"]);
const state = z.enum(["uncertain", "precommitted", "committed", "aborted"]);

export const protocol = {
  voteRequest: z.object({ transaction }),
  vote: z.object({ transaction, yes: z.boolean() }),
  preCommit: z.object({ transaction }),
  decision: z.object({ transaction, decision }),
  // From a participant that takes the coordinator's place, or has crashed; `state` answers it, and `preCommit` too.
  stateRequest: z.object({ transaction }),
  state: z.object({ transaction, state }),
};

export const entry = z.object({ transaction, state });

export type Entry = z.infer<typeof entry>;
export type State = z.infer<typeof state>;
export type Decision = z.infer<typeof decision>;

export function isDecision(state: State | undefined): state is Decision {
  return state === "committed" || state === "aborted";
}

/** How many transactions a log holds, and how many may be under way; who has as many votes no. */
export const logMax = 1000;

/** How long the coordinator, or who is in its place, waits for answers: longer than a message there and back takes. */
export const answersMs = 100;

/** For how long a participant of rank 1 waits in silence before it takes the coordinator's place. */
export const silenceMs = 300;
