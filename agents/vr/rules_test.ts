import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type AgentId, agentId } from "../../core/id.ts";
import type { Entry } from "./protocol.ts";
import { type Vote, vrRules } from "./rules.ts";

const { quorum, primaryOf, chooseLog, committedOp, fitting, cutLog, holdsLease, isComplete } =
  vrRules;

function members(size: number) {
  return Array.from(
    { length: size },
    (_, index) => ({ agent: agentId(`r${index}`), incarnation: 0 }),
  );
}

function entryOf(view: number, command: Entry["command"] = { kind: "checkEpoch" }): Entry {
  return { client: "c", session: 1, request: 1, view, command };
}

Deno.test("quorum() is the smallest of which any two have a replica in common", () => {
  for (let size = 1; size <= 31; size++) {
    assert(2 * quorum(size) > size);
    assert(2 * (quorum(size) - 1) <= size);
  }
  assertEquals([1, 2, 3, 4, 5].map(quorum), [1, 2, 2, 3, 3]);
});

Deno.test("primaryOf() gives every replica its turn", () => {
  assertEquals([0, 1, 2, 3, 7].map((view) => String(primaryOf(members(3), view))), [
    "r0",
    "r1",
    "r2",
    "r0",
    "r1",
  ]);
});

Deno.test("chooseLog() prefers the latest view that was normal, then the longest log", () => {
  const votes = (list: readonly [number, number][]) =>
    new Map(list.map(([lastNormal, op], index) => [agentId(`r${index}`), { lastNormal, op }]));
  assertEquals(chooseLog(votes([[0, 9], [1, 2], [1, 1]])), agentId("r1"));
  assertEquals(chooseLog(votes([[1, 1], [1, 2], [0, 9]])), agentId("r1"));
  assertEquals(chooseLog(votes([[2, 0], [1, 9]])), agentId("r0"));
  assertEquals(chooseLog(new Map()), undefined);
});

Deno.test("chooseLog() finds every committed operation in the votes of any quorum", () => {
  // In a view whose log a quorum holds up to `op`, everything up to it is committed.
  const groups = fc.integer({ min: 1, max: 7 }).chain((size) => {
    const all = members(size).map(({ agent }) => agent);
    const ofQuorum = { minLength: quorum(size), maxLength: quorum(size) };
    return fc.tuple(fc.shuffledSubarray(all, ofQuorum), fc.shuffledSubarray(all, ofQuorum));
  });
  fc.assert(fc.property(groups, fc.integer({ min: 0, max: 5 }), ([holders, voters], op) => {
    const votes = new Map(voters.map((agent): [AgentId, Vote] => [
      agent,
      holders.includes(agent) ? { lastNormal: 3, op } : { lastNormal: 2, op: op + 10 },
    ]));
    const chosen = chooseLog(votes);
    assert(chosen !== undefined && holders.includes(chosen));
  }));
});

Deno.test("committedOp() is what a quorum holds", () => {
  assertEquals(committedOp([5, 3, 0], 2), 3);
  assertEquals(committedOp([5, 0, 0], 2), 0);
  assertEquals(committedOp([1, 4, 4, 2, 9], 3), 4);
  assertEquals(committedOp([7], 1), 7);
});

Deno.test("fitting() cuts off what is there, and refuses what leaves a gap", () => {
  const entries = [entryOf(1), entryOf(2), entryOf(3)];
  assertEquals(fitting(4, { after: 4, entries }), entries);
  assertEquals(fitting(5, { after: 4, entries })?.map(({ view }) => view), [2, 3]);
  assertEquals(fitting(7, { after: 4, entries }), []);
  assertEquals(fitting(9, { after: 4, entries }), []);
  assertEquals(fitting(3, { after: 4, entries }), undefined);
});

Deno.test("cutLog() counts from the first operation ever, and never below what is there", () => {
  const log = [entryOf(1), entryOf(2), entryOf(3)];
  const cut = (after: number) => cutLog(log, 10, after).map(({ view }) => view);
  assertEquals([13, 12, 11, 10, 9, 0].map(cut), [[1, 2, 3], [1, 2], [1], [], [], []]);
});

Deno.test("holdsLease() needs promises of a quorum, the own one included, that have not ended", () => {
  assertEquals(holdsLease([10, 20], 9, 2), true);
  assertEquals(holdsLease([10, 20], 19, 2), true);
  assertEquals(holdsLease([10, 20], 20, 2), false);
  assertEquals(holdsLease([10, 20], 9, 3), true);
  assertEquals(holdsLease([10, 20], 10, 3), false);
  assertEquals(holdsLease([], 0, 1), true);
});

Deno.test("isComplete() goes by the viewstamp of what ended the epoch", () => {
  const end = entryOf(2, { kind: "reconfigure", epoch: 4, replicas: members(3) });
  const log = [entryOf(1), end];
  const told = { epoch: 5, view: 2, op: 12 };
  assertEquals(isComplete({ base: 10, log }, told), true);
  assertEquals(isComplete({ base: 10, log }, { ...told, view: 3 }), false);
  assertEquals(isComplete({ base: 10, log }, { ...told, op: 11 }), false);
  assertEquals(isComplete({ base: 10, log }, { ...told, op: 13 }), false);
  assertEquals(isComplete({ base: 10, log }, { ...told, epoch: 6 }), false);
});
