import { assert, assertEquals, assertThrows } from "@std/assert";
import type { AnyMessage } from "../../core/agent.ts";
import type { Json } from "../../core/data.ts";
import { rig } from "../../sim/rig.ts";
import { callsMax, vrClient } from "./client.ts";

const replicas = ["r0", "r1", "r2"];

function client(more: { readonly [name: string]: Json } = {}) {
  const peers = [...replicas, "r3", "t", "u"];
  const agent = rig(vrClient, { id: "c", attrs: { replicas, ...more }, peers });
  agent.take();
  return agent;
}

type Client = ReturnType<typeof client>;

const noMessage: AnyMessage = { type: "none" };

const get = { kind: "apply", operation: { kind: "get", key: "a" } };

function invoke(agent: Client, id: number, command: Json = get, from = "t"): void {
  agent.deliver(from, { type: "invoke", id, command });
}

function reply(agent: Client, to: AnyMessage | undefined, outcome: Json, view = 0): void {
  const { client, session, request } = to ?? noMessage;
  const from = replicas[view % 3] ?? "";
  agent.deliver(from, { type: "reply", client, session, request, epoch: 0, view, outcome });
}

/** The requests that were sent since the last look, and to whom. */
function requests(agent: Client): { to: string; message: AnyMessage }[] {
  return agent.take().sent.filter(({ message }) => message.type === "request");
}

/** The results that were sent since the last look. */
function results(agent: Client): (Json | undefined)[] {
  return agent.take().sent.filter(({ message }) => message.type === "result")
    .map(({ message }) => message.outcome);
}

/** A client with an open session. */
function opened(more?: { readonly [name: string]: Json }): Client {
  const agent = client(more);
  invoke(agent, 1);
  reply(agent, requests(agent)[0]?.message, { kind: "opened", session: 7 });
  reply(agent, requests(agent)[0]?.message, { kind: "applied", result: null });
  agent.take();
  return agent;
}

const group = (view: number, primary: string, members = replicas, epoch = 0) => ({
  type: "group",
  epoch,
  view,
  primary,
  replicas: members.map((agent) => ({ agent, incarnation: 0 })),
  incarnation: 0,
});

Deno.test("vr_client asks all replicas at once for what is urgent", () => {
  const agent = client();
  agent.deliver("t", { type: "invoke", id: 1, command: get, urgent: true });
  const opening = requests(agent);
  assertEquals(opening.map(({ to }) => to), replicas);
  reply(agent, opening[0]?.message, { kind: "opened", session: 7 });
  assertEquals(requests(agent).map(({ to }) => to), replicas);
});

Deno.test("vr_client opens a session before its first request, and numbers those that follow", () => {
  const agent = client();
  invoke(agent, 1);
  const [opening] = requests(agent);
  assertEquals(opening, {
    to: "r0",
    message: { type: "request", client: "c", session: 0, request: 1, command: { kind: "open" } },
  });
  reply(agent, opening?.message, { kind: "opened", session: 7 });
  const [first] = requests(agent);
  assertEquals(first?.message, {
    type: "request",
    client: "c",
    session: 7,
    request: 1,
    command: get,
  });
  reply(agent, first?.message, { kind: "applied", result: "x" });
  assertEquals(agent.take().sent, [
    { to: "t", message: { type: "result", id: 1, outcome: { kind: "applied", result: "x" } } },
  ]);
  invoke(agent, 2);
  assertEquals(requests(agent)[0]?.message.request, 2);
});

Deno.test("vr_client awaits one answer at a time, and keeps the order of those who ask", () => {
  const agent = opened();
  for (const [index, from] of ["t", "u", "t"].entries()) invoke(agent, index, get, from);
  const asked: string[] = [];
  for (let number = 0; number < 3; number++) {
    const sent = requests(agent);
    assertEquals(sent.length, 1);
    reply(agent, sent[0]?.message, { kind: "applied", result: null });
    asked.push(
      ...agent.sent.filter(({ message }) => message.type === "result").map(({ to }) => to),
    );
  }
  assertEquals(asked, ["t", "u", "t"]);
});

Deno.test("vr_client takes no other reply for the one that it awaits", () => {
  const agent = opened();
  invoke(agent, 2);
  const [sent] = requests(agent);
  const done = { kind: "applied", result: null };
  for (const other of [{ client: "d" }, { session: 6 }, { request: 1 }, { request: 3 }]) {
    reply(agent, sent && { ...sent.message, ...other }, done);
  }
  assertEquals(agent.sent, []);
  reply(agent, sent?.message, done);
  assertEquals(results(agent), [done]);
});

