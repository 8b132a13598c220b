import { assertEquals, assertThrows } from "@std/assert";
import { agentId, virtualId } from "../core/id.ts";
import { boxId, plainGrid } from "./plain_grid.ts";

Deno.test("plainGrid(): makes a grid with its boxes in order and its routes", () => {
  const grid = plainGrid({
    tty: {
      type: "tty",
      box: "b2",
      attrs: { a: 1 },
      routes: { "200": { kv: 10 }, all: ["kv", "tty"] },
    },
    kv: { type: "kv", box: "b1" },
  });
  assertEquals(grid.boxes, [boxId("b1"), boxId("b2")]);
  assertEquals([...grid.agents.keys()], [agentId("tty"), agentId("kv")]);
  const tty = grid.agents.get(agentId("tty"));
  assertEquals(tty?.attrs, { a: 1 });
  assertEquals(tty?.routes.get(virtualId("200")), [{ agent: agentId("kv"), port: 10 }]);
  assertEquals(tty?.routes.get(virtualId("all")), [
    { agent: agentId("kv"), port: 0 },
    { agent: agentId("tty"), port: 0 },
  ]);
  assertEquals(grid.agents.get(agentId("kv"))?.routes.size, 0);
});

Deno.test("plainGrid(): refuses a route to nobody, and ids with white space", () => {
  assertThrows(
    () => plainGrid({ a: { type: "t", box: "b1", routes: { r: ["b"] } } }),
    SyntaxError,
    'a.routes.r leads to "b", want one of a',
  );
  assertThrows(() => plainGrid({ "a b": { type: "t", box: "b1" } }), SyntaxError, '"a b"');
  assertThrows(() => plainGrid({ a: { type: "t", box: "b 1" } }), SyntaxError, '"b 1"');
});
