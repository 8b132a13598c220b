import { assert, assertEquals } from "@std/assert";
import { agentId } from "../../core/id.ts";
import type { Ballot } from "./protocol.ts";
import { leaseRules } from "./rules.ts";
import { isHigher, isSame, isSameProposer } from "./state.ts";

const a = agentId("a");
const b = agentId("b");
const c = agentId("c");

const ballot = (number: number, node = a, life = 1): Ballot => ({ number, node, life });

Deno.test("majority(): any two of them share an acceptor", () => {
  assertEquals([1, 2, 3, 4, 5, 6, 7].map(leaseRules.majority), [1, 2, 2, 3, 3, 4, 4]);
});

Deno.test("isHigher() orders all ballots that are not the same one, and none before itself", () => {
  const ballots = [ballot(1), ballot(1, b), ballot(1, a, 2), ballot(2), ballot(2, b, 3)];
  for (const x of ballots) {
    for (const y of ballots) {
      assertEquals(Number(isHigher(x, y)) + Number(isHigher(y, x)), isSame(x, y) ? 0 : 1);
    }
  }
  assert(isHigher(ballot(2), ballot(1, b, 9)));
});

Deno.test("isSameProposer(): a node that has started anew is another proposer", () => {
  assert(isSameProposer(ballot(1), ballot(2)));
  assert(!isSameProposer(ballot(1), ballot(1, a, 2)));
  assert(!isSameProposer(ballot(1), ballot(1, b)));
});

Deno.test("countedMs(): the lease less what a slow owner and fast acceptors make of it, in whole milliseconds", () => {
  const { countedMs } = leaseRules;
  assertEquals(countedMs(100, 0), 100);
  assertEquals(countedMs(100, 10_000), 98);
  assertEquals(countedMs(110, 100_000), 90);
  assertEquals(countedMs(1, 10_000), 0);
});

Deno.test("countedFrom(): the asking, however late the acceptance", () => {
  assertEquals(leaseRules.countedFrom({ askedAt: 5, renews: false }, 50), 5);
  assertEquals(leaseRules.countedFrom({ askedAt: 5, renews: true }, 50), 5);
});

Deno.test("firstVoteAt(): one maximum lease after the start", () => {
  assertEquals(leaseRules.firstVoteAt(7, 100), 107);
});

Deno.test("promises: nothing below the highest is promised or accepted, and the highest is remembered", () => {
  const { mayPromise, mayAccept, promisedAfter } = leaseRules;
  for (const may of [mayPromise, mayAccept]) {
    assert(may(undefined, ballot(1)));
    assert(may(ballot(2), ballot(2)));
    assert(may(ballot(2), ballot(3)));
    assert(!may(ballot(2), ballot(1)));
    assert(!may(ballot(2, b), ballot(2, a)));
  }
  assertEquals(promisedAfter(undefined, ballot(1)), ballot(1));
  assertEquals(promisedAfter(ballot(3), ballot(1)), ballot(3));
  assertEquals(promisedAfter(ballot(1), ballot(3)), ballot(3));
});

Deno.test("isOpen() and mayReplace(): for the same life of the same node, whatever the ballot", () => {
  for (const rule of [leaseRules.isOpen, leaseRules.mayReplace]) {
    assert(rule(ballot(5), ballot(6)));
    assert(!rule(ballot(5), ballot(6, b)));
    assert(!rule(ballot(5), ballot(6, a, 2)));
  }
});

Deno.test("acceptedUntil() and isOver(): a lease that is renewed ends no earlier, and is over at its end", () => {
  const { acceptedUntil, isOver } = leaseRules;
  assertEquals(acceptedUntil(10, 100, undefined), 110);
  assertEquals(acceptedUntil(10, 100, { ballot: ballot(1), until: 60 }), 110);
  assertEquals(acceptedUntil(10, 100, { ballot: ballot(1), until: 200 }), 200);
  assertEquals([109, 110, 111].map((now) => isOver({ until: 110 }, now)), [false, true, true]);
});

Deno.test("countAnswer(): an acceptor that answers twice is one acceptor", () => {
  const { countAnswer } = leaseRules;
  assertEquals(countAnswer(countAnswer(countAnswer([], b), c), b), [b, c]);
});

Deno.test("isReleased(): what the proposer has let go, and nothing that it got later", () => {
  const { isReleased } = leaseRules;
  assert(isReleased(ballot(3), ballot(3)));
  assert(isReleased(ballot(2), ballot(3)));
  assert(!isReleased(ballot(4), ballot(3)));
  assert(!isReleased(ballot(3, b), ballot(3)));
  assert(!isReleased(ballot(3, a, 2), ballot(3)));
});
