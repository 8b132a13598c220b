import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { HttpOutput, HttpRequest } from "../../core/devices.ts";
import type { Json } from "../../core/data.ts";
import { type Rig, rig } from "../../sim/rig.ts";
import { gatewayAsksMax, gobbyGateway } from "./gateway.ts";
import { isSame } from "./gateway_guard.ts";

const token = "correct-horse-battery";
const host = "127.0.0.1:8080";
const page = "http://127.0.0.1:3000";

function gateway(attrs: { readonly [name: string]: Json } = {}): Rig {
  const agent = rig(gobbyGateway, {
    id: "g",
    attrs: { client: "c", port: 8080, token, ...attrs },
    peers: ["c", "stranger"],
  });
  assertEquals(agent.take().http, [{
    type: "listen",
    hostname: String(attrs["hostname"] ?? "127.0.0.1"),
    port: 8080,
  }]);
  return agent;
}

type Wanted = Partial<Omit<HttpRequest, "headers">> & {
  readonly headers?: { readonly [name: string]: string | undefined };
};

/** Lets somebody make a request who knows the token. */
function request(agent: Rig, { headers = {}, ...wanted }: Wanted): void {
  const isJson = wanted.body !== undefined ? { "content-type": "application/json" } : {};
  const all = { host, authorization: `Bearer ${token}`, ...isJson, ...headers };
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(all)) if (value !== undefined) given[name] = value;
  agent.event({
    device: "http",
    event: {
      ...{ type: "request", id: 1, method: "GET", path: "/v1/status", query: "", body: "" },
      ...wanted,
      headers: given,
    },
  });
}

/** The only answer since the last look: its status, and its body as JSON. */
function answered(agent: Rig): { status: number; body: Record<string, unknown>; headers: object } {
  const { http } = agent.take();
  const [only] = http;
  assertEquals(http.length, 1);
  assert(only?.type === "respond");
  const { status, body, headers = {} } = only;
  return { status, body: body === "" ? {} : JSON.parse(body), headers };
}

/** What the client was asked since the last look. */
function asked(agent: Rig): readonly Record<string, unknown>[] {
  return agent.take().sent.map(({ to, message }) => {
    assertEquals(to, "c");
    return Object(message);
  });
}

const foreign: readonly [string, number, NonNullable<Wanted["headers"]>][] = [
  ["no token", 401, { authorization: undefined }],
  ["a wrong token", 401, { authorization: "Bearer correct-horse-batterz" }],
  ["a token that is too long", 401, { authorization: `Bearer ${token}x` }],
  ["another scheme", 401, { authorization: `Basic ${token}` }],
  ["an Origin", 403, { origin: "https://foreign.example" }],
  ["no origin at all", 403, { origin: "null" }],
  ["a name that points here", 403, { host: "foreign.example:8080" }],
  ["a name that begins like loopback", 403, { host: "127.0.0.1.foreign.example" }],
  ["no Host", 403, { host: undefined }],
  ["another site's picture", 403, { "sec-fetch-site": "cross-site" }],
];

Deno.test("gobby_gateway refuses whoever has no token, and foreign pages with or without it", () => {
  for (const [what, status, headers] of foreign) {
    const agent = gateway({ origins: [page] });
    for (const method of ["GET", "POST", "OPTIONS"]) {
      request(agent, { method, path: "/v1/ask", headers });
      const answer = answered(agent);
      assertEquals([what, method, answer.status], [what, method, status]);
      assertEquals(answer.body["certain"], true);
      assertEquals(Object.keys(answer.headers).filter((name) => /access/.test(name)), []);
    }
  }
});

Deno.test("gobby_gateway serves pages of the origins of its attrs, and tells browsers so", () => {
  const agent = gateway({ origins: [page] });
  request(agent, { method: "OPTIONS", headers: { origin: page, authorization: undefined } });
  const preflight = answered(agent);
  assertEquals(preflight.status, 204);
  assertEquals(Object(preflight.headers)["access-control-allow-origin"], page);
  request(agent, { headers: { origin: page, "sec-fetch-site": "same-site" } });
  assertEquals(asked(agent).length, 1);
  request(agent, { headers: { origin: page, authorization: undefined } });
  assertEquals(answered(agent).status, 401);
});

