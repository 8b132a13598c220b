// How values, paths and choices are put into the words of an error.

import { closestString, levenshteinDistance } from "@std/text";

/** A place in a JSON text: the keys and indices that lead to it. */
export type Path = readonly (string | number)[];

const shownLengthMax = 60;
const choicesMax = 10;
const searchedMax = 1000;
const relatedMax = 3;

// What JSON leaves as it is, but a terminal would obey or hide.
const unprintable = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** A text between quotes, shortened where it is long, with nothing in it that a terminal would obey. */
export function quote(text: string): string {
  const shown = text.length > shownLengthMax ? `${text.slice(0, shownLengthMax)}...` : text;
  return JSON.stringify(shown).replace(
    unprintable,
    (sign) => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}

/** A value as an error shows it: in full if it is short, else by its kind. */
export function show(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** A path as it is written in errors: `agents.200.routes.2`, `10.attrs.contacts[1]`, `"a.b".type`. */
export function showPath(path: Path): string {
  let shown = "";
  for (const step of path) {
    if (typeof step === "number") {
      shown += `[${step}]`;
    } else {
      const plain = /^[^\s."[\]\p{Cc}\p{Cf}]+$/u.test(step) && step.length <= shownLengthMax;
      shown += `${shown === "" ? "" : "."}${plain ? step : quote(step)}`;
    }
  }
  return shown;
}

/** A number of things: `1 agent`, `20,000 agents`. */
export function count(amount: number, thing: string): string {
  return `${String(amount).replace(/\B(?=(\d{3})+$)/g, ",")} ${thing}${amount === 1 ? "" : "s"}`;
}

/** What is wanted where `choices` are all there is; a long list is cut. */
export function oneOf(choices: readonly string[]): string {
  if (choices.length <= 1) return choices[0] ?? "none, for there is none";
  const shown = choices.slice(0, choicesMax).join(", ");
  const rest = choices.length - choicesMax;
  return `one of ${shown}${rest > 0 ? ` and ${count(rest, "other")}` : ""}`;
}

/**
 * What was probably meant by `given`, ready to be a hint: the choices that contain it or are contained in it, or
 * one that differs by a third of its letters. Numbers have no likely neighbours.
 */
export function perhaps(given: string, choices: readonly string[]): string | undefined {
  if (/^\d*$/.test(given) || given.length > shownLengthMax) return undefined;
  if (choices.length === 0 || choices.length > searchedMax) return undefined;
  const related = choices.filter((choice) =>
    Math.min(given.length, choice.length) >= 3 && (choice.includes(given) || given.includes(choice))
  );
  if (related.length > 0 && related.length <= relatedMax) {
    return `perhaps ${related.map(quote).join(" or ")}`;
  }
  const nearest = closestString(given, related.length > 0 ? related : choices);
  const distance = levenshteinDistance(given.toLowerCase(), nearest.toLowerCase());
  const near = related.length > 0 || distance <= Math.ceil(given.length / 3);
  return near ? `perhaps ${quote(nearest)}` : undefined;
}
