import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { parseGrid } from "./parse.ts";
import type { LookUp } from "./shape.ts";
import { summariseGrid } from "./summary.ts";

const lookUp: LookUp = (type) =>
  type === "tty" ? { type, doc: "", attrs: z.object({}), devices: ["terminal"] } : undefined;

function summary(file: unknown, find: LookUp = lookUp): string[] {
  const { grid } = parseGrid(JSON.stringify(file), "g.json");
  assert(grid !== undefined);
  return summariseGrid(grid, find).split("\n");
}

Deno.test("summariseGrid: shows boxes, agents, types, devices and every target, aligned", () => {
  const grid = {
    a: { type: "tty", box: "127.0.0.1:5001", routes: { 1: { b: 10, c: 11 }, 22: {} } },
    b: { type: "kvs_replica", box: "127.0.0.1:5000", routes: { 9: { a: 1 } } },
    c: { type: "dummy", box: "127.0.0.1:5001" },
  };
  assertEquals(summary(grid), [
    "3 agents in 2 boxes",
    "127.0.0.1:5000",
    "  b  kvs_replica            9 -> a port 1",
    "127.0.0.1:5001",
    "  a  tty          terminal  1 -> b port 10, c port 11",
    "                            22 -> nobody",
    "  c  dummy",
  ]);
});

Deno.test("summariseGrid: leaves out the column of devices where nobody has one", () => {
  const grid = {
    10: { type: "dummy", box: "[::1]:1", routes: { 1: { 10: 0 } } },
  };
  const lines = ["1 agent in 1 box", "[::1]:1", "  10  dummy  1 -> 10 port 0"];
  assertEquals(summary(grid), lines);
  assertEquals(summary(grid, () => ({ error: "not there" })), lines);
});
