import { assertEquals } from "@std/assert";
import { agentId } from "../core/id.ts";
import * as ovid from "../mod.ts";
import { pluginApi } from "./plugin_api.ts";
import { outputsOf, sendsOf } from "./sandbox_batch.ts";
import { standIn } from "./sandbox_definition.ts";
import { parseAnswer, type SandboxBatch } from "./sandbox_words.ts";

const empty = {
  ...{ appends: [], sends: [], outputs: [], notes: [], said: [] },
  ...{ taken: 0, ended: false, busy: false },
};

function batch(parts: object): SandboxBatch | undefined {
  const answer = parseAnswer(JSON.stringify({ batch: { ...empty, ...parts } }));
  return answer !== undefined && "batch" in answer ? answer.batch : undefined;
}

Deno.test("parseAnswer() takes what a sandbox may say", () => {
  assertEquals(batch({}), empty);
  const full = {
    appends: [`{"line":"a"}`],
    sends: [
      { to: "a", message: { type: "add", amount: 1, deep: { list: [1, null, "x"] } } },
      { to: "b", message: { type: "text", port: 5, text: " two\nlines " } },
    ],
    outputs: [{ device: "file", output: { type: "append", path: "a", text: "t" } }],
    notes: [{ event: "one\ntwo", detail: { a: 1 } }],
    ...{ taken: 3, wakeAt: 7.5, busy: true, fault: { words: "oops", final: true } },
  };
  const read = batch(full);
  assertEquals(read?.sends[1]?.message, { type: "text", port: 5, text: "two lines" });
  assertEquals(read?.sends[0], full.sends[0]);
  assertEquals(read?.notes, [{ event: "one two", detail: { a: 1 } }]);
  assertEquals([read?.taken, read?.wakeAt, read?.fault?.final], [3, 7.5, true]);
  assertEquals(parseAnswer(`{"snapshot":null}`), { snapshot: null });
  assertEquals(parseAnswer(`{"dead":"${"x".repeat(9000)}"}`), { dead: "x".repeat(4000) });
});

Deno.test("parseAnswer() refuses what would harm its box", () => {
  const refused: object[] = [
    { appends: ["not JSON"] },
    { appends: ['{"a":\n1}'] },
    { appends: [5] },
    { sends: [{ to: "a", message: { amount: 1 } }] },
    { sends: [{ to: "a", message: { type: "text", port: -1, text: "x" } }] },
    { sends: [{ to: "a", message: { type: "text", port: 1 } }] },
    { sends: [{ to: "a", message: "text" }] },
    { outputs: [{ device: "http", output: { type: "listen", hostname: "::", port: 0 } }] },
    { outputs: [{ device: "process", output: { type: "end" } }] },
    { outputs: [{ device: "console", output: { type: "print" } }] },
    { outputs: [{ device: "file", output: { type: "write", path: "a", lines: [5] } }] },
    { taken: -1 },
    { taken: 0.5 },
    { wakeAt: "soon" },
    { said: new Array(101).fill("x") },
  ];
  for (const parts of refused) assertEquals(batch(parts), undefined, JSON.stringify(parts));
  const lines = [
    ...["", "null", "[]", "{}", "{", `{"batch":{}}`, `{"shape":{}}`, `{"snapshot":{"version":0}}`],
    `{"snapshot":{"version":1,"durable":"a\\nb"}}`,
    `{"batch":${JSON.stringify(empty)},"dead":"x"}`,
    `{"snapshot":null,"__proto__":{}}`,
    `{"snapshot":${"[".repeat(100_000)}`,
  ];
  for (const line of lines) assertEquals(parseAnswer(line), undefined, line.slice(0, 80));
});

Deno.test("what a sandbox asked for bears its agent's name, and goes to devices that it declared", () => {
  const me = agentId("me/../you");
  const outputs = [
    { device: "console", output: { type: "print", text: "x" } },
    { device: "terminal", output: { type: "print", text: "x" } },
    ...["own.txt", "../x", "a/../../x", "/etc/x", "a\\..\\x"].map((path) => ({
      device: "file",
      output: { type: "write", path, lines: [] },
    })),
  ];
  const read = batch({
    sends: [{ to: "a", from: "you", message: { type: "x" } }, {
      to: "a b",
      message: { type: "x" },
    }],
    outputs,
  });
  assertEquals(read && sendsOf(me, read), [
    { from: me, to: agentId("a"), message: { type: "x" } },
  ]);
  const definition = standIn({ type: "x", messages: [], devices: ["console", "file"] });
  const { taken, refused } = outputsOf(me, read ?? { ...empty }, definition);
  const path = "sandbox/agent_me%2F..%2Fyou/own.txt";
  assertEquals(taken, [
    { agent: me, output: { device: "console", output: { type: "print", text: "x" } } },
    { agent: me, output: { device: "file", output: { type: "write", path, lines: [] } } },
  ]);
  assertEquals(refused, ["terminal", "file", "file", "file", "file"]);
});

Deno.test("a sandbox's ovid has what agents are made of, and it is ovid's own", async () => {
  const exported: { readonly [name: string]: unknown } = ovid;
  for (const [name, value] of Object.entries(pluginApi)) assertEquals(value, exported[name], name);
  const text = await Deno.readTextFile(new URL("../mod.ts", import.meta.url));
  const files = ["data", "define", "error", "id", "random", "schema", "text"];
  const names = Array.from(text.matchAll(/export \{([^}]*)\} from "\.\/core\/(\w+)\.ts"/g))
    .filter(([, , file = ""]) => files.includes(file))
    .flatMap(([, list = ""]) => list.split(",").map((name) => name.trim()))
    .filter((name) => name !== "" && !name.startsWith("type "));
  assertEquals(names.filter((name) => !(name in pluginApi)), []);
  assertEquals(names.length, Object.keys(pluginApi).length);
});
