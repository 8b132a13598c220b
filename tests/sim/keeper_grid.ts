// An agent that keeps words durably, and one that says them: what most tests of the simulator play with.

import { z } from "zod";
import { type AgentDefinition, defineAgent } from "../../core/define.ts";
import type { Grid } from "../../core/grid.ts";
import { plainGrid } from "../../sim/plain_grid.ts";
import { World } from "../../sim/world.ts";
import type { WorldOptions } from "../../sim/world_options.ts";

const protocol = {
  say: z.object({ word: z.string() }),
  heard: z.object({ word: z.string() }),
};

/** Keeps words, durably, and says that it did; some words make it misbehave. */
export const keeper: AgentDefinition = defineAgent({
  type: "keeper",
  version: 1,
  doc: "Keeps what it is told.",
  attrs: z.object({}),
  protocol,
  record: z.string(),
  devices: ["console", "file"],
  timers: ["tick"],
  durable: () => ({ words: [] as string[] }),
  apply(durable, word) {
    durable.words.push(word);
  },
  init: () => ({ ticks: 0, said: 0 }),
  start(state, ctx, why) {
    ctx.note("up", { why, words: state.durable.words.length });
    ctx.setTimer("tick", 10);
  },
  on: {
    say(state, { word }, ctx) {
      state.said++;
      if (word !== "aside") ctx.append(word);
      if (word === "throw") throw new RangeError("it was told to");
      if (word === "fail") ctx.fail("it had enough");
      ctx.output("console", { type: "print", text: word });
      ctx.output("file", { type: "append", path: "words", text: word, stamp: true });
      ctx.reply({ type: "heard", word });
      if (word === "stop") ctx.stop();
    },
  },
  onTimer: {
    tick(state, ctx) {
      state.ticks++;
      ctx.note("tick", { ticks: state.ticks });
      ctx.setTimer("tick", 10);
    },
  },
  check(state) {
    if (state.durable.words.includes("wrong")) throw new Error("a wrong word was kept");
  },
});

/** Says what is typed; prints what comes back. */
export const speaker: AgentDefinition = defineAgent({
  type: "speaker",
  version: 1,
  doc: "Says each line to the keepers.",
  attrs: z.object({}),
  protocol,
  routes: ["keepers"],
  devices: ["terminal"],
  init: () => ({}),
  on: {
    heard(_state, { word }, ctx) {
      ctx.output("terminal", { type: "print", text: `${ctx.from} ${word}` });
    },
  },
  onDevice: {
    terminal(_state, event, ctx) {
      if (event.type === "eof") return ctx.stop();
      ctx.send("keepers", { type: "say", word: event.text });
    },
  },
});

/** A speaker on box `b1`, a keeper on `b2`. */
export const keeperGrid: Grid = plainGrid({
  speaker: { type: "speaker", box: "b1", routes: { keepers: ["keeper"] } },
  keeper: { type: "keeper", box: "b2" },
});

/** A world of {@linkcode keeperGrid}, started. */
export function makeWorld(options: Partial<WorldOptions> = {}): World {
  const world = new World({
    grid: keeperGrid,
    definitions: [keeper, speaker],
    seed: 1n,
    ...options,
  });
  world.start();
  return world;
}

/** Types words at the speaker. */
export function say(world: World, ...words: string[]): void {
  for (const word of words) world.line("speaker", word);
}

/** The details of all notes `name` of an agent, as they come. */
export function notesOf(world: World, agent: string, name: string): unknown[] {
  const details: unknown[] = [];
  world.observe((event) => {
    if (event.kind === "note" && event.note.agent === agent && event.note.event === name) {
      details.push(event.note.detail);
    }
  });
  return details;
}

/** What the keeper has in memory; undefined while its box is down. */
export function wordsOf(world: World): unknown {
  const state = world.inspect("keeper")?.state;
  return state === undefined ? undefined : Reflect.get(Reflect.get(state, "durable"), "words");
}
