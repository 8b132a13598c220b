// What benchmarks on real boxes share: the boxes, and clients that ask again as soon as they are answered.

import { type BenchAgent, Boxes as StartedBoxes } from "../../bench/boxes.ts";
import { selfCommand } from "../../cli/self.ts";

export { median, quantile } from "../../bench/statistics.ts";

/** Real boxes of a grid, each with some agents. */
export class Boxes extends StartedBoxes {
  constructor(agents: readonly (readonly BenchAgent[])[]) {
    super(selfCommand, agents, false);
  }
}

/** Something that stands, its clients linked, and can be put under load. */
export interface Contender extends AsyncDisposable {
  readonly name: string;
  readonly boxes: Boxes;
  /** One for each client: asks, and resolves with the answer. */
  readonly asks: readonly (() => Promise<unknown>)[];
}

/** The processor time that a process has had, in microseconds; 0 where the system does not say. */
function cpuMicros(pid: number | "self"): number {
  try {
    const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return 0;
  }
}

/** What a slice showed. */
export interface Slice {
  /** Operations a second. */
  readonly rate: number;
  /** Processor time an operation, in microseconds: of the clients' process, and then of each box. */
  readonly cost: readonly number[];
}

/** Clients ask again as soon as they are answered, for `ms` after the lead-in. */
export async function measure(
  { asks, boxes }: Contender,
  leadMs: number,
  ms: number,
): Promise<Slice> {
  let answered = 0;
  let stopped = false;
  const loops = asks.map(async (ask) => {
    while (!stopped) {
      await ask();
      answered++;
    }
  });
  await new Promise((resolve) => setTimeout(resolve, leadMs));
  const pids = ["self", ...boxes.processes.map(({ pid }) => pid)] as const;
  const costs = pids.map(cpuMicros);
  const before = answered;
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, ms));
  const count = answered - before;
  const rate = count / (performance.now() - began) * 1000;
  const cost = pids.map((pid, index) => (cpuMicros(pid) - (costs[index] ?? 0)) / count);
  stopped = true;
  await Promise.all(loops);
  return { rate, cost };
}

/** Without decimals. */
export const round = (value: number) => String(Math.round(value));
/** A ratio as percent. */
export const percent = (value: number) => (100 * value).toFixed(0);
