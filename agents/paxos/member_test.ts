import { assert, assertEquals, assertThrows } from "@std/assert";
import type { AnyMessage } from "../../core/agent.ts";
import type { Json } from "../../core/data.ts";
import { rig } from "../../sim/rig.ts";
import { waitingMax } from "../vr/protocol.ts";
import { paxosMember } from "./member.ts";
import { windowMax } from "./protocol.ts";

const attrs = { replicas: ["r0", "r1", "r2"], machine: "kv", bootstrap: true };

/** One member of three, and the test is the others. */
function member(id = "r0", more: { readonly [name: string]: Json } = {}) {
  const peers = ["r0", "r1", "r2", "r3", "c", "d"];
  const agent = rig(paxosMember, { id, attrs: { ...attrs, ...more }, peers });
  if (id !== "r0") agent.take();
  return agent;
}

type Member = ReturnType<typeof member>;

const ballot = (round: number, leader: string) => ({ round, leader });
const own = { epoch: 0, ballot: ballot(1, "r0") };
const put = (value: string) => ({ kind: "apply", operation: { kind: "put", key: "a", value } });
const entry = (number: number, command: Json = put(`${number}`)) => ({
  client: "c",
  session: 1,
  request: number,
  command,
});
const request = (number: number, command?: Json) => ({
  type: "request",
  ...entry(number, command),
});
const opening = { client: "c", session: 0, request: 1, command: { kind: "open" } };

function sentTo(agent: Member, to: string, type: string): AnyMessage[] {
  return agent.sent.filter((sent) => sent.to === to && sent.message.type === type)
    .map(({ message }) => message);
}

const p1b = (more: { readonly [field: string]: Json } = {}) => ({
  type: "p1b",
  ...own,
  asked: own.ballot,
  decided: 0,
  after: 0,
  until: 0,
  more: false,
  pvalues: [],
  ...more,
});
const p2b = (slot: number) => ({ type: "p2b", ...own, asked: own.ballot, slot });
const p2a = (slot: number, round: number, leader: string, value: Json[], decided = 0) => ({
  type: "p2a",
  epoch: 0,
  ballot: ballot(round, leader),
  slot,
  value,
  decided,
});

/** A member that leads, with a session open for `c`. */
function leader(more: { readonly [name: string]: Json } = {}): Member {
  const agent = member("r0", more);
  agent.deliver("r1", p1b());
  agent.deliver("c", { type: "request", ...opening });
  agent.deliver("r1", p2b(1));
  agent.take();
  return agent;
}

Deno.test("paxos_member: the first of the founders has its ballot promised, and leads from then on", () => {
  const agent = member();
  for (const other of ["r1", "r2"]) {
    assertEquals(sentTo(agent, other, "p1a"), [{ type: "p1a", ...own, after: 0 }]);
  }
  assertEquals(agent.appended.map((record) => (record as { kind: string }).kind), [
    "start",
    "promise",
  ]);
  // A stranger's answer is none; the own promise and one more are a quorum of three.
  agent.deliver("r3", p1b());
  assertEquals(agent.notes.some(({ event }) => event === "paxos.leads"), false);
  agent.deliver("r1", p1b());
  assertEquals(agent.notes.some(({ event }) => event === "paxos.leads"), true);
  // Phase 1 is over for all slots to come.
  agent.take();
  agent.deliver("c", { type: "request", ...opening });
  assertEquals(sentTo(agent, "r2", "p2a"), [p2a(1, 1, "r0", [opening])]);
});

