// Puts what a schema refuses into our words: where it is, what was found, what is wanted, and what was probably meant.

import type { SchemaIssue } from "../schema.ts";
import { oneOf, type Path, perhaps, show } from "./wording.ts";

/** Something that a schema refuses. */
export interface Refusal {
  /** The path below what was judged. */
  readonly steps: Path;
  /** Whether a key or a value is wrong. */
  readonly part: "key" | "value";
  readonly found: string;
  readonly wanted: string;
  readonly hint?: string | undefined;
}

/** What the issues of a schema are told by. */
export interface Judged {
  readonly value: unknown;
  /** The JSON Schema of the same; empty where there is none. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** Who does not know the keys that are not known: `chat`. */
  readonly owner: string;
}

/** All that an issue says. */
export function refusalsOf(issue: SchemaIssue, judged: Judged): Refusal[] {
  return inUnion(issue).flatMap((each) => describe(each, judged));
}

function describe(issue: SchemaIssue, { value: whole, schema, owner }: Judged): Refusal[] {
  const steps = stepsOf(issue);
  const value = valueAt(whole, steps);
  const unknown = listIn(issue, "keys");
  if (unknown.length === 0) {
    const options = listIn(issue, "options").concat(listIn(issue, "values"));
    const found = value === undefined ? "is missing" : `is ${show(value)}`;
    if (options.length === 0) return [{ steps, part: "value", found, ...wantedBy(issue.message) }];
    const hint = typeof value === "string" ? perhaps(value, options) : undefined;
    return [{ steps, part: "value", found, wanted: oneOf(options), hint }];
  }
  const known = keysAt(schema, whole, steps);
  const found = `is not known to ${owner}`;
  const wanted = known.length === 0 ? "nothing here" : oneOf(known);
  return unknown.map((key) => ({
    ...{ steps: [...steps, key], part: "key", found, wanted },
    hint: perhaps(key, known),
  }));
}

function stepsOf({ path = [] }: SchemaIssue): Path {
  return path.map((step) => {
    const key = typeof step === "object" ? step.key : step;
    return typeof key === "number" ? key : String(key);
  });
}

function valueAt(value: unknown, path: Path): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, step)) {
      return undefined;
    }
    found = Reflect.get(found, step);
  }
  return found;
}

/** What zod names beside the standard's fields: the keys that are not known, the values that there are. */
function listIn(issue: SchemaIssue, field: "keys" | "options" | "values"): string[] {
  const list: unknown = Reflect.get(issue, field);
  return Array.isArray(list) ? list.filter((each) => typeof each === "string") : [];
}

/**
 * Of an issue of a union that of the only alternative that was meant: which is one of the right kind. If there is
 * none, or there are several, what is wanted is any of them.
 */
function inUnion(issue: SchemaIssue): SchemaIssue[] {
  const alternatives: unknown = Reflect.get(issue, "errors");
  if (!Array.isArray(alternatives) || alternatives.length === 0) return [issue];
  const below = alternatives.map((issues: readonly SchemaIssue[]) => issues.flatMap(inUnion));
  const meant = below.filter((issues) => !issues.some(isOfOtherKind));
  const [only] = meant;
  if (meant.length === 1 && only !== undefined) {
    return only.map((each) => ({ ...each, path: [...issue.path ?? [], ...each.path ?? []] }));
  }
  const wants = (meant.length > 0 ? meant : below).flatMap(([first]) =>
    first === undefined ? [] : [wantIn(first)]
  );
  return [{ path: issue.path, message: `want ${[...new Set(wants)].join(" or ")}` }];
}

function isOfOtherKind(issue: SchemaIssue): boolean {
  return (issue.path ?? []).length === 0 && Reflect.get(issue, "code") === "invalid_type";
}

function wantIn(issue: SchemaIssue): string {
  const options = listIn(issue, "options").concat(listIn(issue, "values"));
  return options.length > 0 ? options.join(" or ") : wantedBy(issue.message).wanted;
}

// What zod calls the kinds of JSON, as we do.
const kinds: { readonly [kind: string]: string } = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "a boolean",
  object: "an object",
  record: "an object",
  array: "an array",
  tuple: "an array",
};

/** Puts a schema's message into our words; one that does not fit is said as it is. */
function wantedBy(message: string): { wanted: string; hint?: string } {
  const expected = /\bexpected (.+?)(?:, received .*)?$/is.exec(message)?.[1];
  if (expected !== undefined) return { wanted: kinds[expected] ?? expected };
  const wanted = /^want (.+)$/is.exec(message)?.[1];
  return wanted === undefined ? { wanted: "a valid value", hint: message } : { wanted };
}

type Rule = Readonly<Record<string, unknown>>;

/** The keys that a JSON Schema knows for the object at `path`. */
function keysAt(schema: Rule, value: unknown, path: Path): string[] {
  let rules = alternativesOf(schema, value);
  let found = value;
  for (const step of path) {
    found = valueAt(found, [step]);
    rules = rules.flatMap((rule) => {
      const below = typeof step === "number"
        ? rule.items
        : Object(rule.properties)[step] ?? rule.additionalProperties;
      return isRule(below) ? alternativesOf(below, found) : [];
    });
  }
  return [...new Set(rules.flatMap((rule) => Object.keys(Object(rule.properties))))];
}

/** The alternatives of a rule, without those that are for another `type` than that of `value`. */
function alternativesOf(rule: Rule, value: unknown): Rule[] {
  const alternatives = [rule.anyOf, rule.oneOf].find(Array.isArray);
  if (alternatives !== undefined) {
    return alternatives.filter(isRule).flatMap((each) => alternativesOf(each, value));
  }
  const type: unknown = Object(Object(rule.properties).type).const;
  return type === undefined || type === valueAt(value, ["type"]) ? [rule] : [];
}

function isRule(value: unknown): value is Rule {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
