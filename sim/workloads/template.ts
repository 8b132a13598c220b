// Requests and answers as a grid file writes them, with holes: what is drawn is filled in, and what an agent said is
// read back out.

import { type drawnHoles, holePattern, holesIn } from "../../core/config/simulation.ts";
import type { Json } from "../../core/data.ts";
import { type Random, randomInteger } from "../../core/random.ts";

/** What fills the holes of a template, by their names. */
export type Holes = ReadonlyMap<string, Json>;

/** The largest {amount}. */
const amountMax = 9;

/** Draws what fills the holes of one request; `number` counts the requests of the whole run. */
export function drawHoles(random: Random, keys: number, number: number): Map<string, Json> {
  const drawn: { readonly [hole in keyof typeof drawnHoles]: Json } = {
    key: `key${randomInteger(random, 1, keys)}`,
    value: `value${number}`,
    amount: randomInteger(random, 1, amountMax),
  };
  return new Map(Object.entries(drawn));
}

/** A template with its holes filled. A text that is one hole and nothing else becomes what fills it, of any kind. */
export function fill(template: unknown, holes: Holes): Json {
  switch (typeof template) {
    case "string":
      return fillText(template, holes);
    case "number":
    case "boolean":
      return template;
    case "object":
      if (template === null) return null;
      if (Array.isArray(template)) return template.map((part) => fill(part, holes));
      return Object.fromEntries(
        Object.entries(template).map(([key, part]) => [key, fill(part, holes)]),
      );
    default:
      throw new TypeError(`Cannot fill a ${typeof template}, want JSON`);
  }
}

function fillText(template: string, holes: Holes): Json {
  const [only, ...others] = holesIn(template);
  if (only !== undefined && others.length === 0 && template === `{${only}}`) {
    // A reply may lack the field.
    return holes.get(only) ?? null;
  }
  return template.replace(holePattern, (hole, name) => {
    const value = holes.get(name);
    return value === undefined ? hole : typeof value === "string" ? value : JSON.stringify(value);
  });
}

/**
 * The holes of a request with what `text` has at `{text}` and `{number}` of `pattern`, whose other holes are those of
 * the request; undefined if the text is another one.
 */
export function match(pattern: string, text: string, holes: Holes): Holes | undefined {
  const found: string[] = [];
  const expression = pattern.split(/(\{[a-z]+\})/).map((part) => {
    const name = part.slice(1, -1);
    if (part === "{text}" || part === "{number}") {
      found.push(name);
      return part === "{text}" ? "(.*)" : "(-?[0-9]+)";
    }
    const filled = part.startsWith("{") ? fill(part, holes) : part;
    return escape(typeof filled === "string" ? filled : JSON.stringify(filled));
  }).join("");
  const parts = new RegExp(`^${expression}$`, "s").exec(text.trim());
  if (parts === null) return undefined;
  const all = new Map(holes);
  for (const [index, name] of found.entries()) {
    const part = parts[index + 1] ?? "";
    all.set(name, name === "number" ? Number(part) : part);
  }
  return all;
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** The answers of a request: patterns or types, each with the template of its result if it has one. */
export type Answers = ReadonlyMap<string, unknown>;

/** Answers as a grid file has them: a list, or an object with their results. */
export function answersOf(
  answers: readonly string[] | { readonly [answer: string]: unknown },
): Answers {
  return new Map(
    Array.isArray(answers) ? answers.map((each) => [each, undefined]) : Object.entries(answers),
  );
}
