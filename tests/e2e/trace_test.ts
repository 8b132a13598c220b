// `ovid trace` beside real boxes.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Box } from "../../box/box.ts";
import { parseGrid } from "../../core/config/parse.ts";
import { agentId } from "../../core/id.ts";
import { builtIns } from "../../agents/registry.ts";
import { eventually, freePorts, ovid, Running, Workspace } from "./support.ts";

const waitMs = 120_000;

Deno.test("ovid trace: shows the mail of all boxes, narrowed down by agent, type and text", async () => {
  using workspace = new Workspace().copy("examples", "kvs");
  const grid = workspace.file("grid.json");
  await using box = new Running(["box", grid]);
  const tracers = [
    new Running(["trace", grid]),
    new Running(["trace", grid, "--json", "--agent", "300", "--count", "2"]),
    new Running(["trace", grid, "--text", "needle", "--count", "1"]),
    new Running(["trace", grid, "--type", "nothing"]),
  ] as const;
  await using _all = tracers[0];
  await using _agent = tracers[1];
  await using _text = tracers[2];
  await using none = tracers[3];
  for (const tracer of tracers) {
    const up = () => tracer.stderr.split("traces 127.0.0.1:").length === 3;
    await eventually("both boxes are traced", up, waitMs);
  }
  await box.type("put needle 1\n");
  await eventually("the answer", () => box.stdout.includes("ok"), waitMs);
  const [all, agent, text] = tracers;
  const lines = () => all.stdout.split("\n").slice(0, -1);
  // From terminal to client, to replica, and back.
  await eventually("four lines", () => lines().length === 4, waitMs);
  for (const line of lines()) {
    assertMatch(line, /^\d\d:\d\d:\d\d\.\d{3} {2}\d+ -> \d+ {2}\w+ {2}\{/);
  }
  const ends = lines().map((line) => / (\d+ -> \d+) /.exec(line)?.[1]).sort();
  assertEquals(ends, ["100 -> 200", "200 -> 100", "200 -> 300", "300 -> 200"]);
  assertEquals((await agent.end()).code, 0);
  const told = agent.stdout.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(told.map(({ from, to }) => `${from} ${to}`), ["200 300", "300 200"]);
  assertEquals(typeof told[0].message, "object");
  assertEquals((await text.end()).code, 0);
  assertStringIncludes(text.stdout, "needle");
  assertEquals(none.stdout, "");
  none.kill("SIGTERM");
  assertEquals((await none.end()).code, 143);
});

Deno.test("ovid trace: waits for boxes that do not run yet", async () => {
  using workspace = new Workspace().copy("examples", "kvs");
  const grid = workspace.file("grid.json");
  await using tracer = new Running(["trace", grid, "--count", "1"]);
  await eventually("it says so", () => tracer.stderr.includes("does not trace"), waitMs);
  await using box = new Running(["box", grid]);
  const up = () => tracer.stderr.split(": traces 127.0.0.1:").length === 3;
  await eventually("both boxes are traced", up, waitMs);
  await box.type("get a\n");
  assertEquals((await tracer.end()).code, 0);
});

Deno.test("ovid trace: an unknown agent suggests the nearest, and a bad grid is one", async () => {
  const nobody = await ovid(["trace", "examples/gobby/grid.json", "--agent", "s11"]);
  assertEquals(nobody.code, 2);
  assertStringIncludes(nobody.stderr, "did you mean s1");
  const bad = await ovid(["trace", "tests/conformance/goovid/configs/invalid2.json"]);
  assertEquals(bad.code, 3);
});

Deno.test("a tracer that does not read slows nobody, and is told how much it has missed", async () => {
  const [port = 0] = freePorts(1);
  const { grid } = parseGrid(`{ "1": { "type": "dummy", "box": "127.0.0.1:${port}" } }`, "g.json");
  const [address] = grid?.boxes ?? [];
  assert(grid !== undefined && address !== undefined);
  const box = await Box.start({ box: address, grid, definitions: builtIns });
  try {
    assertEquals(box.host.observer, undefined);
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    using _closing = { [Symbol.dispose]: () => connection.close() };
    const hello = 'hello {"ovid":1,"client":"slow","trace":{}}\n';
    await connection.write(new TextEncoder().encode(hello));
    await eventually("it is traced", () => box.host.observer !== undefined, waitMs);
    const guest = box.addGuest(agentId("me"), () => {});
    const { delivered } = box.host.counters;
    // Far more than the sockets of both ends hold.
    const rounds = 20_000;
    for (let round = 0; round < rounds; round++) {
      guest.send(agentId("1"), { type: "ignored", filler: "x".repeat(1500) });
      if (round % 100 === 0) await box.settle();
    }
    await box.settle();
    assertEquals(box.host.counters.refused + box.host.counters.delivered - delivered, rounds);
    const { seen, missed } = await count(connection, rounds);
    assert(missed > 0, "nothing was missed");
    assertEquals(seen + missed, rounds);
  } finally {
    await box.close();
  }
});

/** Reads lines until all rounds are accounted for. */
async function count(
  connection: Deno.Conn,
  rounds: number,
): Promise<{ seen: number; missed: number }> {
  let [seen, missed, rest] = [0, 0, ""];
  const decoder = new TextDecoder();
  const bytes = new Uint8Array(1 << 16);
  while (seen + missed < rounds) {
    const length = await connection.read(bytes);
    if (length === null) break;
    const lines = (rest + decoder.decode(bytes.subarray(0, length), { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const trace = /^mail \S+ slow (.*)$/.exec(line)?.[1];
      if (trace === undefined) continue;
      const { type, count = 0 } = JSON.parse(trace);
      if (type === "trace") seen++;
      else if (type === "trace_missed") missed += count;
    }
  }
  return { seen, missed };
}
