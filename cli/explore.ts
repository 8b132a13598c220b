// `ovid explore`: tries all that can happen to a small grid, and shows the shortest way to what must not.

import { type Bounds, type Exploration, explore, type Subject } from "../sim/explore.ts";
import { subjects } from "../sim/explore_subjects.ts";
import { type Call, type Command, exitCodes, unknownWord, UsageError } from "./command.ts";

/** How the program ends when something can happen that must never be. */
const violationCode = 10;

const countMax = 1_000_000_000;

const subjectList = [...subjects.values()].map(({ name, doc, bounds }) =>
  `  ${name.padEnd(6)} ${doc}: ${describeFaults(bounds)}`
);

/** `ovid explore`. */
export const command: Command = {
  name: "explore",
  synopsis: "SCENARIO",
  summary: "Tries all that can happen to a small grid, in every order.",
  doc:
    `Where \`ovid sim\` draws what happens, this goes through all of it: every order in which messages arrive or are
lost, timers fire, and boxes crash and start again. Time stands still until a timer fires, and what an agent appends
is on disk at once. What was met before is not explored again. The shortest way to a failure is shown, step by step.
SCENARIO is one of these, with what each explores by default:

${subjectList.join("\n")}

Exit codes: 0 nothing found, 10 something can happen that must never be, 2 wrong usage.`,
  words: [...subjects.keys()],
  operands: [1, 1],
  flags: [
    { name: "losses", value: "N", doc: "Lets up to N messages be lost" },
    { name: "timers", value: "N", doc: "Lets up to N timers fire" },
    { name: "crashes", value: "N", doc: "Lets boxes crash up to N times" },
    { name: "reorder", doc: "Lets messages between two boxes overtake each other" },
    { name: "depth", value: "N", doc: "Takes at most N steps from the start" },
    { name: "states", value: "N", doc: "Gives up after N states" },
    { name: "json", doc: "Prints what was found as JSON" },
  ],
  examples: [
    { line: "ovid explore vr", doc: "A replicated counter, through one view change" },
    { line: "ovid explore lease", doc: "A lease of three nodes, clocks as wrong as they may be" },
    { line: "ovid explore vr --crashes 1 --timers 0", doc: "The same with a crash in its place" },
  ],
  run(call) {
    const [name = ""] = call.operands;
    const subject = subjects.get(name);
    if (subject === undefined) {
      throw new UsageError(unknownWord(`scenario ${name}`, name, [...subjects.values()]));
    }
    const bounds = readBounds(subject, call);
    const since = performance.now();
    const found = explore(subject, bounds);
    const seconds = (performance.now() - since) / 1000;
    if (call.has("json")) console.log(JSON.stringify({ scenario: name, bounds, ...found }));
    else console.log(describe(subject, bounds, found, seconds));
    return Promise.resolve(found.violation === undefined ? exitCodes.fine : violationCode);
  },
};

function readBounds({ bounds }: Subject, call: Call): Bounds {
  return {
    losses: call.integer("losses", 0, countMax) ?? bounds.losses,
    timers: call.integer("timers", 0, countMax) ?? bounds.timers,
    crashes: call.integer("crashes", 0, countMax) ?? bounds.crashes,
    reorder: call.has("reorder"),
    depth: call.integer("depth", 0, countMax) ?? bounds.depth,
    states: call.integer("states", 1, countMax) ?? bounds.states,
  };
}

function describeFaults({ losses, timers, crashes }: Bounds): string {
  return [
    plural(losses, "loss", "losses"),
    plural(timers, "timer"),
    plural(crashes, "crash", "crashes"),
  ]
    .join(", ");
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

function describe(
  { name }: Subject,
  bounds: Bounds,
  { states, depth, complete, violation }: Exploration,
  seconds: number,
): string {
  const faults = `${describeFaults(bounds)}${bounds.reorder ? ", any order" : ""}`;
  const measured = `${name}, ${faults}: ${plural(states, "state")}, depth ${depth}, ` +
    `${seconds.toFixed(1)} s`;
  if (violation !== undefined) {
    const { what, steps, story } = violation;
    return [...story, "", `After ${plural(steps, "step")}: ${what}`, measured].join("\n");
  }
  if (complete) return `${measured}\nComplete: within these bounds nothing goes wrong`;
  const limit = depth >= bounds.depth ? `--depth ${bounds.depth}` : `--states ${bounds.states}`;
  return `${measured}\nNot complete: nothing goes wrong up to ${limit}, the rest was not explored`;
}
