// The inside of a sandbox: a worker without any permission, which loads one plugin and runs one agent of it on a
// host of its own. It shares its memory with the stranger's code, so that nobody outside trusts what it says.

import * as zod from "zod";
import type { AgentDefinition } from "../core/define.ts";
import { findFault, isAgentDefinition } from "../core/define.ts";
import type { Batch, Input } from "../core/envelope.ts";
import { messageOf } from "../core/error.ts";
import type { AgentEntry } from "../core/grid.ts";
import { Host } from "../core/host.ts";
import type { AgentId, BoxId } from "../core/id.ts";
import { virtualId } from "../core/id.ts";
import { type Schema, toJsonSchema, validate } from "../core/schema.ts";
import { hostModules, pluginApi } from "./plugin_api.ts";
import { ping, pong } from "./sandbox_keeper.ts";
import { codeUrl, standIn } from "./sandbox_definition.ts";
import {
  answerBytesMax,
  type DescribeRequest,
  sandboxDevices,
  type SandboxRequest,
  type StartRequest,
  type StepRequest,
} from "./sandbox_words.ts";

/** How long a step goes on taking inputs, and how many handlers run before it looks at the time. */
const stepMs = 20;
const handlersMax = 16;
const queueMax = 10_000;

/** All that a program may be permitted to do. */
const permissions = ["read", "write", "net", "env", "sys", "run", "ffi", "import"] as const;

/** Where agents of the same box live, as the host of this one sees it. */
const elsewhere = "elsewhere" as BoxId;

// Taken before any code of the plugin runs.
const clock = performance.now.bind(performance);
const post: (text: string) => void = Reflect.get(globalThis, "postMessage").bind(globalThis);

let said: string[] = [];
let running:
  | { readonly host: Host; readonly agent: AgentId; readonly untyped: Set<BoxId> }
  | undefined;

close();
addEventListener("message", (event) => {
  if (!(event instanceof MessageEvent)) return;
  if (event.data === ping) post(pong);
  else void answer(JSON.parse(event.data));
});

// Nothing is granted from here on, to nobody in this process; what cannot be asked for permission is taken away.
function close(): void {
  for (const name of permissions) {
    if (Deno.permissions.revokeSync({ name }).state === "granted") {
      throw new Error(`Cannot close the sandbox: it still has the permission ${name}`);
    }
  }
  for (const name of ["caches", "postMessage"]) Reflect.deleteProperty(globalThis, name);
  Reflect.set(globalThis, Symbol.for(hostModules), { ovid: pluginApi, zod });
  for (const level of ["debug", "info", "log", "warn", "error"] as const) {
    console[level] = (...parts: unknown[]) => {
      if (said.length < 100) said.push(parts.map(String).join(" "));
    };
  }
}

async function answer(request: SandboxRequest): Promise<void> {
  const text = JSON.stringify(await work(request).catch((error) => ({ failed: stackOf(error) })));
  // In bytes no more than three times as long, which whoever reads it allows.
  if (text.length <= answerBytesMax / 4) return post(text);
  const words = `It asked for more than ${answerBytesMax >> 22} MB in one step`;
  post(JSON.stringify(request.do === "snapshot" ? { failed: words } : { dead: words }));
}

async function work(request: SandboxRequest): Promise<object> {
  switch (request.do) {
    case "describe":
      return { shape: describe(await load(request.code), request) };
    case "start":
      return { batch: start(await load(request.code), request) };
    case "step":
      return { batch: step(request) };
    case "snapshot":
      return { snapshot: running?.host.snapshot()?.get(running.agent) ?? null };
  }
}

let blob = "";

async function load(code: string): Promise<AgentDefinition> {
  blob = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const { default: value }: { default?: unknown } = await import(blob);
  const found = value === undefined
    ? "it has no default export"
    : isAgentDefinition(value)
    ? undefined
    : `its default export is no definition: ${findFault(Object(value))}`;
  if (found !== undefined || !isAgentDefinition(value)) {
    throw new TypeError(`${found}, want \`export default defineAgent({ ... })\``);
  }
  const device = value.devices?.find((each) => !sandboxDevices.has(each));
  if (device !== undefined) {
    const wanted = `want ${[...sandboxDevices].join(", ")}, or no sandbox`;
    throw new TypeError(`it has the device ${JSON.stringify(device)}, ${wanted}`);
  }
  return value;
}

