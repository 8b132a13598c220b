// What a coordinator and its participants say to each other, and what they write down. The words are those of
// Bernstein, Hadzilacos and Goodman, "Concurrency Control and Recovery in Database Systems", 1987, chapter 7.

import { z } from "zod";

const transaction = z.string();
const decision = z.enum(["committed", "aborted"]);

export const protocol = {
  voteRequest: z.object({ transaction }),
  vote: z.object({ transaction, yes: z.boolean() }),
  decision: z.object({ transaction, decision }),
  decisionRequest: z.object({ transaction }),
};

/** Where a transaction stands with one of them; `initial`, before all of these, is not written down. */
export const entry = z.object({
  transaction,
  state: z.enum(["begun", "uncertain", "committed", "aborted"]),
});

export type Entry = z.infer<typeof entry>;
export type Decision = z.infer<typeof decision>;

/**
 * How many transactions a log holds. Who has a full one begins nothing and votes no: what was decided may be forgotten
 * only once nobody can ask any more, and nobody counts that here.
 */
export const logMax = 1000;
