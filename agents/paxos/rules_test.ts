import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type AgentId, agentId } from "../../core/id.ts";
import { type Ballot, bottom, compareBallots, inOrder, isSameBallot, viewOf } from "./ballot.ts";
import type { PValue } from "./protocol.ts";
import { paxosRules } from "./rules.ts";

const {
  quorum,
  pollSize,
  mayPromise,
  mayAccept,
  isPreempted,
  isConsent,
  latest,
  mayLead,
  isInWindow,
  firstSlotAfter,
  announcement,
  isDecision,
  fitting,
  increasedBackOff,
  decreasedBackOff,
  holdsLease,
} = paxosRules;

const ballot = (round: number, leader = "r1"): Ballot => ({ round, leader: agentId(leader) });
const pvalue = (round: number, client: string): PValue => ({
  ballot: ballot(round),
  value: [{ client, session: 1, request: 1, command: { kind: "checkEpoch" } }],
});
const someBallot = fc.record({
  round: fc.integer({ min: 1, max: 3 }),
  leader: fc.constantFrom(...["r1", "r2", "r10"].map(agentId)),
});

Deno.test("compareBallots() goes by the round, then by the leader, and bottom is below all", () => {
  assert(compareBallots(ballot(1, "r9"), ballot(2, "r1")) < 0);
  assert(compareBallots(ballot(2, "r1"), ballot(2, "r2")) < 0);
  assert(compareBallots(bottom, ballot(1, "a")) < 0);
  fc.assert(fc.property(someBallot, someBallot, someBallot, (a, b, c) => {
    assertEquals(isSameBallot(a, b), compareBallots(a, b) === 0);
    assertEquals(Math.sign(compareBallots(a, b)) + Math.sign(compareBallots(b, a)), 0);
    if (compareBallots(a, b) <= 0 && compareBallots(b, c) <= 0) assert(compareBallots(a, c) <= 0);
  }));
});

Deno.test("viewOf() grows with the ballot, and says whose it is", () => {
  const members = inOrder(
    ["r2", "r10", "r1"].map((id) => ({ agent: agentId(id), incarnation: 0 })),
  );
  fc.assert(fc.property(someBallot, someBallot, (a, b) => {
    assertEquals(members[viewOf(a, members) % members.length]?.agent, a.leader);
    assertEquals(
      Math.sign(compareBallots(a, b)),
      Math.sign(viewOf(a, members) - viewOf(b, members)),
    );
    assert(viewOf(bottom, members) <= viewOf(a, members));
  }));
});

Deno.test("quorum() is the smallest of which any two have an acceptor in common", () => {
  for (let size = 1; size <= 31; size++) {
    assert(2 * quorum(size) > size);
    assert(2 * (quorum(size) - 1) <= size);
  }
});

Deno.test("pollSize() counts all acceptors, however few were asked", () => {
  const acceptors = ["r1", "r2", "r3"].map(agentId);
  const asked = new Set<AgentId>(acceptors.slice(0, 1));
  assertEquals(pollSize({ acceptors, asked, answered: asked, askedAt: 0 }), 3);
});

Deno.test("mayPromise() and mayAccept() refuse what is below the promise, and nothing else", () => {
  for (const may of [mayPromise, mayAccept]) {
    assertEquals(may(ballot(2), ballot(2)), true);
    assertEquals(may(ballot(3), ballot(2, "r9")), true);
    assertEquals(may(ballot(2), ballot(2, "r9")), false);
    assertEquals(may(ballot(1, "r9"), ballot(2)), false);
  }
});

Deno.test("isPreempted() is by later ballots alone", () => {
  assertEquals(isPreempted(ballot(2), ballot(2)), false);
  assertEquals(isPreempted(ballot(2), ballot(1, "r9")), false);
  assertEquals(isPreempted(ballot(2), ballot(2, "r9")), true);
});

