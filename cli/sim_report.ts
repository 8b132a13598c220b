// What `ovid sim` says: a line of progress, a failure with the command that repeats it, and the summary of a batch.

import { type Changes, makePlan } from "../sim/plan.ts";
import { formatStep } from "../sim/fault_schedule.ts";
import type { Result } from "../sim/run.ts";
import type { Scenario } from "../sim/scenario.ts";
import type { Summary } from "../sim/summary.ts";
import { formatChanges } from "./sim_call.ts";

/** A line that is written over and over on a terminal. */
export class Progress {
  readonly #start = performance.now();
  readonly #shown = Deno.stderr.isTerminal();
  #shownAt = 0;

  show(text: () => string): void {
    const now = performance.now();
    if (!this.#shown || now - this.#shownAt < 200) return;
    this.#shownAt = now;
    Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text()}`));
  }

  /** Takes the line away. */
  end(): void {
    if (this.#shownAt > 0) Deno.stderr.writeSync(new TextEncoder().encode("\r\x1b[K"));
  }

  get seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }
}

/** A large number as people read it: `12.3 M`, `45 k`. */
export function formatCount(count: number): string {
  if (count >= 1e7) return `${Math.round(count / 1e6)} M`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} M`;
  return count >= 1e4 ? `${Math.round(count / 1e3)} k` : String(Math.round(count));
}

/** What the scenario made of the seed. */
export function formatOptions(scenario: Scenario, seed: bigint, changes: Changes): string {
  const { sizes, weather, schedule, safetyMs } = makePlan(scenario, seed, changes);
  const { network: { latency, loss, duplicate, reorder }, disk, driftPpm } = weather;
  const rest = latency?.heavyTail ? ", heavy-tailed" : "";
  const lines = [
    `sizes    ${Object.entries(sizes).map(([name, size]) => `${name}=${size}`).join(" ")}`,
    `faults   ${weather.faults.join(", ") || "none"}`,
    `network  ${latency?.minUs} to ${latency?.maxUs} us${rest}; ` +
    `loss ${loss}, duplicate ${duplicate}, reorder ${reorder}`,
    `disk     sync ${disk.sync?.minUs} to ${disk.sync?.maxUs} us, ` +
    `torn tails ${disk.tornTails ? "yes" : "no"}, compaction at ${disk.compactBytes} bytes`,
    `clocks   within ${driftPpm} ppm`,
    `steps    ${schedule.length} up to ${safetyMs} ms`,
    ...schedule.map((step) => `  ${formatStep(step)}`),
  ];
  return lines.join("\n");
}

/** The command that repeats a run. */
function repeatCommand(name: string, seed: string, changes: Changes): string {
  return ["ovid", "sim", name, seed, ...formatChanges(changes)].join(" ");
}

const verdictWords = {
  fine: "fine",
  safety: "SAFETY: something happened that must never be",
  liveness: "LIVENESS: something did not happen that must",
  unknown: "UNKNOWN: the history is too hard to judge",
  determinism: "NOT DETERMINISTIC: the same seed gave two runs",
} as const;

/** A failure in a line, and the command that repeats it. */
export function formatHeadline(
  name: string,
  { seed, verdict, failure }: Result,
  changes: Changes,
): string {
  return `${verdict}: ${failure?.split("\n", 1)[0]}\n  ${repeatCommand(name, seed, changes)}`;
}

/** A failure, in full. */
export function formatFailure(
  scenario: Scenario,
  name: string,
  result: Result,
  changes: Changes,
): string {
  const { seed, verdict, failure = "", story = [], virtualMs, events } = result;
  return [
    `${verdictWords[verdict]}`,
    `  ${failure.replaceAll("\n", "\n  ")}`,
    "",
    `seed     ${seed}, after ${virtualMs} virtual ms and ${events} events`,
    formatOptions(scenario, BigInt(seed), changes),
    "",
    `The last ${story.length} events:`,
    ...story,
    "",
    "Again with:",
    `  ${repeatCommand(name, seed, changes)}`,
    `  ${repeatCommand(name, seed, changes)} --shrink`,
  ].join("\n");
}

/** How one run went that did not fail. */
export function formatRun(result: Result): string {
  return [
    `fine: ${result.events} events in ${result.virtualMs} virtual ms, hash ${result.hash}`,
    ...Object.entries(result.counters).map(([mark, count]) => `  ${mark.padEnd(32)} ${count}`),
  ].join("\n");
}

/** What a batch came to. */
export function formatSummary(summary: Summary, seconds: number): string {
  const { runs, events, virtualMs, verdicts, tallies, unreached } = summary;
  const lines = [
    `${runs} seeds in ${seconds.toFixed(1)} s: ${formatCount(events)} events, ` +
    `${formatCount(events / seconds)} a second; ${
      (virtualMs / 3_600_000).toFixed(2)
    } virtual hours`,
    `  fine ${verdicts.fine}, safety ${verdicts.safety}, liveness ${verdicts.liveness}` +
    (verdicts.unknown > 0 ? `, unknown ${verdicts.unknown}` : "") +
    (verdicts.determinism > 0 ? `, not deterministic ${verdicts.determinism}` : "") +
    `; hash ${summary.hash}`,
    "",
    `  ${"reached".padEnd(36)} ${"times".padStart(10)} ${"in seeds".padStart(10)}`,
    ...[...tallies].map(([mark, { count, runs }]) =>
      `  ${mark.padEnd(36)} ${String(count).padStart(10)} ${String(runs).padStart(10)}`
    ),
  ];
  const due = unreached.filter(({ runsMin }) => runs >= runsMin).map(({ mark }) => mark);
  const rare = unreached.filter(({ runsMin }) => runs < runsMin)
    .map(({ mark, runsMin }) => `${mark} (in ${runsMin} seeds)`);
  if (due.length > 0) lines.push("", `  never reached: ${due.join(", ")}`);
  if (rare.length > 0) lines.push("", `  to be reached by larger batches: ${rare.join(", ")}`);
  return lines.join("\n");
}
