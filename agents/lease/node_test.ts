import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import type { AnyMessage } from "../../core/agent.ts";
import { agentId } from "../../core/id.ts";
import { validate } from "../../core/schema.ts";
import { type Rig, rig } from "../../sim/rig.ts";
import { leaseNode } from "./node.ts";
import type { Ballot } from "./protocol.ts";
import type { LeaseState } from "./state.ts";

const times = { leaseMs: 100, maxLeaseMs: 110, renewMs: 40, roundMs: 20, retryMs: 5 };

/** The node n1 of so many, which does not want the lease yet, once its acceptor votes. */
function nodeOf(count = 3, attrs: Parameters<typeof rig>[1] = {}): Rig {
  const nodes = Array.from({ length: count }, (_, index) => `n${index + 1}`);
  const node = rig(leaseNode, {
    id: "n1",
    attrs: { nodes, ...times, clockDriftPpm: 0, wants: false },
    peers: [...nodes, "asker"],
    ...attrs,
  });
  node.advance(times.maxLeaseMs);
  return node;
}

function leaseOf(node: Rig): LeaseState {
  return (node.state as unknown as { readonly lease: LeaseState }).lease;
}

/** The ballot of what the node asks now. */
function ballotOf(node: Rig): Ballot {
  const ballot = leaseOf(node).proposer.attempt?.ballot;
  assert(ballot !== undefined, "the node asks for the lease");
  return ballot;
}

const open = (ballot: Ballot) => ({ type: "prepareResponse", ballot, answer: { kind: "open" } });
const held = (ballot: Ballot, leftMs: number) => ({
  type: "prepareResponse",
  ballot,
  answer: { kind: "held", leftMs, number: 0 },
});
const refused = (ballot: Ballot, number: number) => ({
  type: "prepareResponse",
  ballot,
  answer: { kind: "refused", number },
});
const accepted = (ballot: Ballot, yes = true, number = 0) => ({
  type: "proposeResponse",
  ballot,
  accepted: yes,
  number,
});
const foreign = (number: number, life = 7): Ballot => ({ number, node: agentId("n2"), life });
const prepare = (ballot: Ballot, leaseMs = 100): AnyMessage => ({
  type: "prepareRequest",
  ballot,
  leaseMs,
});
const propose = (ballot: Ballot, leaseMs = 100): AnyMessage => ({
  type: "proposeRequest",
  ballot,
  leaseMs,
});

function own(node: Rig): Ballot {
  node.line("acquire");
  const ballot = ballotOf(node);
  node.deliver("n2", open(ballot));
  node.deliver("n2", accepted(ballot));
  return ballot;
}

function isOwner(node: Rig): boolean {
  node.take();
  node.line("owner");
  return node.printed.at(-1) === "n1";
}

/** What the acceptor says to n2. */
function answers(node: Rig, ...messages: AnyMessage[]): unknown[] {
  node.take();
  for (const message of messages) node.deliver("n2", message);
  return node.take().sent.filter(({ to }) => to === "n2").map(({ message }) =>
    message.type === "prepareResponse"
      ? Reflect.get(Object(message.answer), "kind")
      : message.accepted
  );
}

Deno.test("lease_node: an acceptor that has started is silent for one maximum lease", () => {
  const node = nodeOf();
  node.restart();
  node.advance(times.maxLeaseMs - 1);
  assertEquals(answers(node, prepare(foreign(1)), propose(foreign(1))), []);
  node.advance(1);
  assertEquals(answers(node, prepare(foreign(1)), propose(foreign(1))), ["open", true]);
});

Deno.test("lease_node: owns the lease once a majority is open and has accepted, counted from the asking", () => {
  const node = nodeOf();
  node.line("acquire");
  const ballot = ballotOf(node);
  node.advance(5);
  node.deliver("n3", open(ballot));
  node.advance(5);
  assert(!isOwner(node));
  node.deliver("n3", accepted(ballot));
  assert(isOwner(node));
  assertEquals(leaseOf(node).proposer.owned?.until, times.maxLeaseMs + times.leaseMs);
});

Deno.test("lease_node: counts less by what clocks may be wrong", () => {
  const attrs = { nodes: ["n1", "n2", "n3"], ...times, clockDriftPpm: 100_000, wants: false };
  const node = nodeOf(3, { attrs });
  own(node);
  assertEquals(leaseOf(node).proposer.owned?.until, times.maxLeaseMs + 81);
});

