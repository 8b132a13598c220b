// The grids of the original GoOvid: they run as they are, and its two wrong ones are refused for what is wrong.

import { assertEquals } from "@std/assert";
import { checkGrid } from "./check.ts";
import { parseGrid } from "./parse.ts";
import { describeProblem } from "./problem.ts";
import type { AgentShape } from "./shape.ts";
import { summariseGrid } from "./summary.ts";
import { z } from "zod";

const shape = (type: string, attrs: AgentShape["attrs"] = z.strictObject({})): AgentShape => ({
  type,
  doc: "",
  attrs,
});

const shapes = new Map([
  shape("chat", z.strictObject({ myname: z.string(), contacts: z.array(z.int()) })),
  shape("dummy"),
  shape("kvs_client", z.strictObject({ myid: z.int() })),
  shape("kvs_replica", z.strictObject({ log: z.string() })),
  shape("kvs_tty"),
].map((each) => [each.type, each]));

function read(path: string): { problems: string[]; summary: string[] } {
  const url = new URL(`../../tests/conformance/goovid/${path}`, import.meta.url);
  const file = path.slice(path.indexOf("/") + 1);
  const { grid, draft, problems, source } = parseGrid(Deno.readTextFileSync(url), file);
  const lookUp = (type: string) => shapes.get(type);
  const checked = checkGrid(draft, source, { lookUp, known: [...shapes.keys()] });
  return {
    problems: [...problems, ...checked].map(describeProblem),
    summary: grid === undefined ? [] : summariseGrid(grid, lookUp).split("\n"),
  };
}

Deno.test("goovid: chat.json is a grid of three boxes", () => {
  assertEquals(read("configs/chat.json"), {
    problems: [],
    summary: [
      "3 agents in 3 boxes",
      "127.0.0.1:5000",
      "  10  chat  20 -> 20 port 100",
      "            30 -> 30 port 100",
      "127.0.0.1:5001",
      "  20  chat  10 -> 10 port 100",
      "            30 -> 30 port 100",
      "127.0.0.1:5002",
      "  30  chat  10 -> 10 port 100",
      "            20 -> 20 port 100",
    ],
  });
});

Deno.test("goovid: kvs.json is a grid of two boxes", () => {
  assertEquals(read("configs/kvs.json"), {
    problems: [],
    summary: [
      "3 agents in 2 boxes",
      "127.0.0.1:5000",
      "  100  kvs_tty      1 -> 200 port 1",
      "  200  kvs_client   1 -> 100 port 1",
      "                    2 -> 300 port 1",
      "127.0.0.1:5001",
      "  300  kvs_replica  200 -> 200 port 2",
    ],
  });
});

Deno.test("goovid: test.json is a grid of sixteen boxes", () => {
  const { problems, summary } = read("grid/test.json");
  assertEquals(problems, []);
  assertEquals([summary[0], summary.length], ["16 agents in 16 boxes", 1 + 2 * 16]);
});

Deno.test("goovid: invalid1.json is refused for three unknown types and a missing destination", () => {
  const known = "want one of chat, dummy, kvs_client, kvs_replica, kvs_tty; perhaps";
  assertEquals(read("configs/invalid1.json").problems, [
    `invalid1.json:3:11: 100.type is "tty", ${known} "kvs_tty"`,
    `invalid1.json:11:12: 200.type is "client", ${known} "kvs_client"`,
    'invalid1.json:18:12: 200.routes.2 names agent "320", want one of 100, 200, 300',
    `invalid1.json:22:12: 300.type is "kvs", ${known} "kvs_client" or "kvs_replica" or "kvs_tty"`,
  ]);
});

Deno.test("goovid: invalid2.json is refused for a missing destination", () => {
  assertEquals(read("configs/invalid2.json").problems, [
    'invalid2.json:11:22: 10.routes.30 names agent "9999", want one of 10, 20, 30',
  ]);
});
