// What a subcommand of the program is: its words for the user, its flags, and what it does.

import { parseArgs } from "@std/cli/parse-args";
import { closestString, levenshteinDistance } from "@std/text";
import { count } from "../core/config/wording.ts";

/** How the program ends, as scripts see it. */
export const exitCodes = {
  fine: 0,
  /** It found a failure: a test that is wrong, a box that ended badly. */
  failure: 1,
  /** It was called wrongly. */
  usage: 2,
  /** The grid file is not one that can run. */
  badGrid: 3,
} as const;

/** A flag of a subcommand. */
export interface Flag {
  readonly name: string;
  /** What stands for its value in the help; undefined for a flag that takes none. */
  readonly value?: string;
  readonly doc: string;
  /** Other spellings, as GoOvid's. */
  readonly alias?: readonly string[];
  /** Left out of the help: for what one part of the program says to another. */
  readonly hidden?: boolean;
}

/** An example in the help of a subcommand, and what it takes to run it: the tests run all of them. */
export interface CommandExample {
  /** What a shell is given. */
  readonly line: string;
  readonly doc: string;
  /** What is typed at it, a line each. */
  readonly input?: readonly string[];
  /** Lines that must have been run before. */
  readonly after?: readonly string[];
  /** Lines that must be running meanwhile. */
  readonly beside?: readonly string[];
  /** What it prints once it does its work, if it ends only when it is told to. */
  readonly serves?: string;
  /** Its exit code, or which it may be; default 0. */
  readonly code?: number | readonly number[];
}

/** A subcommand. */
export interface Command {
  readonly name: string;
  /** The operands and flags, behind the name. */
  readonly synopsis: string;
  /** One line. */
  readonly summary: string;
  readonly doc?: string;
  readonly flags: readonly Flag[];
  readonly examples: readonly CommandExample[];
  /** What its first operand may be besides a path, where that can be listed. */
  readonly words?: readonly string[];
  /** The least and the most operands. */
  readonly operands: readonly [least: number, most: number];
  /** Does it, and gives the exit code. */
  run(call: Call): Promise<number>;
}

/** What the user wrote behind the name of a subcommand. */
export interface Call {
  readonly operands: readonly string[];
  /** Whether a flag without value was given. */
  has(flag: string): boolean;
  /** The value of a flag; undefined if it was not given. */
  value(flag: string): string | undefined;
  /** The value of a flag as a whole number from `min` to `max`. */
  integer(flag: string, min: number, max: number): number | undefined;
}

/** A call that cannot be understood: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A grid that cannot run, its problems in the message: exit code 3. */
export class BadGridError extends Error {
  override readonly name = "BadGridError";
}

const common: readonly Flag[] = [{ name: "help", alias: ["h"], doc: "Shows this" }];

/**
 * Reads what the user wrote behind the name of `command`; undefined if it asks for help.
 *
 * @throws {UsageError} for a flag that the command does not have, a value missing, or too many operands.
 */
export function parseCall(command: Command, args: readonly string[]): Call | undefined {
  const flags = [...command.flags, ...common];
  const unknown: string[] = [];
  const named = flags.filter((flag) => flag.value !== undefined).map((flag) => flag.name);
  const spelled = goStyle(args, flags);
  // The parser keeps operands under "_", and takes seconds for a long cluster of letters, of which we have none.
  const [own] = flagsOf(spelled).filter((arg) => /^(--_(=|$)|-(?!-|h$).)/s.test(arg));
  if (own !== undefined) throw unknownFlag(own, flags);
  const parsed = parseArgs(spelled, {
    boolean: flags.filter((flag) => flag.value === undefined).map((flag) => flag.name),
    string: [...named, "_"],
    alias: Object.fromEntries(flags.map((flag) => [flag.name, [...flag.alias ?? []]])),
    unknown: (arg, key) => {
      if (key === undefined) return true;
      unknown.push(arg);
      return false;
    },
  });
  if (parsed.help === true) return undefined;
  const [first] = unknown;
  if (first !== undefined) throw unknownFlag(first, flags);
  const operands = parsed._.map(String);
  const [least, most] = command.operands;
  if (operands.length < least || operands.length > most) {
    throw new UsageError(
      `Cannot run ovid ${command.name} with ${
        count(operands.length, "operand")
      }, want ${command.synopsis}`,
    );
  }
  return makeCall(command, operands, parsed);
}

