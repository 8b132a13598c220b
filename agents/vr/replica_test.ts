import { assert, assertEquals, assertThrows } from "@std/assert";
import type { AnyMessage } from "../../core/agent.ts";
import type { Json } from "../../core/data.ts";
import { rig } from "../../sim/rig.ts";
import { defineMachine } from "../machine/machine.ts";
import { makeVrClient, vrClientRules } from "./client.ts";
import { operationLengthMax, replicasMax, waitingMax } from "./protocol.ts";
import { makeVrReplica, vrReplica } from "./replica.ts";
import { groupOf, SimulatedGroup } from "./sim_group_test.ts";
import { z } from "zod";

const attrs = { replicas: ["r0", "r1", "r2"], machine: "kv", bootstrap: true };

/** One replica of three, and the test is the others. */
function replica(id = "r0", more: { readonly [name: string]: Json } = {}) {
  const peers = ["r0", "r1", "r2", "r3", "c", "d"];
  const agent = rig(vrReplica, { id, attrs: { ...attrs, ...more }, peers });
  agent.take();
  return agent;
}

const stamp = { epoch: 0, view: 0 };
const put = (value: string) => ({ kind: "apply", operation: { kind: "put", key: "a", value } });
const request = (number: number, command: Json = put(`${number}`)) => ({
  type: "request",
  client: "c",
  session: 1,
  request: number,
  command,
});
const opening = { type: "request", client: "c", session: 0, request: 1, command: { kind: "open" } };
const entry = (view: number, number: number) => {
  const { type: _, ...rest } = request(number);
  return { ...rest, view };
};

type Replica = ReturnType<typeof replica>;

function sentTo(agent: Replica, to: string, type: string): AnyMessage[] {
  return agent.sent.filter((sent) => sent.to === to && sent.message.type === type)
    .map(({ message }) => message);
}

function acknowledge(agent: Replica, op: number): void {
  agent.deliver("r1", { type: "prepareOk", ...stamp, op });
}

/** Opens a session for `c`. */
function open(agent: Replica): void {
  agent.deliver("c", opening);
  acknowledge(agent, 1);
  agent.take();
}

Deno.test("vr_replica: three replicas execute what two clients ask", () => {
  const group = new SimulatedGroup({ replicas: 3, clients: 2, operations: 20, seed: 3n });
  group.world.start();
  group.runUntil(() => group.done === 2, 20_000, "all operations");
  group.runUntil(() => group.converged(), 5_000, "convergence");
  group.checkCounter();
  group.checkAgreement();
  assertEquals(group.calls.filter(({ outcome }) => outcome?.kind === "applied").length, 40);
});

Deno.test("vr_replica: the primary answers when a quorum holds the operation, and not before", () => {
  const agent = replica();
  open(agent);
  agent.deliver("c", request(1));
  assertEquals(sentTo(agent, "r2", "prepare"), [
    { type: "prepare", ...stamp, after: 1, entries: [entry(0, 1)], commit: 1 },
  ]);
  // Neither an old acknowledgement nor one of a stranger counts.
  acknowledge(agent, 1);
  agent.deliver("r3", { type: "prepareOk", ...stamp, op: 2 });
  assertEquals(sentTo(agent, "c", "reply"), []);
  acknowledge(agent, 2);
  const outcome = { kind: "applied", result: { kind: "stored" } };
  const reply = { type: "reply", client: "c", session: 1, request: 1, ...stamp, outcome };
  assertEquals(sentTo(agent, "c", "reply"), [reply]);
  // The second acknowledgement changes nothing; the request, sent again, is answered from the table.
  agent.deliver("r2", { type: "prepareOk", ...stamp, op: 2 });
  agent.deliver("c", request(1));
  assertEquals(sentTo(agent, "c", "reply"), [reply, reply]);
  assertEquals(sentTo(agent, "r2", "prepare").length, 1);
});

Deno.test("vr_replica: a request that is under way is prepared once, and answered to who asked last", () => {
  const agent = replica();
  open(agent);
  agent.deliver("c", request(1));
  agent.deliver("d", request(1));
  assertEquals(sentTo(agent, "r1", "prepare").length, 1);
  acknowledge(agent, 2);
  assertEquals(sentTo(agent, "c", "reply").length, 0);
  assertEquals(sentTo(agent, "d", "reply").length, 1);
});