Deno.test("gobby_gateway answers to its own names and those of loopback", () => {
  const agent = gateway({ hostname: "10.0.0.7", public: true, hosts: ["gobby.example"] });
  const names = ["10.0.0.7:8080", "GOBBY.example", "localhost:8080", "[::1]:8080", "127.9.9.9"];
  for (const name of names) {
    request(agent, { headers: { host: name } });
    assertEquals(asked(agent).length, 1, name);
  }
});

Deno.test("gobby_gateway wants a token, and leave to listen elsewhere than on loopback", () => {
  const attrs = (more: object) => gobbyGateway.attrs["~standard"].validate(more);
  const good = { client: "c", port: 1, token };
  const faults = [{ ...good, token: "" }, { ...good, hostname: "0.0.0.0" }, {
    client: "c",
    port: 1,
  }];
  for (const fault of faults) assert("issues" in Object(attrs(fault)), JSON.stringify(fault));
  for (const right of [good, { ...good, hostname: "0.0.0.0", public: true }]) {
    assert(!("issues" in Object(attrs(right))), JSON.stringify(right));
  }
});

Deno.test("isSame() compares whole texts", () => {
  assert(isSame("abc", "abc"));
  for (const given of ["", "a", "abd", "abcabc", "xbc"]) assert(!isSame(given, "abc"), given);
});

const put = { kind: "put", key: "a/b", value: "1" };
const asks: readonly [Wanted, object][] = [
  [{ method: "POST", path: "/v1/ask", body: JSON.stringify(put) }, put],
  [{ path: "/v1/keys/a%2fb" }, { kind: "get", key: "a/b" }],
  [{ path: "/v1/keys/a/b" }, { kind: "get", key: "a/b" }],
  [{ path: "/v1/keys", query: "prefix=a%2f&limit=5&after=a%2fc" }, {
    kind: "range",
    range: { prefix: "a/" },
    limit: 5,
    after: "a/c",
  }],
  [{ method: "PUT", path: "/v1/keys/a/b", body: '{"value":"1"}' }, put],
  [{ method: "PUT", path: "/v1/keys/a/b", body: '{"value":"1"}', headers: { "if-match": '"7"' } }, {
    ...put,
    ifRevision: 7,
  }],
  [{ method: "DELETE", path: "/v1/keys/a", headers: { "if-match": "7" } }, {
    kind: "delete",
    key: "a",
    ifRevision: 7,
  }],
  [{ method: "POST", path: "/v1/sessions", body: '{"ttlMs":5000}' }, {
    kind: "openSession",
    client: "http",
    ttlMs: 5000,
  }],
  [{ method: "POST", path: "/v1/sessions/4/keep-alive" }, { kind: "renewSession", session: 4 }],
  [{ method: "DELETE", path: "/v1/sessions/4" }, { kind: "closeSession", session: 4 }],
  [{ method: "POST", path: "/v1/locks/l", body: '{"session":4,"waitMs":9}' }, {
    kind: "acquire",
    key: "l",
    session: 4,
    waitMs: 9,
    mode: "exclusive",
  }],
  [{ method: "DELETE", path: "/v1/locks/l", query: "token=6" }, {
    kind: "release",
    key: "l",
    token: 6,
  }],
  [{ path: "/v1/status" }, { kind: "status" }],
];

Deno.test("gobby_gateway makes operations of requests", () => {
  const agent = gateway();
  for (const [wanted, operation] of asks) {
    request(agent, wanted);
    assertEquals(asked(agent).map((message) => message["operation"]), [operation]);
  }
});

