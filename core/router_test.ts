import { assertEquals } from "@std/assert";
import { agentsOf } from "./grid.ts";
import { agentId, virtualId } from "./id.ts";
import { Router } from "./router.ts";
import { boxA, boxB, makeGrid } from "./test_support.ts";

const grid = makeGrid({
  "0": { type: "dummy" },
  one: { type: "dummy", routes: { "9": { two: 7 }, both: { two: 1, three: 2 }, none: {} } },
  two: { type: "dummy", box: boxB, routes: { "9": { one: 8 } } },
  three: { type: "dummy", box: boxB },
});
const router = new Router(grid);
const one = agentId("one");
const two = agentId("two");

Deno.test("router.resolve() names one, several or none, with their ports, in the grid's order", () => {
  assertEquals(router.resolve(one, virtualId("9")), [{ agent: two, port: 7 }]);
  assertEquals(router.resolve(one, "both"), [
    { agent: two, port: 1 },
    { agent: agentId("three"), port: 2 },
  ]);
  assertEquals(router.resolve(one, "none"), []);
});

Deno.test("router.resolve() names nobody for an unknown route, above all not agent 0", () => {
  assertEquals(router.resolve(one, "8"), []);
  assertEquals(router.resolve(one, "two"), []);
  assertEquals(router.resolve(agentId("nobody"), "9"), []);
});

Deno.test("router.resolve() sees each agent's own routes", () => {
  assertEquals(router.resolve(two, "9"), [{ agent: one, port: 8 }]);
  assertEquals(router.resolve(agentId("three"), "9"), []);
});

Deno.test("router.boxOf() and router.agent() know the grid's agents alone", () => {
  assertEquals(router.boxOf(one), boxA);
  assertEquals(router.boxOf(two), boxB);
  assertEquals(router.boxOf(agentId("nobody")), undefined);
  assertEquals(router.agent("two"), two);
  assertEquals(router.agent("nobody"), undefined);
  assertEquals(router.agent("__proto__"), undefined);
});

Deno.test("agentsOf() gives the agents of a box in the grid's order", () => {
  assertEquals(agentsOf(grid, boxA).map(({ id }) => id), [agentId("0"), one]);
  assertEquals(agentsOf(grid, boxB).map(({ id }) => id), [two, agentId("three")]);
});