Deno.test("vr_replica: a backup sends clients to the primary, and says who belongs to the group", () => {
  const agent = replica("r1");
  const group = {
    type: "group",
    ...stamp,
    primary: "r0",
    replicas: attrs.replicas.map((id) => ({ agent: id, incarnation: 0 })),
    incarnation: 0,
  };
  agent.deliver("c", request(1));
  agent.deliver("d", { type: "locate" });
  assertEquals(agent.sent, [{ to: "c", message: group }, { to: "d", message: group }]);
});

Deno.test("vr_replica: a backup acknowledges what it holds, and only what follows without a gap", () => {
  const agent = replica("r1");
  const prepare = { type: "prepare", ...stamp, after: 0, entries: [entry(0, 1)], commit: 0 };
  agent.deliver("r0", prepare);
  agent.deliver("r0", prepare);
  agent.deliver("r2", { ...prepare, after: 1 });
  const ok = { type: "prepareOk", ...stamp, op: 1 };
  assertEquals(agent.sent, [{ to: "r0", message: ok }, { to: "r0", message: ok }]);
  assertEquals(agent.take().appended, [{ kind: "log", entries: [entry(0, 1)] }]);
  agent.deliver("r0", { ...prepare, after: 2, entries: [entry(0, 3)] });
  assertEquals(sentTo(agent, "r0", "getState"), [
    { type: "getState", ...stamp, want: "view", lastNormal: 0, after: 1 },
  ]);
  assertEquals(sentTo(agent, "r0", "prepareOk"), [ok]);
  agent.deliver("r0", {
    type: "newState",
    ...stamp,
    want: "view",
    lastNormal: 0,
    after: 1,
    entries: [entry(0, 2), entry(0, 3)],
    op: 3,
    commit: 2,
  });
  assertEquals(sentTo(agent, "r0", "prepareOk").at(-1), { ...ok, op: 3 });
});

Deno.test("vr_replica: state that comes late, or for another place, does no harm", () => {
  const agent = replica("r1");
  const state = { type: "newState", ...stamp, want: "view", lastNormal: 0, op: 2, commit: 0 };
  agent.deliver("r0", { ...state, after: 0, entries: [entry(0, 1), entry(0, 2)] });
  assertEquals(agent.appended, []);
  agent.deliver("r0", { type: "commit", ...stamp, op: 2, commit: 0 });
  agent.deliver("r0", { ...state, after: 1, entries: [entry(0, 2)] });
  assertEquals(agent.appended, []);
  agent.deliver("r0", { ...state, after: 0, entries: [entry(0, 1), entry(0, 2)] });
  agent.deliver("r0", { ...state, after: 0, entries: [entry(0, 1), entry(0, 2)] });
  assertEquals(agent.appended, [{ kind: "log", entries: [entry(0, 1), entry(0, 2)] }]);
});

Deno.test("vr_replica: a checkpoint that one has begun to send is forgotten when another sends the log", () => {
  const agent = replica("r1");
  agent.deliver("r0", { type: "commit", ...stamp, op: 2, commit: 2 });
  const state = { type: "newState", ...stamp, want: "view", lastNormal: 0, op: 2, commit: 2 };
  const part = { op: 2, offset: 0, length: 900, text: "{" };
  agent.deliver("r0", { ...state, after: 2, entries: [], part });
  assertEquals(sentTo(agent, "r0", "getState").at(-1)?.part, { op: 2, offset: 1 });
  // What does not follow on the part that is there is not taken.
  agent.deliver("r0", { ...state, after: 2, entries: [], part: { ...part, offset: 7 } });
  assertEquals(sentTo(agent, "r0", "getState").length, 2);
  agent.deliver("r2", { ...state, after: 0, entries: [entry(0, 1), entry(0, 2)] });
  assertEquals(agent.appended, [{ kind: "log", entries: [entry(0, 1), entry(0, 2)] }]);
  assertEquals(agent.state.commit, 2);
});

Deno.test("vr_replica: a vote for the view that it is catching up with is no surprise", () => {
  const agent = replica("r2");
  agent.deliver("r1", { type: "commit", epoch: 0, view: 1, op: 4, commit: 4 });
  assertEquals(sentTo(agent, "r1", "getState").length, 1);
  agent.deliver("r0", { type: "startViewChange", epoch: 0, view: 1 });
  agent.deliver("r1", { type: "startViewChange", epoch: 0, view: 1 });
  assertEquals(agent.state.status, "viewChange");
  assert(agent.state.transfer !== undefined);
});

