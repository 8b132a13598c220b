import {
  assert,
  assertEquals,
  assertGreater,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { z } from "zod";
import { kvsReplica } from "../agents/kvs/replica.ts";
import { makeVrReplica, vrReplica } from "../agents/vr/replica.ts";
import { type VrRules, vrRules } from "../agents/vr/rules.ts";
import { type AgentDefinition, defineAgent } from "../core/define.ts";
import { explore, type Subject } from "./explore.ts";
import type { BoxStep } from "./explore_state.ts";
import { kvsSubjectOf, vrSubjectOf } from "./explore_subjects.ts";
import { plainGrid } from "./plain_grid.ts";

/** `subject`, in which nothing must happen but what `is` is not true of. */
function reaching(subject: Subject, is: (step: BoxStep) => boolean): Subject {
  return {
    ...subject,
    seen: 0,
    judge: (_seen, step, violated) => is(step) ? violated("reached") : 0,
  };
}

const prints = ({ outputs }: BoxStep, what: string) => JSON.stringify(outputs).includes(what);

function brokenVr(rules: Partial<VrRules>): Subject {
  return vrSubjectOf(makeVrReplica({ rules: { ...vrRules, ...rules } }));
}

Deno.test("explore() goes through all of vr with one view change, and finds nothing", () => {
  const { complete, violation, states, depth } = explore(vrSubjectOf(vrReplica));
  assertEquals([complete, violation], [true, undefined]);
  // Far fewer would mean that something never happens.
  assertGreater(states, 50_000);
  assertGreater(depth, 20);
});

Deno.test("explore() reaches an answer in vr, before and after a view change", () => {
  const subject = vrSubjectOf(vrReplica);
  const answered = reaching(subject, (step) => prints(step, "applied"));
  assertEquals(explore(answered, { timers: 0 }).violation?.steps, 8);
  // The client has learnt of view 1 by the time it prints its result.
  const changed = reaching(
    subject,
    (step) => prints(step, "applied") && JSON.stringify([...step.to.agents]).includes('"view":1'),
  );
  assertEquals(explore(changed).violation?.what, "reached");
});

Deno.test("explore() tells the shortest story of a quorum that is too small", () => {
  const { violation } = explore(brokenVr({ quorum: (size) => Math.floor(size / 2) }));
  assert(violation !== undefined);
  assertEquals(violation.steps, 2);
  assertStringIncludes(violation.what, "r2 begins view 1 without op 1");
  const told = violation.story.slice(violation.story.indexOf("step 1"));
  assertEquals(told.filter((line) => !line.startsWith("    ")), [
    "step 1",
    'client -> r1  request {"client":"client","session":0,"request":1,"command":{"kind":"open"}}',
    "step 2",
    "r2 wakes, its clock at 157 ms",
  ]);
  assertStringIncludes(told.join("\n"), "r2 *  vr.view_change.completed");
});

Deno.test("explore() finds a new primary that takes the shortest log, and no story is shorter", () => {
  const subject = brokenVr({
    chooseLog: (votes) => [...votes].sort(([, a], [, b]) => a.op - b.op)[0]?.[0],
  });
  const { violation } = explore(subject);
  assertEquals(violation?.steps, 7);
  assertEquals(explore(subject, { depth: 7 }).violation?.what, violation?.what);
  const { violation: none, complete } = explore(subject, { depth: 6 });
  assertEquals([none, complete], [undefined, false]);
  // Without a timer there is no view change, and so nothing to be found.
  assertEquals(explore(subject, { timers: 0 }).violation, undefined);
});

Deno.test("explore() makes a violation of a fault, such as a check that fails", () => {
  const { violation } = explore(brokenVr({ cutLog: (log) => [...log] }));
  assertStringIncludes(violation?.what ?? "", "faults: ");
  assertStringIncludes(violation?.story.at(-1) ?? "", "FAULT");
});

Deno.test("explore() goes through all of kvs with a crash, and finds a put that is executed twice", () => {
  const { complete, violation } = explore(kvsSubjectOf(kvsReplica));
  assertEquals([complete, violation], [true, undefined]);
  const answered = reaching(kvsSubjectOf(kvsReplica), (step) => prints(step, '"ok"'));
  assertEquals(explore(answered).violation?.steps, 2);
  const forgetful: AgentDefinition = {
    ...kvsReplica,
    apply: (durable, record) => kvsReplica.apply?.(durable, { ...Object(record), mark: undefined }),
  };
  const found = explore(kvsSubjectOf(forgetful));
  assertEquals(found.violation?.what, "the put was executed twice");
  // The retry is sent, and both requests arrive.
  assertEquals(found.violation?.steps, 3);
});

const protocol = { word: z.object({ word: z.string() }) };

/** Sends `a` and `b`, and `c` when its timer is due. */
const speaker = defineAgent({
  type: "speaker",
  version: 1,
  doc: "Speaks.",
  attrs: z.object({}),
  protocol,
  routes: ["1"],
  timers: ["later"],
  record: z.object({ life: z.int() }),
  durable: () => ({ lives: 0 }),
  apply: (durable) => {
    durable.lives++;
  },
  init: () => ({ drawn: 0 }),
  start(state, ctx, why) {
    ctx.append({ life: 1 });
    state.drawn = ctx.random();
    if (why !== "new") return ctx.send("1", { type: "word", word: `life ${state.durable.lives}` });
    ctx.send("1", { type: "word", word: "a" });
    ctx.send("1", { type: "word", word: "b" });
    ctx.setTimer("later", [10, 20]);
  },
  on: {},
  onTimer: {
    later: (_state, ctx) => ctx.send("1", { type: "word", word: `c at ${ctx.now}` }),
  },
});

const listener = defineAgent({
  type: "listener",
  version: 1,
  doc: "Writes down what it hears.",
  attrs: z.object({}),
  protocol,
  devices: ["terminal"],
  init: () => ({ heard: [] as string[] }),
  on: {
    word(state, { word }, ctx) {
      state.heard.push(word);
      ctx.output("terminal", { type: "print", text: state.heard.join(" ") });
    },
  },
});

function wordsOf(definitions: readonly AgentDefinition[] = [speaker, listener]): Subject {
  return {
    name: "words",
    doc: "A few words",
    grid: plainGrid({
      speaker: { type: "speaker", box: "s", routes: { "1": ["listener"] } },
      listener: { type: "listener", box: "l" },
    }),
    definitions,
    victims: ["s"],
    lines: [],
    bounds: { losses: 0, timers: 0, crashes: 0, depth: 100, states: 1000 },
    seen: 0,
    judge: () => 0,
  };
}

/** How many steps it takes until the listener has heard just this. */
function stepsTo(heard: string, changes: Parameters<typeof explore>[1] = {}): number | undefined {
  const subject = reaching(wordsOf(), (step) => prints(step, `"text":"${heard}"`));
  return explore(subject, changes).violation?.steps;
}

Deno.test("explore() keeps the order of messages between two boxes, unless told otherwise", () => {
  assertEquals(explore(wordsOf()).states, 3);
  assertEquals([stepsTo("a b"), stepsTo("b a")], [2, undefined]);
  assertEquals([stepsTo("b a", { reorder: true }), stepsTo("a a", { reorder: true })], [
    2,
    undefined,
  ]);
});

Deno.test("explore() loses no more messages than it may", () => {
  assertEquals([stepsTo("b"), stepsTo("b", { losses: 1 })], [undefined, 2]);
  assertEquals(stepsTo("c at 10", { losses: 1, timers: 1 }), undefined);
  assertEquals(stepsTo("c at 10", { losses: 2, timers: 1 }), 4);
});

Deno.test("explore() fires no more timers than it may, each when it is due", () => {
  assertEquals([stepsTo("a b c at 10"), stepsTo("a b c at 10", { timers: 1 })], [undefined, 4]);
});

Deno.test("explore() crashes only victims, who keep their disks and lose their timers", () => {
  assertEquals(stepsTo("a b life 2"), undefined);
  assertEquals(stepsTo("a b life 2", { crashes: 1 }), 5);
  assertEquals(stepsTo("a b life 2 life 3", { crashes: 1 }), undefined);
  assertEquals(stepsTo("a b life 2 life 3", { crashes: 2 }), 8);
  assertEquals(stepsTo("a b life 2 c at 10", { crashes: 1, timers: 1 }), undefined);
  // The listener is no victim: it never forgets.
  assertEquals(stepsTo("life 2", { crashes: 2 }), undefined);
  const both = { ...wordsOf(), victims: ["s", "l"] };
  const forgets = reaching(both, (step) => prints(step, '"text":"b"'));
  assertEquals(explore(forgets, { crashes: 1 }).violation?.steps, 4);
});

Deno.test("explore() says whether its bounds have cut it off", () => {
  const bounds = { timers: 1, crashes: 1 };
  const all = explore(wordsOf(), bounds);
  assertEquals(all.complete, true);
  assertEquals(explore(wordsOf(), { ...bounds, depth: all.depth + 1 }), all);
  assertEquals(explore(wordsOf(), { ...bounds, depth: all.depth - 1 }).complete, false);
  assertEquals(explore(wordsOf(), { ...bounds, states: all.states + 1 }), all);
  const cut = explore(wordsOf(), { ...bounds, states: all.states - 1 });
  assertEquals([cut.complete, cut.states], [false, all.states - 1]);
});

Deno.test("explore() refuses agents that depend on more than their inputs", () => {
  let count = 0;
  const fickle: AgentDefinition = { ...listener, init: () => ({ heard: [String(count++)] }) };
  assertThrows(
    () => explore(wordsOf([speaker, fickle])),
    Error,
    "Cannot explore l: the same inputs have given two states",
  );
});
