// Each rule must find what it is for, leave alone what only looks like it, and keep to its own files.

import { assertEquals, assertMatch } from "@std/assert";
import plugin from "./lint_plugin.ts";

/** What the plugin says of `source` as the file `path`: the rule and the text it points to. */
function lint(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, path, source).map(({ id, range }) => {
    const [start, end] = range;
    return `${id} ${source.slice(start, end)}`;
  });
}

const IMPURE: readonly (readonly [source: string, found: string])[] = [
  ["const now = Date.now();", "Date"],
  ["const now = new Date();", "Date"],
  ["const now = performance.now();", "performance"],
  ["setTimeout(() => {}, 1);", "setTimeout"],
  ["setInterval(() => {}, 1);", "setInterval"],
  ["queueMicrotask(() => {});", "queueMicrotask"],
  ["const later = { queueMicrotask };", "queueMicrotask"],
  ["const id = crypto.randomUUID();", "crypto"],
  ["const everything = globalThis;", "globalThis"],
  ["const text = new Intl.NumberFormat().format(1);", "Intl"],
  ["const die = Math.random();", "Math"],
  ["const { random } = Math;", "Math"],
  ['const die = Math["random"]();', "Math"],
  ["const wave = Math.sin(1);", "Math"],
  ["const power = Math.pow(2, 0.5);", "Math"],
  ["const growth = Math.exp(1) + 1;", "Math"],
  ["const order = a.localeCompare(b);", "localeCompare"],
  ["const text = (1).toLocaleString();", "toLocaleString"],
];

const UNSTEPLIKE: readonly (readonly [source: string, found: string])[] = [
  ['Deno.readTextFileSync("a");', "Deno"],
  ["const deno = (Deno as unknown);", "Deno"],
  ["const env = process.env;", "process"],
  ["function show() { console.log(1); }", "console"],
  ["const done = Promise.resolve();", "Promise"],
  ["const f = async () => 1;", "async () => 1"],
  ["async function f() {}", "async function f() {}"],
  ["class K { async f() {} }", "async f() {}"],
  ["const x = await y;", "await y"],
  ["for await (const x of y) {}", "for await (const x of y) {}"],
  ['const x = import("./x.ts");', 'import("./x.ts")'],
  ['import { readFileSync } from "node:fs";', '"node:fs"'],
  ["let count = 0;", "count = 0"],
  ["export let count = 0;", "count = 0"],
  ["var count = 0;", "count = 0"],
  ["const seen = new Set();", "seen = new Set()"],
  ["export const seen: Map<string, number> = new Map();", "seen: Map<string, number> = new Map()"],
  ["const list: number[] = new Array(3);", "list: number[] = new Array(3)"],
  ["class K { static made = 0; }", "static made = 0;"],
];

const PURE = `
import type { Clock } from "./clock.ts";
export interface Moment { Date: string; process(): void; at: Date; later: Promise<number> }
export type Now = typeof Date;
const names: ReadonlyMap<string, string> = new Map([["Date", "process"]]);
const known: ReadonlySet<string> = new Set();
const list: readonly number[] = new Array(3);
const table: Table = new Map();
export const limit = Math.max(1, Math.floor(Math.sqrt(2)));
export class Box { static readonly max = 3; crypto = 1; performance() {} }
export function refuse(value: { Date: number; fetch?: number }, clock: Clock) {
  let count = value.Date;
  const inside = new Map();
  if (value instanceof Promise) throw new TypeError("setTimeout");
  for (const x of [1]) count += x;
  return { fetch: count, names, known, list, table, inside, clock };
}
`;

Deno.test("ovid/pure: each thing that a step must not touch is found in core/ and agents/", () => {
  for (const [source, found] of [...IMPURE, ...UNSTEPLIKE]) {
    for (const path of ["core/host.ts", "core/config/parse.ts", "agents/kvs/tty.ts"]) {
      const findings = lint(path, source).filter((finding) => finding.startsWith("ovid/pure"));
      assertEquals(
        [...new Set(findings)].includes(`ovid/pure ${found}`),
        true,
        `${path}: ${source}`,
      );
    }
  }
});

Deno.test("ovid/pure: names of properties, types, and constants are left alone", () => {
  assertEquals(lint("core/host.ts", PURE), []);
  assertEquals(lint("sim/world.ts", PURE), []);
});

Deno.test("ovid/virtual: sim/ has no clock and no chance of its own, but may wait", () => {
  for (const [source, found] of IMPURE) {
    assertEquals(lint("sim/world.ts", source).includes(`ovid/virtual ${found}`), true, source);
  }
  for (const [source] of UNSTEPLIKE) assertEquals(lint("sim/world.ts", source), [], source);
});

Deno.test("ovid/pure and ovid/virtual keep to their folders, and out of tests and benchmarks", () => {
  const elsewhere = ["box/box.ts", "core/host_test.ts", "sim/a_bench.ts", "examples/agents/a.ts"];
  for (const path of elsewhere) {
    for (const [source] of [...IMPURE, ...UNSTEPLIKE]) {
      assertEquals(lint(path, source), [], `${path}: ${source}`);
    }
  }
});

Deno.test("ovid/pure: a file is placed by its path below the project's root", () => {
  const root = decodeURIComponent(new URL("..", import.meta.url).pathname);
  assertEquals(lint(`${root}core/a.ts`, "let a = 1;"), ["ovid/pure a = 1"]);
  assertEquals(lint(`${root}box/core/a.ts`, "let a = 1;"), []);
  assertEquals(lint("/home/agents/core/a.ts", "let a = 1;"), []);
});

Deno.test("ovid/pure: the message says what to do instead", () => {
  const [finding] = Deno.lint.runPlugin(plugin, "core/a.ts", "const now = Date.now();");
  assertEquals(finding?.message, '"Date" is not for this folder');
  assertMatch(finding?.hint ?? "", /ctx\.now/);
});

Deno.test("ovid/no-exit: only cli/ and tests end the process", () => {
  for (const path of ["box/box.ts", "tools/ok.ts", "mod.ts", "examples/own_agent/agent.ts"]) {
    const findings = lint(path, "if (bad) Deno.exit(1);");
    assertEquals(
      findings.filter((finding) => finding === "ovid/no-exit Deno.exit").length,
      1,
      path,
    );
    assertEquals(lint(path, "link.exit();").filter((finding) => /no-exit/.test(finding)), []);
  }
  for (const path of ["cli/main.ts", "tests/support/hang.ts", "box/box_test.ts"]) {
    assertEquals(lint(path, "Deno.exit(1);"), [], path);
  }
});

Deno.test("ovid/no-test-only: .only is found in tests", () => {
  const source = 'Deno.test.only("a", () => {});';
  assertEquals(lint("core/host_test.ts", source), ["ovid/no-test-only Deno.test.only"]);
  assertEquals(lint("core/host_test.ts", 'Deno.test("a", () => {}); limits.only = 1;'), []);
  assertEquals(lint("box/box.ts", source), []);
});

Deno.test("ovid/only-re-exports: mod.ts holds nothing of its own", () => {
  const reExports = 'export * from "./a.ts";\nexport { b, type C } from "./b.ts";\n';
  assertEquals(lint("mod.ts", reExports), []);
  assertEquals(lint("mod.ts", 'import "./a.ts";'), ['ovid/only-re-exports import "./a.ts";']);
  assertEquals(lint("mod.ts", "export const a = 1;"), ["ovid/only-re-exports export const a = 1;"]);
  assertEquals(lint("box/mod.ts", "export const a = 1;"), []);
});
