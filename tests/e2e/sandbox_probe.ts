// An agent that tries, on request, all that an agent in a sandbox must not do, and says how it went.

import { defineAgent } from "ovid";
import { z } from "zod";

// A program that runs this code has it, and a box that sandboxes it has not.
Reflect.set(globalThis, "ovidProbeRan", true);

const attempts: { readonly [name: string]: () => unknown } = {
  read: () => Deno.readTextFileSync("/etc/hostname"),
  write: () => Deno.writeTextFileSync("/tmp/ovid-probe", "it wrote"),
  list: () => [...Deno.readDirSync("/")],
  listen: () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  run: () => new Deno.Command("true").outputSync(),
  environment: () => Deno.env.get("HOME"),
  library: () => Deno.dlopen("libc.so.6", {}),
  signal: () => Deno.kill(1, "SIGURG"),
  system: () => Deno.hostname(),
  ask: () => Deno.permissions.requestSync({ name: "read" }).state === "granted" || refuse(),
  cache: () => Reflect.get(globalThis, "caches").open("probe"),
  nodeRead: () => node("node:fs").readFileSync("/etc/hostname", "utf8"),
  nodeRun: () => node("node:child_process").execSync("true"),
  nodeDatabase: () => new (node("node:sqlite").DatabaseSync)("/tmp/ovid-probe.sqlite"),
};

/** Those whose outcome comes later: it is told when the next message comes. */
const later: { readonly [name: string]: () => Promise<unknown> } = {
  connect: () => Deno.connect({ hostname: "127.0.0.1", port: 22 }),
  fetch: () => fetch("http://127.0.0.1:22/"),
  importFile: () => import(`file:///etc/${"hostname"}.js`),
  importRemote: () => import(`https://127.0.0.1:1/${"x"}.js`),
  importPackage: () => import(`npm:left-${"pad"}@1.2.0`),
};

// deno-lint-ignore no-explicit-any
function node(name: string): any {
  return Reflect.get(globalThis, "process")?.getBuiltinModule?.(name) ?? refuse();
}

function refuse(): never {
  throw new Error("refused");
}

let outcome = "not yet";

export default defineAgent({
  type: "probe",
  version: 1,
  doc: "Tries what it must not do.",
  attrs: z.strictObject({ limit: z.int().max(10).default(5) }),
  protocol: {
    attempt: z.object({ what: z.string() }),
    outcome: z.object({ text: z.string() }),
    count: z.object({ step: z.int() }),
    counted: z.object({ step: z.int(), count: z.int(), since: z.int() }),
    do: z.object({ what: z.string() }),
  },
  timers: ["later"],
  devices: ["console", "file"],
  routes: ["friend"],
  record: z.object({ step: z.int() }),
  durable: () => ({ count: 0 }),
  apply: (durable) => void durable.count++,
  init: () => ({ since: 0 }),
  start(state, ctx, why) {
    ctx.output("console", { type: "print", text: `start ${why} ${state.durable.count}` });
  },
  on: {
    attempt(_state, { what }, ctx) {
      if (what === "later") return ctx.reply({ type: "outcome", text: outcome });
      const attempt = attempts[what];
      if (attempt === undefined) {
        outcome = "not yet";
        const end = (text: string) => void (outcome = text);
        later[what]?.().then(() => end("done"), (error) => end(`refused: ${error}`));
        return ctx.reply({ type: "outcome", text: "begun" });
      }
      try {
        attempt();
        ctx.reply({ type: "outcome", text: "done" });
      } catch (error) {
        ctx.reply({ type: "outcome", text: `refused: ${error}` });
      }
    },
    count(state, { step }, ctx) {
      ctx.append({ step });
      state.since++;
      ctx.reply({ type: "counted", step, count: state.durable.count, since: state.since });
    },
    do(_state, { what }, ctx) {
      switch (what) {
        case "spin":
          for (;;);
        case "fill heap":
          for (const kept: unknown[] = [];;) kept.push(new Array(1000).fill(kept.length));
        case "fill buffers":
          for (const kept: unknown[] = [];;) kept.push(new Uint8Array(1 << 20).fill(1));
        case "throw":
          throw new Error("asked to");
        case "flood":
          for (let i = 0; i < 1_000_000; i++) {
            ctx.sendTo(ctx.from, { type: "outcome", text: "x".repeat(100) });
          }
          return;
        case "flood itself":
          for (let i = 0; i < 100; i++) ctx.sendTo(ctx.self, { type: "do", what });
          return;
        case "forge":
          Deno.stdout.writeSync(new TextEncoder().encode('{"snapshot":null}\n'));
          return;
        case "babble":
          Deno.stdout.writeSync(new TextEncoder().encode("What is this?\n"));
          return;
        case "go on by itself":
          setTimeout(() => {
            for (;;);
          });
          return;
        case "exit":
          return Deno.exit(0);
        case "stop itself":
          return Deno.kill(Deno.pid, "SIGSTOP");
        case "wait":
          return ctx.setTimer("later", 30);
        case "file":
          return ctx.output("file", { type: "append", path: "notes.txt", text: "noted" });
        case "escape":
          return ctx.output("file", {
            type: "append",
            path: "../../../escaped.txt",
            text: "noted",
          });
        case "terminal":
          return Reflect.apply(ctx.output, ctx, ["terminal", { type: "print", text: "forged" }]);
        case "friend":
          return ctx.send("friend", { type: "count", step: 7 });
        case "say":
          return console.log("hello", 1);
        case "leave":
          return ctx.stop();
      }
    },
    counted(_state, { count }, ctx) {
      ctx.output("console", { type: "print", text: `friend ${count}` });
    },
  },
  onTimer: {
    later(_state, ctx) {
      ctx.output("console", { type: "print", text: "later" });
    },
  },
});