Deno.test("vr_replica: nothing of an earlier view is taken", () => {
  const agent = replica("r2");
  agent.deliver("r1", { type: "startViewChange", epoch: 0, view: 1 });
  agent.take();
  agent.deliver("r0", { type: "prepare", ...stamp, after: 0, entries: [entry(0, 1)], commit: 0 });
  agent.deliver("r0", { type: "commit", ...stamp, op: 1, commit: 1 });
  assertEquals([agent.sent, agent.appended], [[], []]);
});

Deno.test("vr_replica: a vote is on disk before anybody hears of it, and survives", () => {
  const agent = replica("r2");
  agent.deliver("r1", { type: "startViewChange", epoch: 0, view: 4 });
  assertEquals(agent.take().appended, [{ kind: "view", view: 4 }]);
  agent.restart();
  assertEquals(sentTo(agent, "r0", "recovery"), [
    { type: "recovery", epoch: 0, view: 4, nonce: 2 },
  ]);
  // The others have not heard of view 4 yet. It does not go back to theirs.
  agent.deliver("r0", { type: "recoveryResponse", epoch: 0, view: 3, nonce: 1 });
  assertEquals(agent.state.status, "recovering");
  agent.deliver("r0", { type: "recoveryResponse", epoch: 0, view: 3, nonce: 2 });
  assertEquals([agent.state.status, agent.state.view], ["viewChange", 4]);
});

Deno.test("vr_replica: a vote carries the log, the commit-number, and the latest view that was normal", () => {
  const agent = replica("r2");
  agent.deliver("r0", {
    type: "prepare",
    ...stamp,
    after: 0,
    entries: [entry(0, 1), entry(0, 2)],
    commit: 1,
  });
  agent.deliver("r1", { type: "startViewChange", epoch: 0, view: 1 });
  agent.deliver("r0", { type: "startViewChange", epoch: 0, view: 2 });
  agent.deliver("r1", { type: "startViewChange", epoch: 0, view: 4 });
  assertEquals(
    sentTo(agent, "r1", "doViewChange"),
    [1, 4].map((view) => ({
      type: "doViewChange",
      epoch: 0,
      view,
      lastNormal: 0,
      op: 2,
      commit: 1,
      after: 0,
      entries: [entry(0, 1), entry(0, 2)],
    })),
  );
});

Deno.test("vr_replica: an acknowledgement of what the primary does not have ends it", () => {
  const agent = replica();
  assertThrows(
    () => acknowledge(agent, 1),
    Error,
    "r1 holds operation 1 of view 0, and its primary only 0",
  );
  assert(agent.stopped);
});

Deno.test("vr_replica: what no replica would carry out is refused at once, and certainly not done", () => {
  const agent = replica();
  open(agent);
  const outcomeOf = (command: Json) => {
    agent.take();
    agent.deliver("c", request(1, command));
    return sentTo(agent, "c", "reply")[0]?.outcome;
  };
  assertEquals(outcomeOf({ kind: "apply", operation: { kind: "add", amount: 1 } }), {
    kind: "refused",
    why: "the operation is not one of the machine kv",
  });
  const member = { agent: "r1", incarnation: 0 };
  assertEquals(outcomeOf({ kind: "reconfigure", epoch: 0, replicas: [member, member] }), {
    kind: "refused",
    why: "a replica is named twice",
  });
  assertEquals(sentTo(agent, "r1", "prepare"), []);
});

Deno.test("vr_replica: an operation has its limit, from both sides", () => {
  const machine = defineMachine({
    name: "sink",
    doc: "Takes any text.",
    operation: z.string(),
    result: z.null(),
    initial: () => ({}),
    apply: () => null,
    isRead: () => false,
  });
  const definition = makeVrReplica({ machines: new Map([[machine.name, machine]]) });
  const options = { replicas: ["r0"], machine: "sink", bootstrap: true };
  const agent = rig(definition, { id: "r0", attrs: options, peers: ["c"] });
  agent.deliver("c", opening);
  agent.take();
  const frame = JSON.stringify({ kind: "apply", operation: "" }).length;
  const outcomes = [0, 1].map((more) => {
    const operation = "x".repeat(operationLengthMax - frame + more);
    agent.deliver("c", request(1 + more, { kind: "apply", operation }));
    return agent.take().sent.at(-1)?.message.outcome;
  });
  assertEquals(outcomes, [{ kind: "applied", result: null }, {
    kind: "refused",
    why: `the operation has ${
      operationLengthMax + 1
    } characters, want at most ${operationLengthMax}`,
  }]);
});

