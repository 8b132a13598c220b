// Many seeds of a scenario, on as many processes as there are processors. Each process runs whole seeds, so that a
// result does not depend on which one ran it.

import { messageOf } from "../core/error.ts";
import { checkDeterminism } from "../sim/determinism.ts";
import type { Changes } from "../sim/plan.ts";
import { type Result, runScenario } from "../sim/run.ts";
import type { Scenario } from "../sim/scenario.ts";
import { selfCommand } from "./self.ts";
import { formatChanges, readSeed, seedAfter } from "./sim_call.ts";
import { readLines, standardInput } from "./terminal.ts";

/** Which seeds are run, and how. */
export interface Batch {
  readonly scenario: Scenario;
  /** As the user wrote it, for the processes. */
  readonly name: string;
  readonly first: bigint;
  readonly runsMax: number;
  /** No seed is begun after that, in milliseconds of real time. */
  readonly msMax: number;
  /** Whether no seed is begun after one that failed. */
  readonly untilFailure: boolean;
  readonly jobs: number;
  readonly changes: Changes;
  readonly twice: boolean;
}

/** How many seeds a process has been given and not answered: enough that it never waits for the next. */
const inFlight = 4;

/** How one seed is run. */
export function runOne({ scenario, changes, twice }: Batch, seed: bigint): Result {
  return (twice ? checkDeterminism : runScenario)(scenario, seed, { changes });
}

/** Runs the seeds of a batch and hands over each result as it comes, in any order. */
export async function runBatch(batch: Batch, show: (result: Result) => void): Promise<void> {
  const endAt = performance.now() + batch.msMax;
  let count = 0;
  let failed = false;
  const take = (result: Result) => {
    failed ||= result.verdict !== "fine";
    show(result);
  };
  const next = () => {
    if (count >= batch.runsMax || (batch.untilFailure && failed)) return undefined;
    return count === 0 || performance.now() < endAt ? seedAfter(batch.first, count++) : undefined;
  };
  if (batch.jobs === 1 || batch.runsMax === 1) {
    for (let seed = next(); seed !== undefined; seed = next()) {
      take(runOne(batch, seed));
      // Whoever waits for a timer or a signal gets a turn.
      await new Promise((resolve) => setTimeout(resolve));
    }
    return;
  }
  await Promise.all(Array.from({ length: batch.jobs }, () => runWorker(batch, next, take)));
}

async function runWorker(
  { name, changes, twice }: Batch,
  next: () => bigint | undefined,
  take: (result: Result) => void,
): Promise<void> {
  const flags = [...formatChanges(changes), ...twice ? ["--check-determinism"] : []];
  const { command, args } = selfCommand(["sim", name, "--worker", ...flags]);
  const child = new Deno.Command(command, { args, stdin: "piped", stdout: "piped" }).spawn();
  const seeds = child.stdin.getWriter();
  const encoder = new TextEncoder();
  let waiting = 0;
  let closed: Promise<void> | undefined;
  const give = () => {
    if (closed !== undefined) return;
    const seed = next();
    if (seed === undefined) {
      closed = seeds.close();
      return;
    }
    waiting++;
    // A child that has ended breaks its pipe; that it ended is noticed below.
    seeds.write(encoder.encode(`${seed}\n`)).catch(() => {});
  };
  for (let i = 0; i < inFlight; i++) give();
  for await (const line of readLines(child.stdout)) {
    waiting--;
    take(JSON.parse(line));
    give();
  }
  await closed?.catch(() => {});
  const { code } = await child.status;
  if (code !== 0 || waiting > 0) {
    throw new Error(`Cannot run all seeds: a process of the batch ended with code ${code}`);
  }
}

/** What a process of a batch does: reads seeds, a line each, and writes a result for each. */
export async function work(batch: Batch): Promise<void> {
  const encoder = new TextEncoder();
  const output = Deno.stdout.writable.getWriter();
  for await (const line of readLines(standardInput())) {
    try {
      await output.write(encoder.encode(`${JSON.stringify(runOne(batch, readSeed(line)))}\n`));
    } catch (error) {
      throw new Error(`Cannot run seed ${line}: ${messageOf(error)}`, { cause: error });
    }
  }
}