Deno.test("paxos_member: a leader answers when a quorum has accepted, and not before", () => {
  const agent = leader();
  agent.deliver("c", request(1));
  assertEquals(sentTo(agent, "r2", "p2a"), [p2a(2, 1, "r0", [entry(1)], 1)]);
  assertEquals(sentTo(agent, "c", "reply"), []);
  // Neither a stranger nor another slot counts, and nobody counts twice.
  agent.deliver("r3", p2b(2));
  agent.deliver("r1", p2b(1));
  assertEquals(sentTo(agent, "c", "reply"), []);
  agent.deliver("r1", p2b(2));
  const reply = {
    type: "reply",
    client: "c",
    session: 1,
    request: 1,
    epoch: 0,
    view: 0,
    outcome: { kind: "applied", result: { kind: "stored" } },
  };
  assertEquals(sentTo(agent, "c", "reply"), [reply]);
  agent.deliver("r2", p2b(2));
  agent.deliver("c", request(1));
  assertEquals(sentTo(agent, "c", "reply"), [reply, reply]);
  assertEquals(sentTo(agent, "r2", "p2a").length, 1);
});

Deno.test("paxos_member: a question is asked again until it is answered, and not after", () => {
  const agent = leader();
  agent.deliver("c", request(1));
  agent.deliver("r1", { ...p2b(2), ballot: ballot(0, "nobody") });
  agent.advance(100);
  assert(sentTo(agent, "r1", "p2a").length > 1);
  agent.deliver("r1", p2b(2));
  agent.take();
  agent.advance(80);
  assertEquals(sentTo(agent, "r2", "p2a"), []);
  assertEquals(sentTo(agent, "r2", "p1a"), []);
});

Deno.test("paxos_member: an acceptor accepts in the latest ballot, and tells others what it has promised", () => {
  const agent = member("r1");
  agent.deliver("r2", { type: "p1a", epoch: 0, ballot: ballot(4, "r2"), after: 0 });
  agent.deliver("r0", p2a(1, 1, "r0", [opening]));
  agent.deliver("r2", p2a(1, 4, "r2", [entry(1)]));
  const answers = agent.sent.filter(({ message }) => message.type === "p2b");
  const answer = { type: "p2b", epoch: 0, ballot: ballot(4, "r2"), slot: 1 };
  assertEquals(answers, [
    { to: "r0", message: { ...answer, asked: ballot(1, "r0") } },
    { to: "r2", message: { ...answer, asked: ballot(4, "r2") } },
  ]);
  assertEquals(agent.appended, [
    { kind: "promise", epoch: 0, ballot: ballot(4, "r2") },
    { kind: "accept", epoch: 0, ballot: ballot(4, "r2"), slot: 1, value: [entry(1)] },
  ]);
});

Deno.test("paxos_member: a promise and what was accepted survive a restart", () => {
  const agent = member("r1");
  agent.deliver("r2", p2a(1, 4, "r2", [entry(1)]));
  agent.restart();
  agent.take();
  agent.deliver("r0", { type: "p1a", epoch: 0, ballot: ballot(3, "r0"), after: 0 });
  agent.deliver("r0", { type: "p1a", epoch: 0, ballot: ballot(5, "r0"), after: 0 });
  const answer = { type: "p1b", epoch: 0, decided: 0, after: 0, more: false };
  assertEquals(sentTo(agent, "r0", "p1b"), [
    { ...answer, ballot: ballot(4, "r2"), asked: ballot(3, "r0"), until: 0, pvalues: [] },
    {
      ...answer,
      ballot: ballot(5, "r0"),
      asked: ballot(5, "r0"),
      until: 1,
      pvalues: [{ slot: 1, ballot: ballot(4, "r2"), value: [entry(1)] }],
    },
  ]);
});

Deno.test("paxos_member: a ballot speaks for its own leader alone", () => {
  const agent = member("r1");
  agent.deliver("r0", { type: "p1a", epoch: 0, ballot: ballot(9, "r2"), after: 0 });
  agent.deliver("r0", p2a(1, 9, "r2", [opening]));
  agent.deliver("r0", { type: "ping", epoch: 0, ballot: ballot(9, "r2"), decided: 0 });
  assertEquals([agent.sent, agent.appended], [[], []]);
});