Deno.test("vr_replica: an answer does not wait for the log of the next PREPARE", () => {
  const agent = replica();
  for (const client of ["c", "d", "e"]) agent.deliver("c", { ...opening, client });
  assertEquals(sentTo(agent, "r1", "prepare").map(({ after }) => after), [0]);
  agent.take();
  acknowledge(agent, 1);
  assertEquals(sentTo(agent, "c", "reply").length, 1);
  assertEquals(agent.appended, []);
  agent.advance(0);
  assertEquals(agent.appended.length, 1);
  const [prepare] = sentTo(agent, "r1", "prepare");
  assertEquals([prepare?.after, prepare?.commit], [1, 1]);
  acknowledge(agent, 3);
  assertEquals(sentTo(agent, "c", "reply").length, 3);
});

Deno.test("vr_replica: so many clients may have something under way, and no more", () => {
  const agent = replica("r0", { batch: { operations: 1, prepares: 1 } });
  const count = () => (agent.state.pending as ReadonlyMap<string, unknown>).size;
  for (let number = 0; number < waitingMax; number++) {
    agent.deliver("c", { ...opening, client: `c${number}` });
  }
  assertEquals(count(), waitingMax);
  agent.take();
  agent.deliver("c", { ...opening, client: "late" });
  assertEquals(count(), waitingMax);
  assertEquals(agent.notes.map(({ event }) => event), ["vr.overloaded"]);
  acknowledge(agent, 1);
  agent.deliver("c", { ...opening, client: "late" });
  assertEquals(count(), waitingMax);
});

Deno.test("vr_replica: a request of a session that nobody knows is not executed", () => {
  const agent = replica();
  agent.deliver("c", request(1));
  acknowledge(agent, 1);
  assertEquals(sentTo(agent, "c", "reply")[0]?.outcome, { kind: "expired" });
});

Deno.test("vr_replica: attrs say what is wrong with them", () => {
  assertThrows(
    () => rig(vrReplica, { attrs: { ...attrs, machine: "kw" } }),
    TypeError,
    "want one of counter, gobby_service, kv",
  );
  assertThrows(
    () => rig(vrReplica, { attrs: { ...attrs, replicas: ["a", "a"] } }),
    TypeError,
    "want each replica once",
  );
  assertThrows(
    () => rig(vrReplica, { attrs: { ...attrs, replicas: [] } }),
    TypeError,
    "attrs.replicas",
  );
});

Deno.test("vr_replica: a group has its limit, from both sides", () => {
  const make = (size: number) => {
    const replicas = Array.from({ length: size }, (_, index) => `r${index}`);
    return rig(vrReplica, { id: "r0", attrs: { ...attrs, replicas }, peers: replicas });
  };
  assertEquals(make(replicasMax).state.status, "normal");
  assertThrows(() => make(replicasMax + 1), TypeError, "attrs.replicas");
});

Deno.test("vr_replica: replies that are mixed up mislead a client that looks at their number alone", () => {
  const tell = (options: Parameters<typeof groupOf>[0]) => {
    const group = groupOf({
      machine: "counter",
      clients: 4,
      operations: 20,
      thinkMs: 0,
      reads: [0],
      ...options,
    });
    group.runFor(2000);
    group.checkCounter();
    assertEquals(group.done, 4);
  };
  const byNumber = makeVrClient({
    ...vrClientRules,
    isAnswer: (reply, { request }) => reply.request === request,
  });
  const rules = { replyKey: ({ request }: { readonly request: number }) => String(request) };
  tell({});
  assertThrows(() => tell({ rules, client: byNumber }), Error, "agree");
});

Deno.test("SimulatedGroup: a replica that commits something else is found out", () => {
  const group = new SimulatedGroup({ replicas: 1, clients: 1, operations: 3, seed: 1n });
  group.world.start();
  group.runUntil(() => group.done === 1, 10_000, "the operations");
  assertThrows(
    () => {
      group.committed[2] = "{}";
      group.world.restart("br0");
      group.runFor(100);
    },
    Error,
    "as operation 2, another had {}",
  );
});