Deno.test("isConsent() is an answer to this very ballot, by one whose ballot it is", () => {
  const answer = (round: number, asked: number) => ({
    ballot: ballot(round),
    asked: ballot(asked),
  });
  assertEquals(isConsent(ballot(5), answer(5, 5)), true);
  assertEquals(isConsent(ballot(5), answer(5, 3)), false);
  assertEquals(isConsent(ballot(5), answer(6, 5)), false);
  assertEquals(isConsent(ballot(5), answer(3, 3)), false);
});

Deno.test("latest() keeps what was accepted in the latest ballot, in whatever order it comes", () => {
  const [early, late] = [pvalue(1, "ann"), pvalue(2, "bob")];
  assertEquals(latest(undefined, early), early);
  assertEquals(latest(early, late), late);
  assertEquals(latest(late, early), late);
});

Deno.test("latest() finds what was chosen in the reports of any quorum", () => {
  // A quorum has accepted in ballot 2; whoever accepts later, accepts the same.
  const groups = fc.integer({ min: 1, max: 7 }).chain((size) => {
    const all = Array.from({ length: size }, (_, index) => index);
    const ofQuorum = { minLength: quorum(size), maxLength: size };
    return fc.tuple(
      fc.shuffledSubarray(all, ofQuorum),
      fc.shuffledSubarray(all, ofQuorum),
      fc.array(fc.constantFrom(1, 3), { minLength: size, maxLength: size }),
    );
  });
  fc.assert(fc.property(groups, ([holders, reporters, rounds]) => {
    let known: PValue | undefined;
    for (const acceptor of reporters) {
      const round = rounds[acceptor] ?? 1;
      const held = holders.includes(acceptor);
      if (round === 3) known = latest(known, pvalue(3, "chosen"));
      else known = latest(known, held ? pvalue(2, "chosen") : pvalue(1, `${acceptor}`));
    }
    assertEquals(known?.value[0]?.client, "chosen");
  }));
});

Deno.test("mayLead() waits for what any acceptor of the quorum has forgotten", () => {
  assertEquals([3, 4, 5].map((decided) => mayLead(decided, { decided: 4 })), [false, true, true]);
});

Deno.test("isInWindow() and firstSlotAfter() leave no slot to two configurations", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(50), (window, executed) => {
    // A reconfiguration in the next slot is not known yet; nothing is proposed in what it will begin.
    const start = firstSlotAfter(executed + 1, window);
    assert(!isInWindow(start, executed, window));
    assert(isInWindow(start - 1, executed, window));
  }));
});

Deno.test("announcement() says it again", () => {
  assertEquals(announcement(7, 7), 7);
});

Deno.test("isDecision() goes by the leader's own ballot", () => {
  assertEquals(isDecision(ballot(2), ballot(2)), true);
  assertEquals(isDecision(ballot(1), ballot(2)), false);
  assertEquals(isDecision(undefined, ballot(2)), false);
});

Deno.test("fitting() cuts off what is there, and refuses what leaves a gap", () => {
  const values = ["a", "b", "c"].map((client) => pvalue(1, client).value);
  const cut = (decided: number) =>
    fitting(decided, { after: 4, values })?.map(([entry]) => entry?.client);
  assertEquals([4, 5, 7, 9, 3].map(cut), [["a", "b", "c"], ["b", "c"], [], [], undefined]);
});

Deno.test("the back-off doubles up to its most, and falls by steps down to its least", () => {
  assertEquals(increasedBackOff(100, 640), 200);
  assertEquals(increasedBackOff(400, 640), 640);
  assertEquals(decreasedBackOff(400, 100), 300);
  assertEquals(decreasedBackOff(150, 100), 100);
});

Deno.test("holdsLease() needs grants of a quorum, the own one included, that have not ended", () => {
  assertEquals(holdsLease([10, 20], 19, 2), true);
  assertEquals(holdsLease([10, 20], 20, 2), false);
  assertEquals(holdsLease([10, 20], 10, 3), false);
  assertEquals(holdsLease([], 0, 1), true);
});
