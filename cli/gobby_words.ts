// The commands of `ovid gobby`, as they stand behind the grid and at its prompt.

import type { GobbyClient } from "../client/gobby.ts";
import type { GroupMembers } from "../client/group_client.ts";
import { count } from "../core/config/wording.ts";
import type { Json } from "../core/data.ts";
import { exitCodes, unknownWord, UsageError } from "./command.ts";
import { runUnder } from "./gobby_hold.ts";
import { changeMembers, showMembers } from "./gobby_members.ts";
import { showEntry, showEvent, showStatus } from "./gobby_show.ts";
import { restore, snapshot } from "./gobby_snapshot.ts";

/** What was said, and how it is to be done. */
export interface Spoken {
  readonly gobby: GobbyClient;
  readonly operands: readonly string[];
  /** Ends what would go on. */
  readonly signal: AbortSignal;
  readonly json: boolean;
  readonly print: (text: string) => void;
  readonly graceMs: number;
  readonly force: boolean;
  readonly waitMs: number | undefined;
  readonly from: number | undefined;
  readonly count: number | undefined;
  /** Whether get and range may tell what is old. */
  readonly stale: boolean;
}

/** A command. */
export interface Word {
  readonly name: string;
  readonly usage: string;
  readonly doc: string;
  readonly operands: readonly [least: number, most: number];
  /** Does it, and gives the exit code. */
  run(spoken: Spoken): Promise<number>;
}