Deno.test("paxos_member: a leader proposes what the latest ballot may have chosen, and fills the holes", () => {
  const agent = member();
  const pvalues = [
    { slot: 1, ballot: ballot(1, "r2"), value: [entry(7)] },
    { slot: 3, ballot: ballot(0, "nobody"), value: [entry(8)] },
  ];
  agent.deliver("r1", { ...p1b(), until: 3, pvalues });
  assertEquals(sentTo(agent, "r1", "p2a"), [
    p2a(1, 1, "r0", [entry(7)]),
    p2a(2, 1, "r0", []),
    p2a(3, 1, "r0", [entry(8)]),
  ]);
});

Deno.test("paxos_member: an acceptor that reports in parts is heard to the end", () => {
  const agent = member();
  const one = { slot: 1, ballot: ballot(1, "r2"), value: [entry(7)] };
  agent.take();
  agent.deliver("r1", { ...p1b(), until: 1, more: true, pvalues: [one] });
  assertEquals(sentTo(agent, "r1", "p1a"), [{ type: "p1a", ...own, after: 1 }]);
  assertEquals(sentTo(agent, "r1", "p2a"), []);
  // A part that does not follow on what was reported says nothing.
  agent.deliver("r1", { ...p1b(), after: 2, until: 2 });
  assertEquals(sentTo(agent, "r1", "p2a"), []);
  agent.deliver("r1", { ...p1b(), after: 1, until: 1 });
  assertEquals(sentTo(agent, "r1", "p2a"), [p2a(1, 1, "r0", [entry(7)])]);
});

Deno.test("paxos_member: a leader first learns what its quorum knows to be decided", () => {
  const agent = member();
  agent.take();
  agent.deliver("r1", { ...p1b(), decided: 2 });
  assertEquals(agent.sent, [{ to: "r1", message: { type: "learn", epoch: 0, after: 0 } }]);
  agent.deliver("r1", {
    type: "decisions",
    epoch: 0,
    decided: 2,
    window: 16,
    after: 0,
    values: [[opening], [entry(1)]],
  });
  assertEquals(agent.notes.some(({ event }) => event === "paxos.leads"), true);
  agent.deliver("c", request(2));
  assertEquals(sentTo(agent, "r1", "p2a"), [p2a(3, 1, "r0", [entry(2)], 2)]);
});

Deno.test("paxos_member: a late answer of an earlier ballot says nothing, a later one pre-empts", () => {
  const agent = leader();
  agent.deliver("r1", { ...p2b(2), ballot: ballot(0, "r9") });
  agent.deliver("r1", { ...p1b(), ballot: ballot(1, "a") });
  assertEquals(agent.notes, []);
  agent.deliver("r1", { ...p2b(2), ballot: ballot(1, "r2") });
  assertEquals(agent.notes.map(({ event }) => event), ["paxos.preempted"]);
  // It tells clients of the other, and takes nothing more for its own.
  agent.take();
  agent.deliver("c", request(1));
  assertEquals(sentTo(agent, "c", "group").map(({ primary, view }) => [primary, view]), [
    ["r2", 2],
  ]);
});

Deno.test("paxos_member: who refuses an earlier ballot of a leader has not consented to its later one", () => {
  const agent = leader();
  agent.deliver("c", request(1));
  for (const asked of [ballot(0, "r0"), ballot(0, "nobody")]) {
    agent.deliver("r1", { ...p2b(2), asked });
    agent.deliver("r2", { ...p2b(2), asked });
  }
  assertEquals(sentTo(agent, "c", "reply"), []);
  const scout = member();
  scout.deliver("r1", { ...p1b(), asked: ballot(0, "r0") });
  assertEquals(scout.notes.some(({ event }) => event === "paxos.leads"), false);
});

