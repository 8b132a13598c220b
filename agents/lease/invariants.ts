// What holds between any two steps of a proposer, whatever happens to it and around it. What acceptors owe, the
// simulator judges from outside, in true time.

import { assert } from "../../core/error.ts";
import { nodesMax } from "./protocol.ts";
import type { LeaseState } from "./state.ts";

/** @throws {Error} if an invariant of {@linkcode LeaseState} is broken. */
export function checkLease({ proposer }: LeaseState): void {
  const { attempt, owned, wants, life, number } = proposer;
  assert(owned === undefined || wants, "who does not want the lease has given it up");
  assert(attempt === undefined || wants, "who does not want the lease does not ask for it");
  assert(owned === undefined || owned.ballot.life === life, "a lease is owned in one life");
  assert(owned === undefined || owned.ballot.number <= number, "a ballot that won was used");
  assert(Number.isSafeInteger(number), "there are ballot numbers left");
  if (attempt === undefined) return;
  assert(attempt.ballot.number <= number && attempt.ballot.life === life, "an attempt is its own");
  assert(attempt.held.size <= nodesMax && attempt.refused.size <= nodesMax, "nodes have a limit");
}