/** All commands, in the order of the help. */
export const words: readonly Word[] = [
  {
    name: "put",
    usage: "put KEY VALUE",
    doc: "Gives a key a value",
    operands: [2, 2],
    async run({ gobby, operands: [key = "", value = ""], ...spoken }) {
      const { revision, version } = await gobby.put(key, value);
      return say(spoken, { revision, version }, "stored");
    },
  },
  {
    name: "get",
    usage: "get KEY [--stale]",
    doc: "Its value",
    operands: [1, 1],
    async run({ gobby, operands: [key = ""], stale, ...spoken }) {
      if (stale) {
        const { entry = null, revision, ageMs } = await gobby.get(key, { stale });
        const code = entry === null ? exitCodes.failure : exitCodes.fine;
        const text = `${entry?.value ?? "no such key"}${ageText(ageMs)}`;
        return say(spoken, { entry, revision, ageMs }, text, code);
      }
      const entry = await gobby.get(key);
      if (entry !== undefined) return say(spoken, entry, entry.value);
      return say(spoken, null, "no such key", exitCodes.failure);
    },
  },
  {
    name: "delete",
    usage: "delete KEY",
    doc: "Deletes a key",
    operands: [1, 1],
    async run({ gobby, operands: [key = ""], ...spoken }) {
      const existed = await gobby.delete(key);
      if (existed) return say(spoken, { existed }, "deleted");
      return say(spoken, { existed }, "no such key", exitCodes.failure);
    },
  },
  {
    name: "range",
    usage: "range PREFIX [--stale]",
    doc: "All keys that begin so, in order; '' for all",
    operands: [1, 1],
    async run({ gobby, operands: [prefix = ""], json, print, stale }) {
      if (stale) {
        for (let after: string | undefined, more = true; more;) {
          const options = after === undefined ? { stale } : { stale, after };
          const page = await gobby.range({ prefix }, options);
          for (const entry of page.entries) {
            const { ageMs } = page;
            print(
              json ? JSON.stringify({ ...entry, ageMs }) : `${showEntry(entry)}${ageText(ageMs)}`,
            );
          }
          after = page.entries.at(-1)?.key;
          more = page.more && after !== undefined;
        }
        return exitCodes.fine;
      }
      for await (const entry of gobby.prefix(prefix)) {
        print(json ? JSON.stringify(entry) : showEntry(entry));
      }
      return exitCodes.fine;
    },
  },
  {
    name: "cas",
    usage: "cas KEY REVISION VALUE",
    doc: "Puts it if the key's modify revision is that; 0 for no key",
    operands: [3, 3],
    async run({ gobby, operands: [key = "", text = "", value = ""], ...spoken }) {
      if (!/^\d{1,15}$/.test(text)) {
        throw new UsageError(`Cannot use ${JSON.stringify(text)} as a revision, want a number`);
      }
      const stored = await gobby.cas(key, Number(text), value);
      if (stored !== undefined) {
        return say(spoken, stored, "stored");
      }
      return say(spoken, null, "the key has another revision", exitCodes.failure);
    },
  },
  {
    name: "watch",
    usage: "watch PREFIX [--from REVISION] [--count N]",
    doc: "What happens to keys and locks that begin so",
    operands: [1, 1],
    async run({ gobby, operands: [prefix = ""], signal, json, print, from, count = Infinity }) {
      const target = { kind: "prefix", prefix } as const;
      using watch = gobby.watch(target, from === undefined ? {} : { from });
      signal.addEventListener("abort", () => watch.close());
      const start = await watch.started().catch((error) => {
        if (!signal.aborted) throw error;
      });
      if (start === undefined) return exitCodes.fine;
      if (!json) print(`watching from revision ${start} on`);
      let seen = 0;
      for await (const event of watch) {
        print(json ? JSON.stringify(event) : showEvent(event));
        if (++seen >= count) break;
      }
      return exitCodes.fine;
    },
  },
  {
    name: "lock",
    usage: "lock KEY -- COMMAND...",
    doc: "Runs a command while it holds the lock",
    operands: [2, Infinity],
    async run({ gobby, operands: [key = "", ...command], signal: end, waitMs, graceMs }) {
      const options = waitMs === undefined ? {} : { waitMs };
      const acquire = (signal: AbortSignal) => gobby.lock(key, { ...options, signal });
      return await runUnder(acquire, command, { graceMs, end });
    },
  },
  {
    name: "elect",
    usage: "elect NAME -- COMMAND...",
    doc: "The same as the leader; the key NAME says who it is",
    operands: [2, Infinity],
    async run({ gobby, operands: [name = "", ...command], signal: end, waitMs, graceMs }) {
      const options = waitMs === undefined ? {} : { waitMs };
      const value = `${Deno.hostname()}:${Deno.pid}`;
      const acquire = (signal: AbortSignal) => gobby.elect(name, { ...options, value, signal });
      return await runUnder(acquire, command, { graceMs, end });
    },
  },
  {
    name: "status",
    usage: "status",
    doc: "The revision, the master, and how much there is",
    operands: [0, 0],
    async run({ gobby, ...spoken }) {
      const status = await gobby.status();
      return say(spoken, status, showStatus(status));
    },
  },
  {
    name: "members",
    usage: "members [add R|remove R|replace OLD NEW]",
    doc: "The replicas that keep the data, or others",
    operands: [0, 3],
    async run({ gobby, operands: [change, ...replicas], ...spoken }) {
      const options = { signal: spoken.signal };
      const members = change === undefined
        ? await gobby.members(options)
        : await changeMembers(gobby, change, replicas, options);
      return say(spoken, asJson(members), showMembers(members));
    },
  },
  {
    name: "snapshot",
    usage: "snapshot FILE",
    doc: "Writes all keys into a file, as of one revision",
    operands: [1, 1],
    async run({ gobby, operands: [file = ""], ...spoken }) {
      const { revision, keys } = await snapshot(gobby, file);
      return say(spoken, { revision, keys }, `${keys} keys as of revision ${revision}`);
    },
  },
  {
    name: "restore",
    usage: "restore FILE [--force]",
    doc: "Puts them again, all but those of sessions",
    operands: [1, 1],
    async run({ gobby, operands: [file = ""], force, ...spoken }) {
      const { put, left } = await restore(gobby, file, force);
      return say(spoken, { put, left }, `${put} keys put, ${left} of sessions left out`);
    },
  },
];

/**
 * The command that was said, and its operands.
 *
 * @throws {UsageError} if it is none.
 */
export function findWord([name = "", ...operands]: readonly string[]): [Word, string[]] {
  const word = words.find((each) => each.name === name);
  if (word === undefined) throw new UsageError(unknownWord(`command ${name}`, name, words));
  const [least, most] = word.operands;
  if (operands.length < least || operands.length > most) {
    throw new UsageError(
      `Cannot do that with ${count(operands.length, "operand")}, want ${word.usage}`,
    );
  }
  return [word, operands];
}

/** The words of a line: parted by white space, which in single or double quotes is part of a word. */
export function splitWords(line: string): string[] {
  return Array.from(
    line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g),
    ([word]) => word.replace(/"([^"]*)"|'([^']*)'/g, (_, a, b) => a ?? b),
  );
}

function asJson({ epoch, primary, replicas }: GroupMembers): Json {
  return { epoch, primary, replicas: replicas.map((replica) => ({ ...replica })) };
}

function ageText(ageMs: number): string {
  return `  (${ageMs} ms old at most)`;
}

function say(
  { json, print }: Pick<Spoken, "json" | "print">,
  result: Json,
  text: string,
  code: number = exitCodes.fine,
): number {
  print(json ? JSON.stringify(result) : text);
  return code;
}