Deno.test("paxos_member: a ping says what is decided, and who lacks it asks for it", () => {
  const agent = member("r1");
  agent.deliver("r0", p2a(1, 1, "r0", [opening]));
  agent.take();
  agent.deliver("r0", { type: "ping", ...own, decided: 1 });
  assertEquals(agent.appended, [{ kind: "decided", to: 1 }]);
  assertEquals(sentTo(agent, "r0", "learn"), []);
  // What was accepted in an earlier ballot need not be what was decided.
  agent.deliver("r0", p2a(2, 1, "r0", [entry(1)]));
  agent.take();
  agent.deliver("r2", { type: "ping", epoch: 0, ballot: ballot(2, "r2"), decided: 2 });
  assertEquals(agent.appended, []);
  assertEquals(sentTo(agent, "r2", "learn"), [{ type: "learn", epoch: 0, after: 1 }]);
  // Nobody answers: it asks the others in turn, without anything being decided meanwhile.
  agent.take();
  agent.advance(90);
  assertEquals(agent.sent.filter(({ message }) => message.type === "learn").length, 2);
  const decisions = { type: "decisions", epoch: 0, decided: 2, window: 16, after: 0 };
  agent.deliver("r0", { ...decisions, after: 2, values: [] });
  agent.deliver("r0", { ...decisions, values: [[opening], [entry(2)]] });
  assertEquals(agent.appended, [{ kind: "learned", values: [[entry(2)]] }]);
  agent.take();
  agent.advance(100);
  assertEquals(agent.sent.filter(({ message }) => message.type === "learn"), []);
});

Deno.test("paxos_member: a snapshot comes in parts, for whoever is behind the log", () => {
  const teacher = leader({ checkpointOperations: 2, keepOperations: 0 });
  teacher.deliver("c", request(1));
  teacher.deliver("r1", p2b(2));
  teacher.take();
  teacher.deliver("r2", { type: "learn", epoch: 0, after: 0 });
  const [answer] = sentTo(teacher, "r2", "decisions");
  const { part } = answer as { part?: { text: string; length: number; slot: number } };
  assert(part !== undefined && part.slot === 2 && part.text.length === part.length);

  const pupil = member("r2");
  pupil.deliver("r0", { type: "ping", ...own, decided: 2 });
  const half = Math.floor(part.length / 2);
  const first = { ...part, offset: 0, text: part.text.slice(0, half) };
  const second = { ...part, offset: half, text: part.text.slice(half) };
  const decisions = { type: "decisions", epoch: 0, decided: 2, window: 16, after: 2, values: [] };
  pupil.deliver("r0", { ...decisions, part: first });
  pupil.deliver("r0", { ...decisions, part: first });
  assertEquals(sentTo(pupil, "r0", "learn").at(-1)?.part, { slot: 2, offset: half });
  assertEquals(pupil.state.executed, 0);
  pupil.deliver("r0", { ...decisions, part: second });
  assertEquals(pupil.state.executed, 2);
  pupil.restart();
  assertEquals(pupil.state.executed, 2);
  assertEquals(pupil.state.application, teacher.state.application);
});

Deno.test("paxos_member: no more slots are under way than the window has", () => {
  const agent = leader({ window: 3, batch: { operations: 1, prepares: 10 } });
  for (let number = 1; number <= 5; number++) {
    agent.deliver("c", { ...request(1), client: `c${number}` });
  }
  const slots = () => sentTo(agent, "r1", "p2a").map(({ slot }) => slot);
  assertEquals(slots(), [2, 3, 4]);
  assert(agent.notes.some(({ event }) => event === "paxos.window_full"));
  // A slot in the middle opens nothing.
  agent.deliver("r1", p2b(3));
  assertEquals(slots(), [2, 3, 4]);
  agent.deliver("r1", p2b(2));
  assertEquals(slots(), [2, 3, 4, 5, 6]);
});

Deno.test("paxos_member: the window is that of the group, and a member of another window ends", () => {
  const agent = member("r1", { window: 8 });
  assertEquals((agent.state.application as { window: number }).window, 8);
  agent.deliver("r0", { type: "ping", ...own, decided: 1 });
  const decisions = { type: "decisions", epoch: 0, decided: 1, after: 0, values: [[opening]] };
  const deliver = () => agent.deliver("r0", { ...decisions, window: 16 });
  assertThrows(deliver, Error, "the window of the group is 16, and that of this member 8");
  assert(agent.stopped);
});

