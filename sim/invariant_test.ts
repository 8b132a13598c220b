import { assertEquals, assertThrows } from "@std/assert";
import { z } from "zod";
import { defineAgent } from "../core/define.ts";
import { defineInvariant, type Invariant, InvariantWatch, type View } from "./invariant.ts";
import { plainGrid } from "./plain_grid.ts";
import { World } from "./world.ts";

const keeper = defineAgent({
  type: "keeper",
  version: 1,
  doc: "Keeps what is typed.",
  attrs: z.object({}),
  protocol: {},
  devices: ["terminal"],
  record: z.object({ line: z.string() }),
  durable: () => ({ lines: [] as string[] }),
  apply: (durable, { line }) => void durable.lines.push(line),
  init: () => ({ typed: 0 }),
  on: {},
  onDevice: {
    terminal(state, event, ctx) {
      if (event.type !== "line") return;
      state.typed++;
      ctx.append({ line: event.text });
      ctx.output("terminal", { type: "print", text: event.text });
    },
  },
});

function makeWorld(): World {
  const grid = plainGrid({
    a: { type: "keeper", box: "b1" },
    b: { type: "keeper", box: "b2" },
  });
  return new World({ grid, definitions: [keeper], seed: 1n, disk: { tornTails: false } });
}

/** A watch over a world with one invariant; what it complains of is thrown. */
function watch(world: World, invariant: Invariant): InvariantWatch {
  return new InvariantWatch(world, [{ name: "./it.ts", invariant }], (what) => {
    throw new Error(what);
  });
}

/** What an invariant would see now. */
function seen<T>(world: World, look: (view: View) => T): T {
  let found: T | undefined;
  watch(world, defineInvariant({ doc: "Looks.", always: (view) => void (found = look(view)) }))
    .look();
  if (found === undefined) throw new Error("The invariant was not asked");
  return found;
}

Deno.test("an invariant sees the states of agents with their types, and no cast is needed", () => {
  const world = makeWorld();
  assertEquals(seen(world, ({ agents }) => agents.length), 0);
  world.start();
  world.line("a", "x");
  world.runFor(10);
  const typed = seen(world, (view) =>
    view.of(keeper).map(({ id, box, state }) => {
      const lines: readonly string[] = state.durable.lines;
      // @ts-expect-error: a misspelt field does not compile.
      const nothing: unknown = state.durable.line;
      assertEquals(nothing, undefined);
      return `${id} ${box} ${state.typed} ${lines.join()}`;
    }));
  assertEquals(typed, ["a b1 1 x", "b b2 0 "]);
  assertEquals(seen(world, (view) => view.printed("a")), ["x"]);
});

Deno.test("an invariant cannot change what it looks at, whatever it tries", () => {
  const world = makeWorld();
  world.start();
  const changing = watch(world, {
    doc: "Changes.",
    always(view) {
      for (const { state } of view.of(keeper)) {
        // @ts-expect-error: the state is read-only.
        state.typed = 9;
      }
    },
  });
  assertThrows(
    () => changing.look(),
    Error,
    "./it.ts is broken: TypeError: Cannot change the state",
  );
  assertEquals(seen(world, (view) => view.of(keeper).map(({ state }) => state.typed)), [0, 0]);
});

Deno.test("an invariant knows what a crash may still take back, and who is down", () => {
  const world = makeWorld();
  const states: string[] = [];
  const looking = watch(world, {
    doc: "Notes.",
    always(view) {
      const line = view.of(keeper).map(({ id, state, synced }) =>
        `${id}${state.durable.lines.length}${synced ? "" : "?"}`
      ).join(" ");
      if (states.at(-1) !== line) states.push(line);
    },
  });
  world.start();
  world.line("a", "x");
  world.runUntil(() => (looking.look(), world.printed("a").length === 1));
  world.line("a", "y");
  world.runUntil(() => (looking.look(), states.at(-1) === "a2? b0"));
  world.crash("b1");
  looking.look();
  world.start("b1");
  looking.look();
  assertEquals(states, ["a0 b0", "a1? b0", "a1 b0", "a2? b0", "b0", "a1 b0"]);
});

Deno.test("an invariant remembers from look to look, and not from run to run", () => {
  const counting = defineInvariant({
    doc: "Counts.",
    memory: () => ({ looks: 0 }),
    always(_view, memory) {
      if (++memory.looks > 2) throw new Error(`${memory.looks} looks`);
    },
  });
  for (let run = 0; run < 3; run++) {
    const looking = watch(makeWorld(), counting);
    looking.look();
    looking.look();
    assertThrows(() => looking.look(), Error, "Invariant ./it.ts is broken: 3 looks");
  }
});

Deno.test("an invariant that waits is told by its name; what it throws is a broken invariant", () => {
  const world = makeWorld();
  world.start();
  const waiting = watch(
    world,
    defineInvariant({
      doc: "Everybody has typed.",
      eventually: (view) => view.of(keeper).every(({ state }) => state.typed > 0),
    }),
  );
  assertEquals(waiting.waitsFor(), "./it.ts: Everybody has typed.");
  world.line("a", "x");
  world.line("b", "x");
  world.runFor(1);
  assertEquals(waiting.waitsFor(), undefined);
  const broken = watch(world, {
    doc: "Breaks.",
    eventually: () => {
      throw new Error("enough");
    },
  });
  assertThrows(() => broken.waitsFor(), Error, "Invariant ./it.ts is broken: enough");
  assertEquals(watch(world, { doc: "Waits for nothing.", atEnd: () => {} }).waitsFor(), undefined);
});

Deno.test("an invariant looks for the last time at the end, and cannot wait", () => {
  const ends: string[] = [];
  const looking = watch(makeWorld(), {
    doc: "Ends.",
    always: () => void ends.push("always"),
    atEnd: () => void ends.push("end"),
  });
  looking.look();
  looking.end();
  assertEquals(ends, ["always", "always", "end"]);
  // As JavaScript sees it.
  const asynchronous: Invariant = Object({ doc: "Waits.", always: () => Promise.resolve() });
  assertThrows(() => watch(makeWorld(), asynchronous).look(), Error, "it returned a promise");
});

Deno.test("defineInvariant() refuses what looks at nothing, and what is no function", () => {
  const refusals: [unknown, string][] = [
    [{ doc: "x" }, "it looks at nothing, want always, eventually or atEnd"],
    [{ always() {} }, "doc is empty"],
    [{ doc: "x", always: 5 }, "always is not a function"],
    [{ doc: "x", always() {}, memory: {} }, "memory is not a function"],
  ];
  for (const [definition, words] of refusals) {
    assertThrows(() => defineInvariant(Object(definition)), TypeError, words);
  }
});
