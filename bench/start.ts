// How long sixteen boxes take until each sees all others alive, and how much memory they have then, beside sixteen bare
// listeners.

import { bareCommand } from "./bare_command.ts";
import { type BenchAgent, Boxes } from "./boxes.ts";
import { type Contender, type Contest, rest } from "./contest.ts";
import { Process, type Self } from "./process.ts";

const boxes = 16;
/** After so long a process has nothing more to do with its start. */
const restMs = 2000;

/** The memory that a process has to itself, and its share of what it has in common with others, in megabytes. */
async function megabytesOf(processes: readonly Process[]): Promise<number> {
  if (Deno.build.os !== "linux") throw new Error("Cannot measure memory, want Linux and its /proc");
  let sum = 0;
  for (const { pid } of processes) {
    const text = await Deno.readTextFile(`/proc/${pid}/smaps_rollup`);
    sum += Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) / 1024;
  }
  return sum;
}

/** Starts what is measured, measures it, and ends it. */
type Trial = () => Promise<number>;

function trial(measure: Trial): Contender {
  return { measure, [Symbol.asyncDispose]: () => Promise.resolve() };
}

function gridAgents(): BenchAgent[][] {
  return Array.from({ length: boxes }, (_, index) => [{ id: `sink${index}`, type: "load_sink" }]);
}

/** Until all see all, in milliseconds; then what `then` makes of them. */
async function startBoxes(
  self: Self,
  then: (ms: number, processes: readonly Process[]) => Promise<number> | number,
): Promise<number> {
  const began = performance.now();
  await using all = new Boxes(self, gridAgents());
  // A box takes lines for its terminal once it is linked to all others.
  await Promise.all(all.processes.map((process) => process.ask("count")));
  return await then(performance.now() - began, all.processes);
}

async function startListeners(
  self: Self,
  then: (ms: number, processes: readonly Process[]) => Promise<number> | number,
): Promise<number> {
  const began = performance.now();
  await using stack = new AsyncDisposableStack();
  const all = Array.from(
    { length: boxes },
    () => stack.use(new Process(bareCommand(self, ["listener"]))),
  );
  await Promise.all(all.map((process) => process.hear()));
  return await then(performance.now() - began, all);
}

/** `ovid bench start`. */
export function startContest(self: Self, rounds: number): Contest {
  const time = (ms: number) => ms;
  return {
    name: "start",
    title: `${boxes} boxes, until each sees all others alive`,
    ceilingTitle: `${boxes} processes, until each listens`,
    unit: "ms",
    more: false,
    wanted: 5,
    reference: 219,
    rounds,
    ovid: () => Promise.resolve(trial(() => startBoxes(self, time))),
    ceiling: () => Promise.resolve(trial(() => startListeners(self, time))),
  };
}

/** `ovid bench memory`. */
export function memoryContest(self: Self, rounds: number): Contest {
  const memory = async (_ms: number, processes: readonly Process[]) => {
    await rest(restMs);
    return await megabytesOf(processes);
  };
  return {
    name: "memory",
    title: `${boxes} boxes that all see each other`,
    ceilingTitle: `${boxes} processes that listen`,
    unit: "MB",
    more: false,
    wanted: 2,
    reference: 200,
    rounds,
    ovid: () => Promise.resolve(trial(() => startBoxes(self, memory))),
    ceiling: () => Promise.resolve(trial(() => startListeners(self, memory))),
  };
}