const bad: readonly [number, Wanted][] = [
  [404, { path: "/" }],
  [404, { path: "/v1/asks" }],
  [400, { path: "/v1/keys/" }],
  [404, { method: "POST", path: "/v1/sessions/4/close" }],
  [405, { method: "GET", path: "/v1/ask" }],
  [405, { method: "HEAD" }],
  [415, { method: "POST", path: "/v1/ask", body: "{}", headers: { "content-type": "text/plain" } }],
  [415, { method: "PUT", path: "/v1/keys/a", body: "{}", headers: { "content-type": undefined } }],
  [400, { method: "POST", path: "/v1/ask", body: "{" }],
  [400, { method: "POST", path: "/v1/ask", body: "[]" }],
  [400, { method: "POST", path: "/v1/ask", body: '{"kind":"dance"}' }],
  [400, { method: "POST", path: "/v1/ask", body: JSON.stringify({ ...put, more: 1 }) }],
  [403, {
    method: "POST",
    path: "/v1/ask",
    body: '{"kind":"expireSession","session":1,"renewal":0,"term":1}',
  }],
  [400, { method: "POST", path: "/v1/locks/l", body: '{"session":4,"waitMs":30001}' }],
  [400, { path: "/v1/keys/%ff" }],
  [400, { path: "/v1/keys", query: "limit=many" }],
  [400, { path: "/v1/keys", query: "limit=1&limit=2" }],
  [400, { path: "/v1/keys", query: "colour=red" }],
  [400, { path: "/v1/keys/a", body: "{}" }],
  [400, { method: "PUT", path: "/v1/keys/a", body: "{}", headers: { "if-match": "W/x" } }],
  [400, { path: "/v1/watch" }],
  [400, { path: "/v1/watch", query: "key=a&prefix=b" }],
  [400, { path: "/v1/watch", query: "key=a&from=0" }],
  [400, { path: "/v1/watch", query: "key=a", headers: { "last-event-id": "x" } }],
];

Deno.test("gobby_gateway says of a bad request what it found, and asks nobody", () => {
  const agent = gateway();
  for (const [status, wanted] of bad) {
    request(agent, wanted);
    assertEquals(agent.sent, []);
    const { body, ...answer } = answered(agent);
    assertEquals([wanted, answer.status, body["certain"]], [wanted, status, true]);
    assert(String(body["error"]).length > 10);
  }
});

const outcomes: readonly [number, boolean, object][] = [
  [503, true, { kind: "failed", certain: true, why: "there was no answer in time" }],
  [503, false, { kind: "failed", certain: false, why: "there was no answer in time" }],
  [412, true, {
    kind: "done",
    result: { kind: "refused", why: "revisionDiffers", key: "a", wanted: 1, found: 2 },
  }],
  [404, true, { kind: "done", result: { kind: "refused", why: "unknownSession", session: 3 } }],
  [409, true, {
    kind: "done",
    result: { kind: "refused", why: "notHeld", key: "a", token: 3 },
  }],
  [404, true, { kind: "done", result: { kind: "entry", revision: 3, entry: null } }],
];

Deno.test("gobby_gateway says of what failed whether it certainly did not happen", () => {
  const agent = gateway();
  for (const [status, certain, outcome] of outcomes) {
    request(agent, { path: "/v1/keys/a" });
    const id = Number(asked(agent)[0]?.["id"]);
    agent.deliver("stranger", { type: "answer", id, outcome: { ...outcome } });
    assertEquals(agent.take().http, []);
    agent.deliver("c", { type: "answer", id, outcome: { ...outcome } });
    const answer = answered(agent);
    assertEquals([answer.status, answer.body["certain"]], [status, certain]);
  }
});

Deno.test("gobby_gateway does not wait for ever, nor let more than so much wait", () => {
  const agent = gateway();
  for (let id = 1; id <= gatewayAsksMax; id++) request(agent, { id });
  assertEquals(asked(agent).length, gatewayAsksMax);
  request(agent, { id: 1000 });
  assertEquals(answered(agent).status, 503);
  agent.advance(60_000);
  const { http } = agent.take();
  assertEquals(http.length, gatewayAsksMax);
  for (const output of http) assertStringIncludes(JSON.stringify(output), '\\"certain\\":false');
});

Deno.test("gobby_gateway reads what may be old, and says how old it is", () => {
  const agent = gateway();
  for (const [query, maxAgeMs] of [["stale", 2 ** 40], ["stale=500", 500]] as const) {
    request(agent, { path: "/v1/keys/a", query });
    const [ask] = asked(agent);
    assertEquals([ask?.["operation"], ask?.["maxAgeMs"]], [{ kind: "get", key: "a" }, maxAgeMs]);
    const entry = { key: "a", value: "1", createRevision: 2, modifyRevision: 2, version: 1 };
    const result = { kind: "entry", revision: 3, entry: { ...entry, session: null, ttlMs: null } };
    const outcome = { kind: "done", result, ageMs: 40 };
    agent.deliver("c", { type: "answer", id: Number(ask?.["id"]), outcome });
    const { status, body } = answered(agent);
    assertEquals([status, body["ageMs"], body["revision"]], [200, 40, 3]);
  }
  request(agent, { path: "/v1/keys", query: "prefix=a&stale=" });
  assertEquals(asked(agent)[0]?.["maxAgeMs"], 2 ** 40);
  request(agent, { path: "/v1/keys/a", query: "stale=soon" });
  assertEquals(answered(agent).status, 400);
});