function makeCall(command: Command, operands: string[], parsed: Record<string, unknown>): Call {
  const value = (flag: string): string | undefined => {
    const given = parsed[flag];
    if (given === undefined) return undefined;
    if (typeof given !== "string" || given === "") {
      throw new UsageError(
        `Cannot use --${flag} without a value, want ovid ${command.name} ${command.synopsis}`,
      );
    }
    return given;
  };
  return {
    operands,
    has: (flag) => parsed[flag] === true,
    value,
    integer(flag, min, max) {
      const text = value(flag);
      if (text === undefined) return undefined;
      const number = Number(text);
      if (!/^\d+$/.test(text) || number < min || number > max) {
        throw new UsageError(
          `Cannot use ${
            JSON.stringify(text)
          } for --${flag}, want a whole number from ${min} to ${max}`,
        );
      }
      return number;
    },
  };
}

function unknownFlag(arg: string, flags: readonly Flag[]): UsageError {
  const name = arg.replace(/^-+/, "").replace(/=.*/s, "");
  return new UsageError(unknownWord(`flag ${arg}`, name, flags));
}

/** What stands before `--`. */
function flagsOf(args: readonly string[]): readonly string[] {
  const end = args.indexOf("--");
  return end < 0 ? args : args.slice(0, end);
}

// Go's programs write -debug and -master=10000 with one dash; a cluster of one-letter flags is not something
// that Ovid has, so one dash before a known name can only mean that name. What stands behind -- is no flag of ours.
function goStyle(args: readonly string[], flags: readonly Flag[]): string[] {
  const end = flagsOf(args).length;
  return args.map((arg, index) => {
    if (index >= end) return arg;
    const name = /^-([a-z][a-z-]+)(=|$)/.exec(arg)?.[1];
    return name !== undefined && flags.some((flag) => flag.name === name) ? `-${arg}` : arg;
  });
}

/** "Unknown flag --dbug, did you mean --debug": `what` as the user wrote it, and the nearest of `known`. */
export function unknownWord(
  what: string,
  word: string,
  known: readonly { readonly name: string; readonly hidden?: boolean }[],
): string {
  const shown = known.filter((each) => !each.hidden).map((each) => each.name);
  const nearest = shown.length === 0 ? undefined : closestString(word, shown);
  const isNear = nearest !== undefined &&
    levenshteinDistance(word, nearest) <= Math.max(1, Math.ceil(word.length / 3));
  const dashes = what.startsWith("flag") ? "--" : "";
  return `Unknown ${what}, ${
    isNear
      ? `did you mean ${dashes}${nearest}`
      : `want one of ${shown.map((name) => dashes + name).join(", ")}`
  }`;
}

/** The help of one subcommand. */
export function helpOf(command: Command): string {
  const lines = [`ovid ${command.name} ${command.synopsis}`.trim(), "", command.summary];
  if (command.doc !== undefined) lines.push("", command.doc);
  const flags = [...command.flags.filter((flag) => !flag.hidden), ...common];
  const left = flags.map((flag) =>
    `  --${flag.name}${flag.value === undefined ? "" : ` ${flag.value}`}`
  );
  const width = Math.max(...left.map((text) => text.length));
  lines.push("", "Flags:");
  flags.forEach((flag, index) => lines.push(`${left[index]?.padEnd(width)}  ${flag.doc}`));
  if (command.examples.length > 0) {
    lines.push("", "Examples:");
    for (const { line, doc, input = [] } of command.examples) {
      lines.push(`  ${line}`, ...input.map((typed) => `    > ${typed}`), `      ${doc}`);
    }
  }
  return lines.join("\n");
}
