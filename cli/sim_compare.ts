// `ovid sim compare A B`: what two protocols make of the same clients and the same faults.

import { comparable, compare, type Comparison } from "../sim/compare.ts";
import { type Call, exitCodes, unknownWord, UsageError } from "./command.ts";
import { drawSeed, readSeed } from "./sim_call.ts";

const rows: readonly [what: string, key: keyof Comparison, unit?: string][] = [
  ["verdict", "verdict"],
  ["operations answered", "answered"],
  ["messages", "messages"],
  ["message delays of an operation, all being well", "delays"],
  ["syncs in its way", "syncs"],
  ["longest time without service", "longestMs", " ms"],
  ["such times above 100 ms, together", "withoutMs", " ms"],
];

/** Runs each protocol under the faults of one seed, and prints a table. */
export function runComparison(call: Call): number {
  const [, ...names] = call.operands;
  if (names.length === 0) throw new UsageError("Cannot compare nothing, want names of scenarios");
  const text = call.value("seed");
  const seed = text === undefined ? drawSeed() : readSeed(text);
  const columns = names.map((name) => {
    const definition = comparable.get(name);
    if (definition === undefined) {
      const known = [...comparable.keys()].map((name) => ({ name }));
      throw new UsageError(unknownWord(`protocol ${name}`, name, known));
    }
    return compare(name, definition, seed);
  });
  if (call.has("json")) {
    console.log(JSON.stringify({ seed: String(seed), protocols: names, columns }));
  } else {
    console.log(`seed ${seed}`);
    for (const line of tableOf(names, columns)) console.log(line);
  }
  return columns.every(({ verdict }) => verdict === "fine") ? exitCodes.fine : exitCodes.failure;
}

function tableOf(names: readonly string[], columns: readonly Comparison[]): string[] {
  const lines = [["", ...names]];
  for (const [what, key, unit = ""] of rows) {
    lines.push([what, ...columns.map((column) => `${column[key]}${unit}`)]);
  }
  return lines.map(([what = "", ...cells]) =>
    `  ${what.padEnd(48)}${cells.map((cell) => cell.padStart(12)).join("")}`
  );
}
