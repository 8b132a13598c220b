// What can be asked of the key-value store, what comes of it, and how both are written as text.

import { idLengthMax, isToken } from "../../core/id.ts";
import { oneLine } from "../../core/text.ts";
import { splitWord } from "../words.ts";

/** What is asked. A key is a word and a value a line of text, so that GoOvid's texts can say both. */
export type Command =
  | { readonly type: "put"; readonly key: string; readonly value: string }
  | { readonly type: "get"; readonly key: string };

/** What came of it. */
export type Outcome =
  | { readonly kind: "stored" }
  | { readonly kind: "found"; readonly value: string }
  | { readonly kind: "absent" }
  /** Nothing was stored, and asking again would not help. */
  | { readonly kind: "refused"; readonly why: string }
  /** Nothing was done: the asker's session `session` has replaced the one that asks. */
  | { readonly kind: "outlived"; readonly session: number };

/** The longest key, in characters. */
export const keyLengthMax = idLengthMax;

/** The longest value, in characters. */
export const valueLengthMax = 65_536;

/** The command that a line spells, `put KEY VALUE` or `get KEY`; undefined if it is neither. */
export function parseCommand(line: string): Command | undefined {
  const [type, rest] = splitWord(line);
  const [key, value] = splitWord(rest);
  if (type === "put" && value !== "") return { type, key, value };
  if (type === "get" && key !== "" && value === "") return { type, key };
  return undefined;
}

/** The line that {@linkcode parseCommand} reads. */
export function commandText(command: Command): string {
  return command.type === "put" ? `put ${command.key} ${command.value}` : `get ${command.key}`;
}

/** Why no store takes a command, or undefined. */
export function findCommandFault(command: Command): string | undefined {
  const { key } = command;
  if (key.length > keyLengthMax) {
    return `the key has ${key.length} characters, want at most ${keyLengthMax}`;
  }
  if (!isToken(key) || !key.isWellFormed()) return "the key is not a word";
  if (command.type === "get") return undefined;
  const { value } = command;
  if (value.length > valueLengthMax) {
    return `the value has ${value.length} characters, want at most ${valueLengthMax}`;
  }
  if (value === "" || value !== oneLine(value) || !value.isWellFormed()) {
    return "the value is not a line of text";
  }
  return undefined;
}

/** An outcome as a person reads it. */
export function outcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case "stored":
      return "ok";
    case "found":
      return outcome.value;
    case "absent":
      return "No such entry";
    case "refused":
      return `error: ${outcome.why}`;
    case "outlived":
      return `error: session ${outcome.session} has begun`;
  }
}

/** An outcome as a store of GoOvid writes it. Its `putok` and `getok` are answers to nothing else. */
export function replyText(outcome: Outcome): string {
  switch (outcome.kind) {
    case "stored":
      return "putok";
    case "found":
      return `getok ${outcome.value}`;
    case "absent":
      return "getbad";
    default:
      return outcomeText(outcome);
  }
}

/** What a store's text says came of a command of type `type`; undefined if it answers something else. */
export function parseReply(text: string, type: Command["type"]): Outcome | undefined {
  const [word, rest] = splitWord(text);
  if (word === "putok" && type === "put") return { kind: "stored" };
  if (word === "getok" && type === "get") return { kind: "found", value: rest };
  if (word === "getbad" && type === "get") return { kind: "absent" };
  return word === "error:" ? { kind: "refused", why: rest } : undefined;
}
