import { assertEquals } from "@std/assert";
import { z } from "zod";
import { defineAgent } from "../core/define.ts";
import { SimulatedHttp } from "./http.ts";
import { plainGrid } from "./plain_grid.ts";
import { World } from "./world.ts";

/** Answers `/now` at once, streams at `/stream`, and never answers anything else. */
const echo = defineAgent({
  type: "echo",
  version: 1,
  doc: "Answers what it is asked.",
  attrs: z.object({}),
  protocol: {},
  record: z.object({}),
  durable: () => ({ asked: 0 }),
  apply(durable) {
    durable.asked++;
  },
  devices: ["http", "console"],
  init: () => ({}),
  start(_state, ctx) {
    ctx.output("http", { type: "listen", hostname: "127.0.0.1", port: 80 });
  },
  on: {},
  onDevice: {
    http(state, event, ctx) {
      ctx.output("console", { type: "print", text: event.type });
      if (event.type !== "request") return;
      ctx.append({});
      const { id, path } = event;
      const answer = { id, status: 200, contentType: "text/plain" };
      const body = String(state.durable.asked);
      if (path === "/now") ctx.output("http", { type: "respond", ...answer, body });
      if (path !== "/stream") return;
      ctx.output("http", { type: "begin", ...answer });
      ctx.output("http", { type: "chunk", id, text: body });
    },
  },
});

function bench() {
  const grid = plainGrid({ e: { type: "echo", box: "b" } });
  const world = new World({ grid, definitions: [echo], seed: 3n });
  const http = new SimulatedHttp(world);
  return { world, http, told: () => world.printed("e") };
}

Deno.test("SimulatedHttp makes requests once an agent listens, and tells the answer", () => {
  const { world, http, told } = bench();
  assertEquals(http.request("e", { path: "/now" }).state, "cut");
  world.start();
  const exchange = http.request("e", { path: "/now" });
  assertEquals(exchange.state, "open");
  world.runUntil(() => exchange.state === "answered");
  assertEquals([exchange.answer?.status, exchange.json], [200, 1]);
  assertEquals(told(), ["listening", "request"]);
});

Deno.test("SimulatedHttp tells an agent who has gone, and whom it let wait for too long", () => {
  const { world, http, told } = bench();
  world.start();
  const stream = http.request("e", { path: "/stream" });
  const never = http.request("e", { path: "/never" });
  world.runUntil(() => stream.body === "1");
  http.leave("e", stream);
  world.runFor(59_000);
  assertEquals([stream.state, never.state], ["cut", "open"]);
  world.runFor(2000);
  assertEquals([never.state, never.answer?.status], ["answered", 503]);
  assertEquals(told().filter((type) => type === "closed").length, 2);
});

Deno.test("SimulatedHttp cuts what is open when a box goes down, and serves its next life", () => {
  const { world, http } = bench();
  world.start();
  const stream = http.request("e", { path: "/stream" });
  world.runUntil(() => stream.body === "1");
  world.crash("b");
  assertEquals([stream.state, http.request("e", { path: "/now" }).state], ["cut", "cut"]);
  world.start("b");
  const again = http.request("e", { path: "/now" });
  world.runUntil(() => again.state === "answered");
  // What was answered was durable.
  assertEquals(again.json, 2);
});
