// Judges the attrs of an agent by the schema of its type, and puts a schema's messages into our words.

import type { Json } from "../data.ts";
import { type SchemaIssue, validate } from "../schema.ts";
import { type AgentShape, attrsJsonSchema } from "./shape.ts";
import { oneOf, type Path, perhaps, show } from "./wording.ts";

/** Something wrong in attrs. */
export interface AttrProblem {
  /** The path below the attrs. */
  readonly steps: Path;
  /** Whether a key or a value is wrong. */
  readonly part: "key" | "value";
  readonly found: string;
  readonly wanted: string;
  readonly hint?: string | undefined;
}

/** All that the schema of `shape` refuses in `attrs`. Never throws, whatever the schema does. */
export function attrProblems(
  attrs: { readonly [name: string]: Json },
  shape: AgentShape,
): AttrProblem[] {
  try {
    const validation = validate(shape.attrs, attrs);
    return validation.ok ? [] : validation.issues.flatMap((issue) => describe(issue, attrs, shape));
  } catch (error) {
    const hint = error instanceof Error ? error.message : String(error);
    const wanted = `a type whose schema can judge them, that of ${shape.type} cannot`;
    return [{ steps: [], part: "value", found: "cannot be checked", wanted, hint }];
  }
}

function describe(issue: SchemaIssue, attrs: unknown, shape: AgentShape): AttrProblem[] {
  const steps = (issue.path ?? []).map((step) => {
    const key = typeof step === "object" ? step.key : step;
    return typeof key === "number" ? key : String(key);
  });
  const unknown = unknownKeys(issue);
  if (unknown.length === 0) {
    const value = valueAt(attrs, steps);
    const found = value === undefined ? "is missing" : `is ${show(value)}`;
    return [{ steps, part: "value", found, ...wantedBy(issue.message) }];
  }
  const known = steps.length === 0 ? Object.keys(Object(attrsJsonSchema(shape).properties)) : [];
  const found = `is not known to ${shape.type}`;
  const wanted = known.length === 0 ? "nothing here" : oneOf(known);
  return unknown.map((key) => ({
    ...{ steps: [...steps, key], part: "key", found, wanted },
    hint: perhaps(key, known),
  }));
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

/** The keys that a strict schema of zod refuses: it names them beside the standard's fields. */
function unknownKeys(issue: SchemaIssue): string[] {
  if (!("keys" in issue) || !Array.isArray(issue.keys)) return [];
  return issue.keys.filter((key) => typeof key === "string");
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
};

/** Puts a schema's message into our words; one that does not fit is said as it is. */
function wantedBy(message: string): { wanted: string; hint?: string } {
  const expected = /\bexpected (.+?)(?:, received .*)?$/is.exec(message)?.[1];
  if (expected !== undefined) return { wanted: kinds[expected] ?? expected };
  const wanted = /^want (.+)$/is.exec(message)?.[1];
  return wanted === undefined ? { wanted: "a valid value", hint: message } : { wanted };
}
