// The gateway in a world of its own: a group of one, in virtual time.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Json } from "../../core/data.ts";
import { SimulatedHttp } from "../../sim/http.ts";
import { plainGrid } from "../../sim/plain_grid.ts";
import { World } from "../../sim/world.ts";
import { builtIns } from "../registry.ts";

const token = "correct-horse-battery";

/** A world with a gateway on box `b2`, and a way to ask it something and get the answer. */
function bench(server: { readonly [name: string]: Json } = {}) {
  const servers = ["s"];
  const replicas = ["r"];
  const grid = plainGrid({
    s: { type: "gobby_server", box: "b1", attrs: { servers, group: "group", ...server } },
    group: { type: "vr_client", box: "b1", attrs: { replicas } },
    r: {
      type: "vr_replica",
      box: "b1",
      attrs: { replicas, machine: "gobby_service", bootstrap: true },
    },
    c: { type: "gobby_client", box: "b2", attrs: { servers } },
    g: { type: "gobby_gateway", box: "b2", attrs: { client: "c", port: 8080, token } },
  });
  const world = new World({ grid, definitions: [...builtIns.values()], seed: 5n });
  const http = new SimulatedHttp(world);
  world.start();
  const request = (method: string, target: string, body?: object, more: object = {}) => {
    const [path = "", query = ""] = target.split("?");
    const type = body === undefined ? {} : { "content-type": "application/json" };
    return http.request("g", {
      ...{ method, path, query, body: body === undefined ? "" : JSON.stringify(body) },
      headers: { host: "localhost", authorization: `Bearer ${token}`, ...type, ...more },
    });
  };
  const ask = (method: string, target: string, body?: object, more: object = {}) => {
    const exchange = request(method, target, body, more);
    world.runUntil(() => exchange.state !== "open", { what: `${method} ${target}` });
    return [exchange.answer?.status, exchange.json] as [number, Record<string, unknown>];
  };
  return { world, http, request, ask };
}

Deno.test("gobby_gateway stores, compares and finds keys", () => {
  const { ask } = bench();
  const [status, stored] = ask("PUT", "/v1/keys/a/1", { value: "x" }, { "if-match": "0" });
  assertEquals([status, stored["kind"]], [200, "stored"]);
  assertEquals(ask("PUT", "/v1/keys/a/1", { value: "y" }, { "if-match": "0" })[0], 412);
  assertEquals(ask("GET", "/v1/keys/b")[0], 404);
  const [, found] = ask("GET", "/v1/keys?prefix=a");
  assertEquals([found["count"], found["more"]], [1, false]);
  const match = { "if-match": String(stored["revision"]) };
  assertEquals(ask("DELETE", "/v1/keys/a/1", undefined, match)[1]["count"], 1);
  const [, answer] = ask("POST", "/v1/ask", { kind: "get", key: "a/1" });
  assertEquals(answer["entry"], null);
  assertEquals(ask("GET", "/v1/status")[1]["keys"], 0);
});

Deno.test("gobby_gateway leaves sessions to those who ask, and they end without keep-alive", () => {
  const { world, ask } = bench();
  const [, { session }] = ask("POST", "/v1/sessions", { ttlMs: 5000 });
  for (let time = 0; time < 5; time++) {
    world.runFor(4000);
    assertEquals(ask("POST", `/v1/sessions/${session}/keep-alive`)[0], 200);
  }
  const [, { token: first }] = ask("POST", "/v1/locks/l", { session });
  const [, { session: other }] = ask("POST", "/v1/sessions", { ttlMs: 60_000 });
  assertEquals(ask("POST", "/v1/locks/l", { session: other })[0], 409);
  const [status, { token: second }] = ask("POST", "/v1/locks/l", {
    session: other,
    waitMs: 20_000,
  });
  assertEquals([status, Number(second) > Number(first)], [200, true]);
  assertEquals(ask("POST", `/v1/sessions/${session}/keep-alive`)[0], 404);
  assertEquals(ask("DELETE", `/v1/locks/l?token=${second}`)[0], 200);
  assertEquals(ask("DELETE", `/v1/locks/l?token=${second}`)[0], 409);
  assertEquals(ask("DELETE", `/v1/sessions/${other}`)[0], 200);
});

/** The revisions of the events of a stream, in order. */
function revisions(body: string): number[] {
  return [...body.matchAll(/^data: \{"revision":(\d+)/gm)].map(([, digits]) => Number(digits));
}

Deno.test("gobby_gateway resumes a watch by Last-Event-ID without a gap and without a repetition", () => {
  const { world, http, request, ask } = bench();
  const [, { revision }] = ask("PUT", "/v1/keys/a", { value: "0" });
  const first = request("GET", "/v1/watch?prefix=");
  world.runUntil(() => first.body.includes("event: watching"));
  for (const value of ["1", "2"]) ask("PUT", "/v1/keys/a", { value });
  world.runUntil(() => revisions(first.body).length === 2);
  http.leave("g", first);
  for (const value of ["3", "4"]) ask("PUT", "/v1/keys/a", { value });
  world.runFor(1000);
  const ids = [...first.body.matchAll(/^id: (\d+)$/gm)].map(([, id]) => id ?? "");
  const second = request("GET", "/v1/watch?prefix=", undefined, { "last-event-id": ids.at(-1) });
  ask("PUT", "/v1/keys/a", { value: "5" });
  world.runUntil(() => revisions(second.body).length === 3);
  const seen = [...revisions(first.body), ...revisions(second.body)];
  assertEquals(seen, [1, 2, 3, 4, 5].map((later) => Number(revision) + later));
  assertEquals(second.state, "open");
});

Deno.test("gobby_gateway tells a watch that comes too late what is still kept, and ends it", () => {
  const { world, request, ask } = bench();
  for (const value of ["1", "2", "3"]) ask("PUT", "/v1/keys/a", { value });
  assertEquals(ask("POST", "/v1/ask", { kind: "compact", revision: 3 })[0], 200);
  const late = request("GET", "/v1/watch?key=a", undefined, { "last-event-id": "1" });
  world.runUntil(() => late.state !== "open");
  assertMatch(late.answer?.contentType ?? "", /event-stream/);
  assertStringIncludes(late.body, 'event: compacted\ndata: {"oldest":3}\n\n');
  assertEquals(revisions(late.body), []);
});

Deno.test("gobby_gateway says that it cannot tell what has become of what nobody answers", () => {
  const { world, ask, request } = bench();
  ask("PUT", "/v1/keys/a", { value: "1" });
  world.crash("b1");
  const lost = ask("PUT", "/v1/keys/a", { value: "2" });
  assertEquals([lost[0], lost[1]["certain"]], [503, false]);
  const stream = request("GET", "/v1/watch?key=a");
  world.runFor(61_000);
  assertEquals([stream.state, stream.answer?.status], ["answered", 503]);
  world.crash("b2");
  assertEquals(request("GET", "/v1/status").state, "cut");
});
