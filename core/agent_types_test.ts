// Each refusal of the agent contract: the marked lines must not compile. `deno check` fails when one does.

import { assertThrows } from "@std/assert";
import { z } from "zod";
import { defineAgent } from "./define.ts";
import { type AgentId, agentId, type VirtualId, virtualId } from "./id.ts";
import { text } from "./text.ts";

const base = {
  version: 1,
  doc: "An agent whose only purpose is to be refused.",
  attrs: z.object({ limit: z.int(), home: z.string().transform((id): VirtualId => virtualId(id)) }),
  protocol: {
    text,
    put: z.object({ key: z.string(), tags: z.array(z.string()) }),
    done: z.object({ ok: z.boolean() }),
    ask: z.object({}),
  },
  record: z.object({ key: z.string(), tags: z.array(z.string()) }),
  durable: () => ({ keys: new Map<string, string[]>(), count: 0 }),
  init: () => ({ pending: [] as string[], seen: 0 }),
} as const;

Deno.test("defineAgent() infers every type of a handler without an annotation", () => {
  defineAgent({
    ...base,
    type: "accepted",
    routes: ["store"],
    timers: ["retry"],
    devices: ["terminal"],
    apply(durable, record) {
      durable.count++;
      durable.keys.set(record.key, [...record.tags]);
    },
    start(state, ctx, why) {
      const reason: "new" | "recovered" | "moved" = why;
      state.pending.push(reason);
      ctx.setTimer("retry", [10, 20], "a");
    },
    on: {
      put(state, message, ctx) {
        const key: string = message.key;
        const limit: number = ctx.attrs.limit;
        state.seen += limit + state.durable.count;
        ctx.append({ key, tags: [...message.tags] });
        ctx.send("store", { type: "text", text: key });
        ctx.send(ctx.attrs.home, { type: "done", ok: true });
        ctx.sendTo(ctx.from, { type: "text", port: 1, text: key });
        ctx.reply({ type: "done", ok: true });
        ctx.reply({ type: "ask" });
        ctx.output("terminal", { type: "print", text: key });
      },
      text(state, message) {
        state.seen += message.port;
      },
    },
    onTimer: {
      retry(state, ctx, key) {
        const name: string | undefined = key;
        ctx.note("retried", name ?? null);
        state.pending.pop();
      },
    },
    onDevice: {
      terminal(state, event) {
        if (event.type === "line") state.pending.push(event.text);
      },
    },
  });
});

Deno.test("defineAgent() refuses an async handler", () => {
  const apply = () => undefined;
  defineAgent({
    ...base,
    type: "refused",
    apply,
    on: {
      // @ts-expect-error: a handler cannot wait.
      async put() {
        await undefined;
      },
    },
  });
  defineAgent({
    ...base,
    type: "refused",
    // @ts-expect-error: neither can apply.
    async apply() {
      await undefined;
    },
    on: {},
  });
  defineAgent({
    ...base,
    type: "refused",
    apply,
    // @ts-expect-error: nor start.
    async start() {
      await undefined;
    },
    on: {},
  });
});

Deno.test("defineAgent() refuses a misspelt route and a bare string", () => {
  defineAgent({
    ...base,
    type: "refused",
    apply: () => undefined,
    routes: ["store"],
    on: {
      put(_state, message, ctx) {
        // @ts-expect-error: the route is called store.
        ctx.send("sotre", { type: "done", ok: true });
        // @ts-expect-error: a string is not a virtual destination.
        ctx.send(message.key, { type: "done", ok: true });
        // @ts-expect-error: a string is not an agent.
        ctx.sendTo(message.key, { type: "done", ok: true });
        // @ts-expect-error: nor is a virtual destination.
        ctx.sendTo(ctx.attrs.home, { type: "done", ok: true });
        // @ts-expect-error: and an agent is not a route, which might send its mail elsewhere.
        ctx.send(ctx.from, { type: "done", ok: true });
        // @ts-expect-error: the route is called store.
        ctx.targets("sotre");
      },
    },
  });
});

