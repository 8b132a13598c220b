// What a soak came to, and whether that is well.

import type { TalkerReport } from "./asker.ts";
import type { Size } from "./soak_box.ts";

/** What was seen of a soak. */
export interface Observed {
  readonly seconds: number;
  readonly cuts: number;
  /** How many numbers the keeper said it has on disk, and how many it had after kill -9. */
  readonly acknowledged: number;
  readonly found: number;
  readonly reports: readonly TalkerReport[];
  /** Of each box, in the order of time. */
  readonly samples: readonly (readonly Size[])[];
  readonly complaints: readonly string[];
}

const mebibyte = 1 << 20;
/** By how much a heap without garbage may grow from the second third of the time to the last. */
const heapGrowthMax = 3 * mebibyte;
/** The same of all memory of a process, which the system gives and takes in its own time. */
const rssGrowthMax = 48 * mebibyte;
/** What comes and goes: a file, a connection that is on its way. */
const descriptorsGrowthMax = 12;

/** What was not well; nothing if all was. */
export function judge(observed: Observed): string[] {
  const { seconds, cuts, acknowledged, found, reports, samples, complaints } = observed;
  const heard = reports.reduce((sum, report) => sum + report.heard, 0);
  const disorder = reports.reduce((sum, report) => sum + report.disorder, 0);
  const violations = complaints.map((complaint) => `a box complained: ${complaint}`);
  if (disorder > 0) violations.push(`${disorder} messages came out of order, or twice`);
  if (found < acknowledged) {
    violations.push(`${acknowledged} numbers were acknowledged, and ${found} found`);
  }
  // A soak in which little happened shows little.
  if (cuts < seconds / 2) violations.push(`only ${cuts} connections were cut`);
  if (heard < 10 * seconds) violations.push(`only ${heard} messages were heard`);
  if (acknowledged < seconds) violations.push(`only ${acknowledged} numbers were acknowledged`);
  for (const [index, sizes] of samples.entries()) {
    violations.push(...growthOf(sizes).map((growth) => `box ${index}: ${growth}`));
  }
  return violations;
}

function growthOf(sizes: readonly Size[]): string[] {
  if (sizes.length < 9) return [`it was measured only ${sizes.length} times`];
  const [middle, last] = thirdsOf(sizes).slice(1);
  const grew = (what: keyof Size, most: number) => {
    const [from, to] = [median(middle, what), median(last, what)];
    return to - from > most ? [`its ${what} grew from ${from} to ${to}`] : [];
  };
  return [
    ...grew("heap", heapGrowthMax),
    ...grew("rss", rssGrowthMax),
    ...grew("descriptors", descriptorsGrowthMax),
  ];
}

function thirdsOf(sizes: readonly Size[]): Size[][] {
  const length = Math.floor(sizes.length / 3);
  const start = sizes.length - 2 * length;
  return [sizes.slice(0, start), sizes.slice(start, start + length), sizes.slice(start + length)];
}

function median(sizes: readonly Size[] = [], what: keyof Size): number {
  const sorted = sizes.map((size) => size[what]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** The report, a line each. */
export function reportLines({ seconds, cuts, acknowledged, found, reports, samples }: Observed) {
  const lines = [
    `${seconds} s, ${cuts} connections cut`,
    `${acknowledged} numbers acknowledged, ${found} found after kill -9`,
  ];
  for (const [index, { heard, lost, disorder }] of reports.entries()) {
    lines.push(`talker${index}: ${heard} heard, ${lost} lost to cuts, ${disorder} out of order`);
  }
  const mebibytes = (bytes: number) => (bytes / mebibyte).toFixed(1);
  for (const [index, sizes] of samples.entries()) {
    const thirds = thirdsOf(sizes).map((third) =>
      `${mebibytes(median(third, "heap"))}/${mebibytes(median(third, "rss"))}/${
        median(third, "descriptors")
      }`
    );
    lines.push(
      `box ${index}: heap/rss MiB/descriptors in each third of time: ${thirds.join(", ")}`,
    );
  }
  return lines;
}
