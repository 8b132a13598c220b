import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { z } from "zod";
import { type AgentDefinition, defineAgent, findFault, isAgentDefinition } from "./define.ts";
import { text } from "./text.ts";

const whole = {
  type: "counter",
  version: 1,
  doc: "Counts.",
  attrs: z.object({}),
  protocol: { text, add: z.object({}) },
  ports: { 1: "anything" },
  timers: ["tick"],
  devices: ["terminal"],
  record: z.object({}),
  durable: () => ({}),
  apply: () => undefined,
  init: () => ({}),
  on: { add() {} },
  onTimer: { tick() {} },
  onDevice: { terminal() {} },
};

/** What a plugin in JavaScript may hand over: anything. */
function fault(change: Record<string, unknown>): string | undefined {
  return findFault({ ...whole, ...change } as unknown as AgentDefinition);
}

Deno.test("findFault() finds none in a whole definition, nor in the smallest", () => {
  assertEquals(fault({}), undefined);
  const { type, version, doc, attrs, protocol, init, on } = whole;
  assertEquals(findFault({ type, version, doc, attrs, protocol, init, on }), undefined);
});

const refusals: [change: Record<string, unknown>, fault: string][] = [
  [{ type: undefined }, "type is not a name without white space"],
  [{ type: "a b" }, "type is not a name without white space"],
  [{ version: 0 }, "version is not a whole number from 1"],
  [{ version: 1.5 }, "version is not a whole number from 1"],
  [{ version: "1" }, "version is not a whole number from 1"],
  [{ doc: "" }, "doc is empty, want a sentence on what it is for"],
  [{ doc: undefined }, "doc is empty, want a sentence on what it is for"],
  [{ attrs: undefined }, "attrs is not a schema"],
  [{ attrs: {} }, "attrs is not a schema"],
  [{ attrs: { "~standard": { version: 1 } } }, "attrs is not a schema"],
  [{ attrs: "z" }, "attrs is not a schema"],
  [{ protocol: undefined }, "protocol is not an object of schemas"],
  [{ protocol: null }, "protocol is not an object of schemas"],
  [{ protocol: { "a b": text } }, `protocol names a message "a b", want no white space`],
  [{ protocol: { add: {} } }, "protocol.add is not a schema"],
  [{ init: undefined }, "init is not a function"],
  [{ on: undefined }, "on is not an object of handlers"],
  [{ on: null }, "on is not an object of handlers"],
  [{ on: { sub() {} } }, "on.sub handles a message that protocol does not have"],
  [{ on: { toString() {} } }, "on.toString handles a message that protocol does not have"],
  [{ on: { add: 1 } }, "on.add is not a function"],
  [{ timers: ["a b"], onTimer: {} }, `timers names "a b", want no white space`],
  [{ timers: ["tick", "tock"] }, "timer tock has no handler in onTimer"],
  [{ timers: undefined }, "onTimer.tick handles a timer that timers does not declare"],
  [{ onTimer: undefined }, "timer tick has no handler in onTimer"],
  [
    { devices: ["door"] },
    "there is no device door, want one of terminal, console, file, process, http",
  ],
  [{ devices: undefined }, "onDevice.terminal handles a device that devices does not declare"],
  [{ ports: { "-1": "" } }, "port -1 is not a whole number from 0 to 65535"],
  [{ ports: { 65536: "" } }, "port 65536 is not a whole number from 0 to 65535"],
  [{ ports: { one: "" } }, "port one is not a whole number from 0 to 65535"],
  [{ record: undefined }, "durable, apply and record go together, want all three or none"],
  [{ durable: undefined }, "durable, apply and record go together, want all three or none"],
  [
    { apply: undefined, record: undefined },
    "durable, apply and record go together, want all three or none",
  ],
  [{ record: {} }, "record is not a schema"],
];

Deno.test("findFault() says what is wrong, and what is wanted", () => {
  for (const [change, want] of refusals) {
    assertEquals(fault(change), want, Deno.inspect(change));
  }
});

Deno.test("findFault() takes each port from 0 to 65535, and all three durable parts or none", () => {
  assertEquals(fault({ ports: { 0: "", 65535: "" } }), undefined);
  assertEquals(fault({ record: undefined, durable: undefined, apply: undefined }), undefined);
});

Deno.test("defineAgent() refuses a definition with a fault, and names it", () => {
  assertThrows(
    () => defineAgent({ ...whole, version: 0 } as unknown as Parameters<typeof defineAgent>[0]),
    TypeError,
    `Cannot define agent "counter": version is not a whole number from 1`,
  );
});

Deno.test("defineAgent() gives a definition that nobody can change", () => {
  const { type, version, doc, attrs, protocol, init, on } = whole;
  const definition = defineAgent({ type, version, doc, attrs, protocol, init, on });
  assert(Object.isFrozen(definition));
  assert(isAgentDefinition(definition));
});

Deno.test("isAgentDefinition() refuses what a plugin may export by mistake", () => {
  for (const value of [undefined, null, 1, "counter", () => whole, {}, []]) {
    assertFalse(isAgentDefinition(value));
  }
});