Deno.test("defineAgent() refuses a message that its protocol does not have", () => {
  defineAgent({
    ...base,
    type: "refused",
    apply: () => undefined,
    routes: ["store"],
    on: {
      put(_state, message, ctx) {
        // @ts-expect-error: done needs ok.
        ctx.reply({ type: "done" });
        // @ts-expect-error: ok is a boolean.
        ctx.reply({ type: "done", ok: 1 });
        // @ts-expect-error: ask has no fields.
        ctx.reply({ type: "ask", ok: true });
        // @ts-expect-error: there is no message gone.
        ctx.reply({ type: "gone", ok: true });
        // @ts-expect-error: text straight to an agent needs a port.
        ctx.reply({ type: "text", text: "a" });
        // @ts-expect-error: text along a route takes its port from the route.
        ctx.send("store", { type: "text", text: "a", port: 1 });
        // @ts-expect-error: put has no field size.
        ctx.note(message.size);
        // @ts-expect-error: there is no message gone.
        ctx.accepts(ctx.from, "gone");
      },
    },
  });
  assertThrows(
    () =>
      defineAgent({
        ...base,
        type: "refused",
        apply: () => undefined,
        on: {
          // @ts-expect-error: a handler for a message that the protocol does not have.
          gone() {},
        },
      }),
    TypeError,
    "on.gone handles a message that protocol does not have",
  );
});

Deno.test("defineAgent() refuses writes to messages, attrs and durable state", () => {
  defineAgent({
    ...base,
    type: "refused",
    apply(_durable, record) {
      // @ts-expect-error: a record is read-only.
      record.key = "b";
    },
    check(state) {
      // @ts-expect-error: durable state is read-only for check, too.
      state.durable.count = 1;
    },
    on: {
      put(state, message, ctx) {
        // @ts-expect-error: a message is read-only.
        message.key = "b";
        // @ts-expect-error: deeply.
        message.tags.push("b");
        // @ts-expect-error: only apply changes durable state.
        state.durable.count++;
        // @ts-expect-error: deeply.
        state.durable.keys.set("a", []);
        // @ts-expect-error: nor can it be replaced.
        state.durable = { keys: new Map(), count: 0 };
        // @ts-expect-error: the stamp of the host cannot be forged.
        ctx.from = ctx.self;
      },
    },
  });
});

Deno.test("defineAgent() refuses undeclared timers, devices and records", () => {
  defineAgent({
    ...base,
    type: "refused",
    apply: () => undefined,
    timers: ["retry"],
    devices: ["file"],
    on: {
      put(_state, _message, ctx) {
        // @ts-expect-error: the timer is called retry.
        ctx.setTimer("retyr", 10);
        // @ts-expect-error: the timer is called retry.
        ctx.clearTimer("retyr");
        // @ts-expect-error: this agent declared no terminal.
        ctx.output("terminal", { type: "print", text: "a" });
        // @ts-expect-error: a file takes appends.
        ctx.output("file", { type: "print", text: "a" });
        // @ts-expect-error: a record needs tags.
        ctx.append({ key: "a" });
      },
    },
    onTimer: { retry() {} },
  });
  assertThrows(
    () =>
      defineAgent({
        ...base,
        type: "refused",
        apply: () => undefined,
        timers: ["retry"],
        on: {},
        // @ts-expect-error: every timer needs its handler.
        onTimer: {},
      }),
    TypeError,
    "timer retry has no handler in onTimer",
  );
});

Deno.test("defineAgent() refuses a record where none is declared", () => {
  defineAgent({
    type: "refused",
    version: 1,
    doc: "An agent without durable state.",
    attrs: z.object({}),
    protocol: { go: z.object({}) },
    init: () => ({}),
    on: {
      go(_state, _message, ctx) {
        // @ts-expect-error: nothing to append to.
        ctx.append({ a: 1 });
        // @ts-expect-error: no timers were declared.
        ctx.setTimer("any", 1);
        // @ts-expect-error: no routes were declared.
        ctx.send("any", { type: "go" });
      },
    },
  });
});

Deno.test("AgentId and VirtualId cannot be confused, nor made from a bare string", () => {
  // @ts-expect-error: a string is not an agent id.
  const wrong: AgentId = "a";
  // @ts-expect-error: a virtual destination is not an agent.
  const swapped: AgentId = virtualId("a");
  const right: AgentId = agentId("a");
  void [wrong, swapped, right];
});