Deno.test("lease_node: two answers of one acceptor are one", () => {
  const node = nodeOf(5);
  node.line("acquire");
  const ballot = ballotOf(node);
  for (let time = 0; time < 3; time++) node.deliver("n2", open(ballot));
  assertEquals(leaseOf(node).proposer.attempt?.phase, "prepare");
  node.deliver("n3", open(ballot));
  for (let time = 0; time < 3; time++) node.deliver("n2", accepted(ballot));
  assert(!isOwner(node));
  node.deliver("n3", accepted(ballot));
  assert(isOwner(node));
});

Deno.test("lease_node: renews its lease, and without answers owns it no longer than it lasts", () => {
  const node = nodeOf();
  const first = own(node);
  node.advance(times.renewMs);
  const second = ballotOf(node);
  assert(second.number > first.number);
  node.deliver("n2", open(second));
  node.deliver("n2", accepted(second));
  assertEquals(leaseOf(node).proposer.owned?.until, 110 + times.renewMs + times.leaseMs);
  node.take();
  node.advance(times.leaseMs - 1);
  assert(isOwner(node));
  node.advance(1);
  assertEquals(node.notes.map(({ event }) => event), ["lease.expired"]);
  assert(!isOwner(node));
});

Deno.test("lease_node: an attempt that took longer than the lease gives nothing", () => {
  const attrs = { nodes: ["n1", "n2", "n3"], ...times, leaseMs: 10, wants: false };
  const node = nodeOf(3, { attrs });
  node.line("acquire");
  const ballot = ballotOf(node);
  node.deliver("n2", open(ballot));
  node.advance(10);
  node.deliver("n2", accepted(ballot));
  assert(!isOwner(node));
});

Deno.test("lease_node: asks again when another's lease has ended, in its turn", () => {
  const node = nodeOf(3, {
    attrs: { nodes: ["n2", "n1", "n3"], ...times, clockDriftPpm: 0, wants: false },
  });
  node.line("acquire");
  const ballot = ballotOf(node);
  node.deliver("n2", held(ballot, 60));
  node.deliver("n3", held(ballot, 50));
  assertEquals(leaseOf(node).proposer.attempt, undefined);
  assertEquals(node.nextTimerMs, 50 + times.retryMs);
});

Deno.test("lease_node: the first turn after a lease has whoever comes next in the order, the last its owner", () => {
  for (const [owner, turns] of [["n3", 0], ["n2", 1]] as const) {
    const node = nodeOf();
    node.deliver(owner, propose({ number: 1, node: agentId(owner), life: 7 }));
    node.line("acquire");
    assertEquals(node.nextTimerMs, 100 + turns * times.retryMs);
  }
});

Deno.test("lease_node: does not wait for the silent once another has said no", () => {
  const node = nodeOf();
  node.line("acquire");
  const ballot = ballotOf(node);
  node.deliver("n2", refused(ballot, 41));
  node.advance(times.retryMs);
  assertNotEquals(leaseOf(node).proposer.attempt?.ballot, ballot);
});

Deno.test("lease_node: outbids at once whoever asks while it holds a lease against it", () => {
  const node = nodeOf();
  node.deliver("n3", propose({ number: 1, node: agentId("n3"), life: 7 }));
  node.deliver("n2", prepare(foreign(41)));
  node.advance(times.leaseMs);
  node.line("acquire");
  assertEquals(ballotOf(node).number, 42);
});

Deno.test("lease_node: outbids what it was refused for", () => {
  const node = nodeOf();
  node.line("acquire");
  const ballot = ballotOf(node);
  node.deliver("n2", refused(ballot, 41));
  node.deliver("n3", refused(ballot, 17));
  assertEquals(node.notes.at(-1)?.event, "lease.preempted");
  node.advance(2 * times.retryMs);
  assertEquals(ballotOf(node).number, 42);
});

Deno.test("lease_node: whom rivals have thwarted has its turn again once one of them has won", () => {
  const node = nodeOf();
  node.line("acquire");
  // Refused again and again, it would pause for up to sixteen times retryMs.
  for (let round = 0; round < 8; round++) {
    while (leaseOf(node).proposer.attempt === undefined) node.advance(1);
    for (const rival of ["n2", "n3"]) node.deliver(rival, refused(ballotOf(node), 100));
  }
  assertEquals(leaseOf(node).proposer.thwarted, 8);
  node.deliver("n2", prepare(foreign(900)));
  node.deliver("n2", propose(foreign(900)));
  assertEquals(leaseOf(node).proposer.thwarted, 0);
  node.deliver("n2", { type: "released", ballot: foreign(900) });
  // Its turn after n2 is the second.
  node.advance(times.retryMs);
  assertEquals(ballotOf(node).number > 900, true);
});