Deno.test("vr_client does not take the session of an earlier life for its own", () => {
  const agent = client();
  invoke(agent, 1);
  const [before] = requests(agent);
  agent.restart();
  agent.take();
  invoke(agent, 1);
  const [opening] = requests(agent);
  assertEquals(opening?.message.request, 2);
  reply(agent, before?.message, { kind: "opened", session: 7 });
  assertEquals(agent.sent, []);
  reply(agent, opening?.message, { kind: "opened", session: 8 });
  assertEquals(requests(agent)[0]?.message.session, 8);
});

Deno.test("vr_client asks all replicas when there is no answer, ever more slowly", () => {
  const agent = opened({ retryMs: 100, retryMsMax: 300 });
  invoke(agent, 2);
  assertEquals(requests(agent).map(({ to }) => to), ["r0"]);
  const waits: number[] = [];
  for (let retry = 0; retry < 5; retry++) {
    const waitMs = agent.nextTimerMs ?? 0;
    waits.push(waitMs);
    agent.advance(waitMs);
    assertEquals(requests(agent).map(({ to }) => to), replicas);
  }
  for (const [index, least] of [100, 150, 225, 300, 300].entries()) {
    const waitMs = waits[index] ?? 0;
    assert(waitMs >= least && waitMs <= 1.5 * least, `${waits}`);
  }
});

Deno.test("vr_client follows whoever knows a later view or epoch, and nobody who does not", () => {
  const agent = opened();
  invoke(agent, 2);
  agent.take();
  agent.deliver("r1", group(2, "r2"));
  assertEquals(requests(agent).map(({ to }) => to), ["r2"]);
  agent.deliver("r0", group(1, "r1"));
  agent.deliver("r0", group(2, "r2"));
  assertEquals(requests(agent), []);
  agent.deliver("r2", group(0, "r3", ["r3"], 1));
  assertEquals(requests(agent).map(({ to }) => to), ["r3"]);
  agent.deliver("r2", group(9, "r0"));
  assertEquals(requests(agent), []);
});

Deno.test("vr_client asks who the group is when a reply comes from a later epoch", () => {
  const agent = opened();
  invoke(agent, 2);
  const [sent] = requests(agent);
  const { client, session, request } = sent?.message ?? noMessage;
  const outcome = { kind: "applied", result: null };
  agent.deliver("r3", { type: "reply", client, session, request, epoch: 1, view: 0, outcome });
  assertEquals(agent.take().sent.map(({ message }) => message.type), ["locate", "result"]);
});

Deno.test("vr_client says whether what failed certainly did not happen", () => {
  const agent = client({ deadlineMs: 1000 });
  invoke(agent, 1);
  agent.advance(999);
  assertEquals(results(agent), []);
  agent.advance(1);
  // Only a session was asked for.
  const why = "no answer within 1000 ms";
  assertEquals(results(agent), [{ kind: "failed", certain: true, why }]);

  const busy = opened({ deadlineMs: 1000 });
  invoke(busy, 2);
  busy.advance(1000);
  assertEquals(results(busy), [{ kind: "failed", certain: false, why }]);
  invoke(busy, 3);
  const [sent] = requests(busy);
  // The number of what failed is not used again: if it still comes about, nothing else did.
  assertEquals(sent?.message.request, 3);
  reply(busy, sent?.message, { kind: "refused", why: "it is Sunday" });
  assertEquals(results(busy), [{ kind: "failed", certain: true, why: "it is Sunday" }]);
});

Deno.test("vr_client opens a new session when the group has forgotten the old one", () => {
  const agent = opened();
  invoke(agent, 2);
  reply(agent, requests(agent)[0]?.message, { kind: "expired" });
  const why = "the session was forgotten by the group";
  assertEquals(results(agent), [{ kind: "failed", certain: false, why }]);
  invoke(agent, 3);
  assertEquals(requests(agent)[0]?.message.command, { kind: "open" });
});

Deno.test("vr_client that has lost its disk becomes a later life than the group knows", () => {
  const agent = client();
  invoke(agent, 1);
  reply(agent, requests(agent)[0]?.message, { kind: "outlived", incarnation: 41 });
  assertEquals(agent.appended, [{ incarnation: 42 }]);
  assertEquals(requests(agent)[0]?.message.request, 42);
});

Deno.test("vr_client lets so many calls wait, and refuses the next", () => {
  const agent = client();
  for (let id = 0; id < callsMax; id++) invoke(agent, id);
  assertEquals(results(agent), []);
  invoke(agent, callsMax);
  const why = `${callsMax} calls are waiting`;
  assertEquals(results(agent), [{ kind: "failed", certain: true, why }]);
});