Deno.test("gobby_gateway releases a lock whose taker has gone", () => {
  const agent = gateway();
  request(agent, { method: "POST", path: "/v1/locks/l", body: '{"session":4,"waitMs":9}' });
  const id = Number(asked(agent)[0]?.["id"]);
  agent.event({ device: "http", event: { type: "closed", id: 1 } });
  assertEquals(asked(agent), [{ type: "cancel", id }]);
  // The answer was on its way.
  const outcome = { kind: "done", result: { kind: "acquired", token: 6 } };
  agent.deliver("c", { type: "answer", id, outcome });
  assertEquals(asked(agent).map((message) => message["operation"]), [
    { kind: "release", key: "l", token: 6 },
  ]);
});

/** What a stream was told since the last look. */
function told(agent: Rig): string[] {
  return agent.take().http.map((output: HttpOutput) =>
    output.type === "chunk" ? output.text : output.type
  );
}

const deleted = (revision: number, key: string) => ({
  kind: "keyDeleted",
  revision,
  key,
  how: "deleted",
});

Deno.test("gobby_gateway streams events, those of one revision at once", () => {
  const agent = gateway();
  request(agent, { path: "/v1/watch", query: "prefix=a" });
  const [watch] = asked(agent);
  assertEquals(watch, { type: "watch", id: 1, target: { kind: "prefix", prefix: "a" } });
  agent.deliver("c", { type: "watching", id: 1, from: 5 });
  assertEquals(told(agent), [
    "begin",
    'retry: 1000\nid: 4\nevent: watching\ndata: {"from":5}\n\n',
  ]);
  const events = [deleted(5, "a"), deleted(5, "ab"), deleted(7, "a")];
  agent.deliver("c", { type: "events", id: 1, next: 8, events });
  const [first = "", second = "", ...more] = told(agent);
  assertEquals(more, []);
  assertEquals(first.split("\n")[0], "id: 5");
  assertEquals(JSON.parse(first.slice(first.indexOf("{"))).events.length, 2);
  assertEquals(second.split("\n")[0], "id: 7");
  agent.advance(15_000);
  assertEquals(told(agent), [": alive\n\n"]);
  agent.event({ device: "http", event: { type: "closed", id: 1 } });
  assertEquals(asked(agent), [{ type: "unwatch", id: 1 }]);
  agent.deliver("c", { type: "events", id: 1, next: 9, events: [deleted(8, "a")] });
  const { http, sent } = agent.take();
  assertEquals([http, sent.map(({ message }) => message.type)], [[], ["unwatch"]]);
});

Deno.test("gobby_gateway resumes a stream behind the last event, or says that it cannot", () => {
  const agent = gateway();
  const headers = { "last-event-id": "41" };
  request(agent, { path: "/v1/watch", query: "key=a&from=3", headers });
  assertEquals(asked(agent).map((message) => message["from"]), [42]);
  agent.deliver("c", { type: "watchEnded", id: 1, end: { why: "compacted", oldest: 90 } });
  assertEquals(told(agent), ["begin", 'event: compacted\ndata: {"oldest":90}\n\n', "end"]);
  request(agent, { id: 2, path: "/v1/watch", query: "key=a" });
  agent.deliver("c", { type: "watchEnded", id: 2, end: { why: "limit", limit: "watches" } });
  assertEquals(answered(agent).status, 503);
});

Deno.test("gobby_gateway ends with a fault if it cannot listen", () => {
  const agent = gateway();
  let error: unknown;
  try {
    agent.event({ device: "http", event: { type: "failed", reason: "the address is in use" } });
  } catch (thrown) {
    error = thrown;
  }
  assertStringIncludes(String(error), "the address is in use");
  assert(agent.stopped);
});
