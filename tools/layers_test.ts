// The table is tried from both sides: what it must allow, and what it must find.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { findCircles, findForbidden, type Graph, readGraph } from "./layers.ts";

/** A graph of lines `importer -> imported`, or `importer ~> imported` for an import at run time. */
function graphOf(...lines: readonly string[]): Graph {
  const graph = new Map<string, { to: string; lazy: boolean }[]>();
  for (const line of lines) {
    const [from = "", arrow, to = ""] = line.split(" ");
    graph.set(from, [...graph.get(from) ?? [], { to, lazy: arrow === "~>" }]);
    graph.set(to, graph.get(to) ?? []);
  }
  return graph;
}

const ALLOWED = [
  "core/host.ts -> core/id.ts",
  "core/config/parse.ts -> core/id.ts",
  "agents/kvs/tty.ts -> core/agent.ts",
  "agents/gobby/a.ts -> agents/paxos/b.ts",
  "transport/tcp.ts -> core/envelope.ts",
  "box/box.ts -> transport/tcp.ts",
  "box/loader.ts -> agents/registry.ts",
  "sim/world.ts -> core/config/parse.ts",
  "box/log.ts -> std/log.ts",
  "master/master.ts -> core/config/parse.ts",
  "client/client.ts -> transport/tcp.ts",
  "cli/box.ts -> box/box.ts",
  "cli/main.ts ~> cli/box.ts",
  "mod.ts -> sim/world.ts",
  "examples/own_agent/agent.ts -> mod.ts",
  "examples/own_agent/agent_test.ts -> examples/own_agent/agent.ts",
  "tests/e2e/a_test.ts -> box/box.ts",
  "core/host_test.ts -> sim/world.ts",
  "tools/ok.ts -> box/box.ts",
  "tests/binary/a_test.ts -> tests/binary/start.ts",
];

const FORBIDDEN = [
  "core/host.ts -> core/config/parse.ts",
  "core/host.ts -> std/log.ts",
  "core/config/parse.ts -> agents/registry.ts",
  "agents/kvs/tty.ts -> core/config/parse.ts",
  "agents/kvs/tty.ts ~> transport/tcp.ts",
  "transport/tcp.ts -> agents/registry.ts",
  "transport/tcp.ts -> std/log.ts",
  "box/box.ts -> sim/world.ts",
  "sim/world.ts -> box/box.ts",
  "box/box.ts -> cli/main.ts",
  "master/grader.ts -> box/box.ts",
  "client/client.ts -> master/master.ts",
  "web/page.ts -> agents/registry.ts",
  "mod.ts -> cli/main.ts",
  "cli/main.ts -> tools/ok.ts",
  "box/box.ts -> tests/support/wait.ts",
  "box/box.ts -> box/box_test.ts",
  "std/log.ts -> core/id.ts",
  "examples/own_agent/agent.ts -> core/agent.ts",
  "examples/own_agent/agent_test.ts -> sim/rig.ts",
  "examples/own_agent/agent.ts -> examples/chat/a.ts",
  "tests/binary/a_test.ts -> tests/support/wait.ts",
];

Deno.test("findForbidden() lets each layer import what stands below it", () => {
  for (const line of ALLOWED) assertEquals(findForbidden(graphOf(line)), [], line);
});

Deno.test("findForbidden() names each import up or sideways, and the rule", () => {
  for (const line of FORBIDDEN) {
    const [problem = "", ...more] = findForbidden(graphOf(line));
    assertStringIncludes(problem, `${line.replace(/ [-~]> /, " imports ")}: `);
    assertEquals(more, []);
  }
  assertEquals(findForbidden(graphOf("core/host.ts -> box/box.ts")), [
    "core/host.ts imports box/box.ts: core/ imports nothing of the project",
  ]);
});

Deno.test("findForbidden() wants every folder in the table", () => {
  const [problem] = findForbidden(graphOf("utils/all.ts -> core/id.ts"));
  assertStringIncludes(problem ?? "", "utils/all.ts is in no layer");
});

Deno.test("findCircles() names each circle once, and none where there is none", () => {
  assertEquals(findCircles(graphOf("a.ts -> b.ts", "a.ts -> c.ts", "b.ts -> c.ts")), []);
  assertEquals(findCircles(graphOf("a.ts -> b.ts", "b.ts -> c.ts", "c.ts -> b.ts")), [
    "Circle: b.ts -> c.ts -> b.ts",
  ]);
  assertEquals(findCircles(graphOf("a.ts -> a.ts")), ["Circle: a.ts -> a.ts"]);
  assertEquals(findCircles(graphOf("a.ts -> b.ts", "b.ts ~> a.ts")), []);
});

Deno.test("readGraph() reads imports of types, re-exports and imports at run time, and names broken files", async () => {
  const root = await Deno.makeTempDir();
  const write = async (path: string, source: string) => {
    await Deno.mkdir(join(root, path, ".."), { recursive: true });
    await Deno.writeTextFile(join(root, path), source);
  };
  try {
    await write("deno.json", '{ "imports": { "ovid": "./mod.ts" } }');
    await write("mod.ts", 'export * from "./core/a.ts";');
    await write("core/a.ts", 'import type { B } from "../box/b c.ts";\nexport type A = B;');
    await write("box/b c.ts", 'export type B = 1;\nawait import("ovid");');
    await write("box/broken.ts", "const = 1;");
    const files = ["mod.ts", "core/a.ts", "box/b c.ts", "box/broken.ts"];
    const { graph, errors } = await readGraph(await Deno.realPath(root), files);
    assertEquals(graph.get("mod.ts"), [{ to: "core/a.ts", lazy: false }]);
    assertEquals(graph.get("core/a.ts"), [{ to: "box/b c.ts", lazy: false }]);
    assertEquals(graph.get("box/b c.ts"), [{ to: "mod.ts", lazy: true }]);
    assertEquals(errors.length, 1);
    assertStringIncludes(errors[0] ?? "", "Cannot load box/broken.ts: ");
    assertEquals(findForbidden(graph).length, 2);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