Deno.test("vr_client finds out the incarnations of the replicas that a group is to have", () => {
  const agent = opened();
  invoke(agent, 2, { kind: "reconfigure", replicas: ["r1", "r3"] });
  assertEquals(agent.take().sent.map(({ to, message }) => [to, message.type]), [
    ["r1", "locate"],
    ["r3", "locate"],
    ["r0", "locate"],
    ["r2", "locate"],
  ]);
  agent.deliver("r3", { ...group(0, "r0", replicas, 0), incarnation: 99 });
  assertEquals(requests(agent), []);
  agent.deliver("r1", group(2, "r3", replicas, 4));
  assertEquals(requests(agent), [{
    to: "r2",
    message: {
      type: "request",
      client: "c",
      session: 7,
      request: 2,
      command: {
        kind: "reconfigure",
        epoch: 4,
        replicas: [{ agent: "r1", incarnation: 0 }, { agent: "r3", incarnation: 99 }],
      },
    },
  }]);
});

Deno.test("vr_client names a replica that is down as what the group takes it for, and a stranger not at all", () => {
  const agent = opened({ deadlineMs: 4000 });
  invoke(agent, 2, { kind: "reconfigure", replicas: ["r1", "r2"] });
  agent.deliver("r1", group(0, "r0"));
  agent.advance(1900);
  assertEquals(requests(agent), []);
  agent.advance(300);
  const command = { kind: "reconfigure", epoch: 0, replicas: group(0, "").replicas.slice(1) };
  assertEquals(requests(agent)[0]?.message.command, command);

  const other = opened({ deadlineMs: 4000 });
  invoke(other, 2, { kind: "reconfigure", replicas: ["r1", "r3"] });
  other.deliver("r1", group(0, "r0"));
  other.advance(4000);
  const why = "no answer within 4000 ms";
  assertEquals(results(other), [{ kind: "failed", certain: true, why }]);
});

Deno.test("vr_client changes the group of a given epoch, and of no later one", () => {
  const agent = opened();
  const call = { kind: "reconfigure", replicas: ["r1"], epoch: 3 };
  invoke(agent, 2, call);
  agent.deliver("r1", group(0, "r0", replicas, 3));
  assertEquals(requests(agent)[0]?.message.command, {
    kind: "reconfigure",
    epoch: 3,
    replicas: [{ agent: "r1", incarnation: 0 }],
  });

  const late = opened();
  invoke(late, 2, call);
  late.deliver("r1", group(0, "r0", replicas, 4));
  const why = "the epoch is 4, and the reconfiguration is for epoch 3";
  assertEquals(results(late), [{ kind: "failed", certain: true, why }]);
});

Deno.test("vr_client tells who belongs to the group when all have answered, or when it is time", () => {
  const agent = client({ retryMsMax: 500 });
  invoke(agent, 1, { kind: "members" });
  assertEquals(agent.take().sent.map(({ to, message }) => [to, message.type]), [
    ...replicas.map((to) => [to, "locate"]),
  ]);
  agent.deliver("r0", group(1, "r1"));
  agent.deliver("r2", { ...group(4, "r3", ["r0", "r2", "r3"], 2), incarnation: 7 });
  agent.deliver("u", group(9, "u", ["u"], 1));
  assertEquals(results(agent), []);
  // r3 is one of the group, too; and r1 may still answer.
  agent.deliver("r3", group(4, "r3", ["r0", "r2", "r3"], 2));
  assertEquals(results(agent), []);
  agent.advance(1100);
  const member = (agent: string, incarnation = 0) => ({ agent, incarnation });
  assertEquals(results(agent), [{
    kind: "members",
    epoch: 2,
    primary: "r2",
    members: [member("r0"), member("r2"), member("r3")],
    present: [member("r0"), member("r2", 7), member("r3")],
  }]);

  const silent = client({ deadlineMs: 4000 });
  invoke(silent, 1, { kind: "members" });
  silent.advance(3900);
  assertEquals(results(silent), []);
  silent.advance(100);
  const why = "no answer within 4000 ms";
  assertEquals(results(silent), [{ kind: "failed", certain: true, why }]);
});

Deno.test("vr_client: attrs say what is wrong with them", () => {
  assertThrows(() => client({ retryMs: 0 }), TypeError, "attrs.retryMs");
  assertThrows(() => client({ retry: 1 }), TypeError, "retry");
});