Deno.test("paxos_member: commands that wait share a slot", () => {
  const agent = leader({ batch: { operations: 2, prepares: 1 } });
  for (let number = 1; number <= 4; number++) {
    agent.deliver("c", { ...request(1), client: `c${number}` });
  }
  agent.deliver("r1", p2b(2));
  agent.deliver("r1", p2b(3));
  const batches = sentTo(agent, "r1", "p2a").map(({ value }) => (value as Json[]).length);
  assertEquals(batches, [1, 2, 1]);
});

Deno.test("paxos_member: whoever is too far behind accepts nothing before it has learned", () => {
  const agent = member("r1");
  agent.deliver("r0", p2a(windowMax + 1, 1, "r0", [opening], windowMax));
  assertEquals(sentTo(agent, "r0", "p2b"), []);
  assertEquals(sentTo(agent, "r0", "learn").length, 1);
  agent.deliver("r0", p2a(windowMax, 1, "r0", [opening], 0));
  assertEquals(sentTo(agent, "r0", "p2b").length, 1);
});

Deno.test("paxos_member: an empty disk is not that of the one who is named, and does not vote", () => {
  const agent = member("r1", { bootstrap: false });
  agent.deliver("r0", { type: "p1a", ...own, after: 0 });
  agent.deliver("r0", p2a(1, 1, "r0", [opening]));
  agent.deliver("r0", { type: "ping", ...own, decided: 0 });
  agent.advance(5000);
  assertEquals([agent.sent, agent.appended], [[], []]);
  // It learns all the same, and says which it is now.
  agent.deliver("r0", { type: "ping", ...own, decided: 1 });
  assertEquals(sentTo(agent, "r0", "learn").length, 1);
  agent.deliver("c", { type: "locate" });
  assert(Number(sentTo(agent, "c", "group")[0]?.incarnation) > 0);
});

Deno.test("paxos_member: a silent leader is replaced, and who duels waits longer each time", () => {
  const agent = member("r1");
  agent.advance(119);
  assertEquals(sentTo(agent, "r2", "p1a"), []);
  agent.advance(62);
  assertEquals(sentTo(agent, "r2", "p1a").at(0)?.ballot, ballot(1, "r1"));
  const before = Number(agent.state.backOffMs);
  agent.deliver("r2", p1b({ ballot: ballot(1, "r2") }));
  assertEquals(agent.state.backOffMs, 2 * before);
  assertEquals(agent.state.leader, undefined);
  // While the other one pings it leads, and the back-off shrinks.
  for (let ms = 0; ms < 4000; ms += 20) {
    agent.deliver("r2", { type: "ping", epoch: 0, ballot: ballot(1, "r2"), decided: 0 });
    agent.advance(20);
  }
  assertEquals(agent.state.leader, undefined);
  assertEquals(agent.state.backOffMs, 120);
});

Deno.test("paxos_member: so many clients may have something under way, and no more", () => {
  const agent = leader({ batch: { operations: 1, prepares: 1 } });
  const count = () => (agent.state.pending as ReadonlyMap<string, unknown>).size;
  for (let number = 0; number < waitingMax; number++) {
    agent.deliver("c", { type: "request", ...opening, client: `c${number}` });
  }
  assertEquals(count(), waitingMax);
  agent.take();
  agent.deliver("c", { type: "request", ...opening, client: "late" });
  assertEquals(count(), waitingMax);
  assertEquals(agent.notes.map(({ event }) => event), ["paxos.overloaded"]);
});

Deno.test("paxos_member: attrs are those of a vr_replica, and the window", () => {
  assertThrows(() => rig(paxosMember, { attrs: { ...attrs, machine: "kw" } }), TypeError);
  assertThrows(() => rig(paxosMember, { attrs: { ...attrs, window: 0 } }), TypeError);
  assertThrows(() => rig(paxosMember, { attrs: { ...attrs, window: windowMax + 1 } }), TypeError);
});