Deno.test("lease_node: gives the lease up, tells the acceptors, and takes no late answer for it", () => {
  const node = nodeOf();
  own(node);
  node.advance(times.renewMs);
  const ballot = ballotOf(node);
  node.take();
  node.line("release");
  const { sent, notes } = node.take();
  assertEquals(sent.map(({ to, message }) => [to, message.type, message.ballot]), [
    ["n2", "released", ballot],
    ["n3", "released", ballot],
  ]);
  assertEquals(notes.map(({ event }) => event), ["lease.released"]);
  node.deliver("n2", open(ballot));
  node.deliver("n2", accepted(ballot));
  assert(!isOwner(node));
  assertEquals(leaseOf(node).acceptor.accepted, undefined);
  assertEquals(node.nextTimerMs, undefined);
});

Deno.test("lease_node: an acceptor keeps its promise", () => {
  const node = nodeOf();
  assertEquals(answers(node, prepare(foreign(5)), prepare(foreign(4)), propose(foreign(4))), [
    "open",
    "refused",
    false,
  ]);
  assertEquals(answers(node, propose(foreign(5)), prepare(foreign(6))), [true, "open"]);
});

Deno.test("lease_node: an acceptor holds a lease against all others until it is over or released", () => {
  const other: Ballot = { number: 9, node: agentId("n3"), life: 1 };
  const node = nodeOf();
  assertEquals(answers(node, propose(foreign(1))), [true]);
  // Another life of the same node is another proposer.
  assertEquals(answers(node, prepare(foreign(2, 8)), propose(foreign(2, 8))), ["held", false]);
  node.deliver("n3", propose(other));
  node.deliver("n3", { type: "released", ballot: other });
  node.deliver("n2", { type: "released", ballot: foreign(2, 8) });
  assertEquals(leaseOf(node).acceptor.accepted?.ballot, foreign(1));
  node.advance(99);
  assertEquals(answers(node, propose(foreign(2, 8))), [false]);
  node.advance(1);
  assertEquals(answers(node, propose(foreign(2, 8))), [true]);
  node.deliver("n2", { type: "released", ballot: foreign(2, 8) });
  assertEquals(leaseOf(node).acceptor.accepted, undefined);
});

Deno.test("lease_node: an acceptor takes no part in leases that are too long, or by strangers, or in another's name", () => {
  const node = nodeOf();
  assertEquals(answers(node, prepare(foreign(1), 111), propose(foreign(1), 111)), []);
  node.take();
  node.deliver("n3", prepare(foreign(1)));
  node.deliver("asker", prepare({ number: 1, node: agentId("asker"), life: 1 }));
  assertEquals(node.sent, []);
});

Deno.test("lease_node: each life has ballots of its own, and owns nothing of the one before", () => {
  const node = nodeOf();
  const before = own(node);
  node.restart();
  assert(!isOwner(node));
  node.line("acquire");
  const after = ballotOf(node);
  assertNotEquals(after.life, before.life);
  node.deliver("n2", open(before));
  node.deliver("n2", accepted(before));
  assertEquals(leaseOf(node).proposer.attempt?.open, []);
});

Deno.test("lease_node: tells who asks it who owns the lease, and whether it is sure", () => {
  const node = nodeOf();
  const ask = () => {
    node.take();
    node.deliver("asker", { type: "locate" });
    return node.take().sent.find(({ to }) => to === "asker")?.message;
  };
  assertEquals(ask(), { type: "owner", owner: null, leftMs: 0, sure: false });
  node.deliver("n2", propose(foreign(1)));
  node.advance(30);
  assertEquals(ask(), { type: "owner", owner: "n2", leftMs: 70, sure: false });
  node.advance(70);
  node.deliver("asker", { type: "acquire" });
  const ballot = ballotOf(node);
  node.deliver("n2", open(ballot));
  node.deliver("n2", accepted(ballot));
  assertEquals(ask(), { type: "owner", owner: "n1", leftMs: 100, sure: true });
  node.deliver("asker", { type: "release" });
  assertEquals(ask(), { type: "owner", owner: null, leftMs: 0, sure: false });
});

Deno.test("lease_node: says what it can be told, and refuses attrs that contradict each other", () => {
  const node = nodeOf();
  node.line("what");
  assertEquals(node.printed, ["want ACQUIRE, RELEASE or OWNER"]);
  const attrs = { nodes: ["n1"], leaseMs: 200, maxLeaseMs: 100 };
  assertEquals(validate(leaseNode.attrs, attrs).ok, false);
  assertEquals(validate(leaseNode.attrs, { ...attrs, maxLeaseMs: 200 }).ok, true);
  assertThrows(() => rig(leaseNode, { id: "n1", attrs: { nodes: ["n1", "n1"] } }), TypeError);
});
