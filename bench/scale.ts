// How the cost grows: messages a second of a whole grid by the number of agents in each of two boxes, and by the number
// of boxes. More agents in a box must not make a message dearer; more boxes share the same processors.

import { type BenchAgent, Boxes } from "./boxes.ts";
import { rest } from "./contest.ts";
import type { Self } from "./process.ts";
import { median } from "./statistics.ts";

/** One size, and what it came to in each round. */
export interface ScalePoint {
  readonly size: number;
  readonly rates: readonly number[];
}

/** One line of the chart. */
export interface ScaleSeries {
  readonly name: string;
  /** What the sizes count. */
  readonly of: string;
  readonly points: readonly ScalePoint[];
}

const agentCounts = [1, 10, 100] as const;
const boxCounts = [2, 4, 8, 16] as const;
const leadMs = 300;
const sliceMs = 800;

/**
 * Boxes in a ring: each source sends to a sink in the next box. Every box has a starter, to which the terminal belongs
 * and which tells the sources of its box to go.
 */
function ring(boxes: number, pairs: number): BenchAgent[][] {
  return Array.from({ length: boxes }, (_, box) => {
    const next = (box + 1) % boxes;
    const sinks = Array.from({ length: pairs }, (_, index) => ({
      id: `sink-${box}-${index}`,
      type: "load_sink",
      attrs: { every: 64 },
    }));
    const sources = Array.from({ length: pairs }, (_, index) => ({
      id: `source-${box}-${index}`,
      type: "load_source",
      attrs: { window: Math.max(128, Math.floor(4096 / pairs)), runs: true },
      routes: { sink: [`sink-${next}-${index}`] },
    }));
    return [...sinks, ...sources];
  });
}

/** Messages a second that arrive in a grid of `boxes` boxes with `pairs` sources and as many sinks each. */
async function rateOf(self: Self, boxes: number, pairs: number): Promise<number> {
  await using all = new Boxes(self, ring(boxes, pairs));
  const count = async () => {
    const answers = await Promise.all(all.processes.map((process) => process.ask("count")));
    return answers.map((answer) => JSON.parse(answer) as { taken: number; now: number });
  };
  await count();
  await rest(leadMs);
  const before = await count();
  await rest(sliceMs);
  const after = await count();
  // The first sink of each box stands for all of its box: they take turns.
  return pairs * after.reduce((sum, { taken, now }, index) => {
    const { taken: was = 0, now: then = 0 } = before[index] ?? {};
    return sum + (taken - was) / (now - then) * 1000;
  }, 0);
}

/** Measures all sizes, `rounds` times each. */
export async function runScale(
  self: Self,
  rounds: number,
  step: (what: string) => void,
): Promise<ScaleSeries[]> {
  const byAgents = agentCounts.map((size) => ({ size, rates: [] as number[] }));
  const byBoxes = boxCounts.map((size) => ({ size, rates: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const { size, rates } of byAgents) {
      step(`two boxes with ${size} agents each`);
      rates.push(await rateOf(self, 2, size));
    }
    for (const { size, rates } of byBoxes) {
      step(`${size} boxes`);
      rates.push(await rateOf(self, size, 1));
    }
  }
  return [
    { name: "two boxes", of: "sending agents in each box", points: byAgents },
    { name: "one sending agent in each box", of: "boxes", points: byBoxes },
  ];
}

/** A table for people. */
export function formatScale(series: readonly ScaleSeries[]): string {
  return series.flatMap(({ name, of, points }) => [
    `${name}, by the number of ${of}`,
    ...points.map(({ size, rates }) =>
      `  ${String(size).padStart(4)}  ${
        Math.round(median(rates)).toLocaleString("en").padStart(9)
      }` +
      " messages a second"
    ),
  ]).join("\n");
}
