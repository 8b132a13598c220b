// All keys of Gobby in a file, and back: a line of JSON that says of which revision they are, and one for each key.

import { z } from "zod";
import { keyEntry } from "../agents/gobby/machine_types.ts";
import type { KeyEntry, TransactionStep } from "../agents/gobby/machine_types.ts";
import type { GobbyClient } from "../client/gobby.ts";
import { messageOf } from "../core/error.ts";
import { describeIssues, type Schema, validate } from "../core/schema.ts";
import { fileFault } from "./file_fault.ts";

const header = z.strictObject({
  gobby: z.literal(1),
  revision: z.int().min(0),
  keys: z.int().min(0),
});

/** So much one transaction puts: far below what one request may have. */
const stepsMax = 100;
const charactersMax = 40_000;

/** Writes all keys into a file, as they were at one revision. */
export async function snapshot(
  gobby: GobbyClient,
  file: string,
): Promise<{ revision: number; keys: number }> {
  const { entries, revision } = await readAll(gobby);
  const sorted = [...entries.values()].sort((a, b) => a.key < b.key ? -1 : 1);
  const lines = [{ gobby: 1, revision, keys: sorted.length }, ...sorted];
  // Under its own name only when it is whole.
  const part = `${file}.part`;
  await Deno.writeTextFile(part, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  await Deno.rename(part, file);
  return { revision, keys: sorted.length };
}

/** Reads all keys page by page, and brings those read earlier to the revision of the last page by what happened since. */
async function readAll(
  gobby: GobbyClient,
): Promise<{ entries: Map<string, KeyEntry>; revision: number }> {
  const entries = new Map<string, KeyEntry>();
  let first: number | undefined;
  let last: KeyEntry | undefined;
  while (true) {
    const after = last === undefined ? {} : { after: last.key };
    const page = await gobby.range({ prefix: "" }, after);
    first ??= page.revision;
    for (const entry of page.entries) entries.set(entry.key, entry);
    last = page.entries.at(-1) ?? last;
    if (page.more) continue;
    if (page.revision > first) await replay(gobby, entries, first + 1, page.revision);
    return { entries, revision: page.revision };
  }
}

async function replay(
  gobby: GobbyClient,
  entries: Map<string, KeyEntry>,
  from: number,
  to: number,
): Promise<void> {
  while (from <= to) {
    const { events, next } = await gobby.events({ kind: "prefix", prefix: "", only: "keys" }, from);
    for (const event of events) {
      if (event.revision > to) return;
      // A page may have been read after the event, and then knows better.
      if (event.kind === "keyStored") {
        const known = entries.get(event.entry.key)?.modifyRevision ?? 0;
        if (known < event.revision) entries.set(event.entry.key, event.entry);
      } else if (event.kind === "keyDeleted") {
        const known = entries.get(event.key)?.modifyRevision ?? 0;
        if (known < event.revision) entries.delete(event.key);
      }
    }
    from = next;
  }
}

/** Puts all keys of a file again, but for those of sessions, which have ended. The file is read whole before anything. */
export async function restore(
  gobby: GobbyClient,
  file: string,
  force: boolean,
): Promise<{ put: number; left: number }> {
  const text = await Deno.readTextFile(file).catch((error) => {
    throw new Error(`Cannot restore ${JSON.stringify(file)}: ${fileFault(error)}`);
  });
  const entries = readEntries(text, file);
  const { count } = await gobby.range({ prefix: "" }, { limit: 1 });
  if (count > 0 && !force) {
    throw new Error(
      `Cannot restore ${
        JSON.stringify(file)
      }: the store has ${count} keys; --force puts those of the file over them`,
    );
  }
  const kept = entries.filter(({ session }) => session === null);
  for (const steps of batchesOf(kept)) await gobby.transaction({ then: steps });
  return { put: kept.length, left: entries.length - kept.length };
}

/**
 * The keys in the text of a file.
 *
 * @throws {SyntaxError} if it is not one that {@linkcode snapshot} writes, with the line.
 */
export function readEntries(text: string, file: string): KeyEntry[] {
  const [first = "", ...lines] = text.trimEnd().split("\n");
  const refuse = (fault: string): never => {
    throw new SyntaxError(`Cannot restore ${JSON.stringify(file)}: ${fault}`);
  };
  const { keys } = readLine(header, first, 1, refuse);
  if (lines.length !== keys) refuse(`it has ${lines.length} keys, want ${keys}`);
  return lines.map((line, index) => readLine(keyEntry, line, index + 2, refuse));
}

function readLine<T>(
  schema: Schema<T>,
  line: string,
  number: number,
  refuse: (fault: string) => never,
): T {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return refuse(`line ${number} is not JSON: ${messageOf(error)}`);
  }
  const verdict = validate(schema, value);
  return verdict.ok ? verdict.value : refuse(`line ${number}: ${describeIssues(verdict.issues)}`);
}

function* batchesOf(entries: readonly KeyEntry[]): Generator<TransactionStep[]> {
  let steps: TransactionStep[] = [];
  let characters = 0;
  for (const { key, value, ttlMs } of entries) {
    const step = { kind: "put", key, value, ...ttlMs === null ? {} : { ttlMs } } as const;
    const more = JSON.stringify(step).length;
    if (steps.length >= stepsMax || (steps.length > 0 && characters + more > charactersMax)) {
      yield steps;
      steps = [];
      characters = 0;
    }
    steps.push(step);
    characters += more;
  }
  if (steps.length > 0) yield steps;
}