function describe(definition: AgentDefinition, { attrs }: DescribeRequest): object {
  const { type, version, doc, ports = {}, routes = [], timers = [], devices = [] } = definition;
  const messages = Object.entries(definition.protocol).map(([name, schema]) => [
    name,
    { taken: Object.hasOwn(definition.on, name), body: jsonSchemaOf(schema) },
  ]);
  return {
    ...{ type, version, doc, ports, routes, timers, devices },
    attrs: jsonSchemaOf(definition.attrs),
    messages: Object.fromEntries(messages),
    judged: attrs.map((each) => judge(definition.attrs, each)),
  };
}

function judge(schema: Schema<unknown>, attrs: unknown): object[] {
  try {
    const verdict = validate(schema, attrs);
    if (verdict.ok) return [];
    return verdict.issues.map(({ message, path = [] }) => ({
      message,
      path: path.map((step) => {
        const key = typeof step === "object" ? step.key : step;
        return typeof key === "number" ? key : String(key);
      }),
    }));
  } catch (error) {
    return [{ message: messageOf(error), path: [] }];
  }
}

function jsonSchemaOf(schema: Schema<unknown>): object | null {
  try {
    return toJsonSchema(schema) ?? null;
  } catch {
    // It may judge what JSON Schema cannot say.
    return null;
  }
}

function start(definition: AgentDefinition, request: StartRequest): object {
  const { agent: { id, attrs, routes }, box, others, takes, seed, loss, image, now } = request;
  const untyped = new Set(request.untyped);
  const entry: AgentEntry = {
    ...{ id, box, attrs, type: "own" },
    routes: new Map(routes.map(([name, targets]) => [virtualId(name), targets])),
  };
  const neighbours = others.map(({ id, type, box: home }): [AgentId, AgentEntry] => [id, {
    ...{ id, type: `their ${type}`, box: home === box ? elsewhere : home, attrs: {} },
    routes: new Map(),
  }]);
  const agents = new Map([[id, entry], ...neighbours]);
  const definitions = new Map([["own", definition]]);
  for (const [type, messages] of Object.entries(takes)) {
    definitions.set(`their ${type}`, standIn({ type, messages }));
  }
  const host = new Host({
    ...{ box, definitions, loss, queueMax, stepMailMax: handlersMax, seed: BigInt(seed) },
    grid: { file: "", agents, boxes: [], plugins: new Map() },
    takesTyped: (peer) => !untyped.has(peer),
    // Who is none of the grid may be a guest, as the box knows.
    isGuest: (other) => !agents.has(other),
  });
  const images = new Map(image === undefined ? [] : [[id, image]]);
  running = { host, agent: id, untyped };
  return merge([host.boot(now, images)], 0);
}

function step({ now, inputs, untyped }: StepRequest): object {
  if (running === undefined) throw new Error("Cannot step before the start");
  const { host } = running;
  running.untyped.clear();
  for (const box of untyped) running.untyped.add(box);
  const batches: Batch[] = [];
  const until = clock() + stepMs;
  let taken = 0;
  let batch: Batch;
  do {
    const next: Input[] = inputs.slice(taken, taken + 1);
    taken += next.length;
    batch = host.step(now, next);
    batches.push(batch);
  } while (
    batch.faults.length === 0 && batch.endings.length === 0 && clock() < until &&
    (taken < inputs.length || batch.busy)
  );
  return merge(batches, taken);
}

function merge(batches: readonly Batch[], taken: number): object {
  const last = batches.at(-1);
  const [fault] = last?.faults ?? [];
  const console = said;
  said = [];
  return {
    appends: batches.flatMap(({ appends }) => appends.map(({ record }) => record)),
    sends: batches.flatMap(({ sends }) => sends.map(({ to, message }) => ({ to, message }))),
    outputs: batches.flatMap(({ outputs }) => outputs.map(({ output }) => output)),
    notes: batches.flatMap(({ notes }) => notes.map(({ event, detail }) => ({ event, detail }))),
    said: console,
    taken,
    fault: fault && { words: stackOf(fault.error), final: fault.then === "stopped" },
    ended: (last?.endings.length ?? 0) > 0,
    wakeAt: last?.wakeAt,
    busy: last?.busy ?? false,
  };
}

function stackOf(error: unknown): string {
  const stack = error instanceof Error ? error.stack ?? error.message : String(error);
  return blob === "" ? stack : stack.replaceAll(blob, codeUrl);
}
