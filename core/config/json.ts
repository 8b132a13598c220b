// Reads JSON into a tree that remembers where everything stands, in the order of the text and with every
// duplicate key, all of which JSON.parse forgets. Stricter than jsonc-parser, on which it stands: plain JSON only.

import { type JSONVisitor, printParseErrorCode, visit } from "jsonc-parser";
import type { Json } from "../data.ts";
import { type Path, quote } from "./wording.ts";

/** An object, with every member in the order of the text. */
export interface JsonObject {
  readonly kind: "object";
  readonly offset: number;
  readonly members: readonly JsonMember[];
  /** The first member of each key. */
  readonly byKey: ReadonlyMap<string, JsonMember>;
}

/** A key and its value. */
export interface JsonMember {
  readonly key: string;
  /** Of the key. */
  readonly offset: number;
  readonly value: JsonNode;
}

/** An array. */
export interface JsonArray {
  readonly kind: "array";
  readonly offset: number;
  readonly items: readonly JsonNode[];
}

/** A string, number, boolean or null. */
export interface JsonScalar {
  readonly kind: "scalar";
  readonly offset: number;
  readonly value: string | number | boolean | null;
}

/** A value and where it stands. */
export type JsonNode = JsonObject | JsonArray | JsonScalar;

/** A fault of the text: it is not plain JSON. */
export interface JsonFault {
  /** Of what the fault stands in. */
  readonly path: Path;
  readonly offset: number;
  readonly found: string;
  readonly wanted: string;
}

// Thrown out of the visit by a fault that makes the rest of the text unclear.
class Unclear extends Error {}

// An object or array that is not closed yet.
type Frame =
  | {
    readonly kind: "object";
    readonly members: JsonMember[];
    readonly byKey: Map<string, JsonMember>;
    key: string;
    keyOffset: number;
  }
  | { readonly kind: "array"; readonly items: JsonNode[] };

// Faults after which the text goes on to mean what it seems to mean.
const harmless: readonly string[] = [
  "CommaExpected",
  "InvalidUnicode",
  "InvalidEscapeCharacter",
  "InvalidCharacter",
];

// What is wanted where jsonc-parser found a fault; where a value is, that is not among them.
const wants: { readonly [fault: string]: string } = {
  PropertyNameExpected: "a name in double quotes",
  ColonExpected: "a colon",
  CommaExpected: "a comma before it",
  CloseBraceExpected: 'a closing "}"',
  CloseBracketExpected: 'a closing "]"',
  EndOfFileExpected: "nothing after its end",
  UnexpectedEndOfComment: "plain JSON without comments",
  UnexpectedEndOfString: "a closing double quote on the same line",
  UnexpectedEndOfNumber: "a digit after it",
  InvalidUnicode: "four hexadecimal digits after each \\u",
  InvalidEscapeCharacter: 'one of " \\ / b f n r t u after each backslash',
  InvalidCharacter: "control characters written as \\u and four digits",
};
const wantValue = "a string in double quotes, a number, an object, an array, true, false or null";

/**
 * Reads `text`, and gives `report` every fault up to the first that makes it unclear what the rest means; then
 * the result is undefined. Throws nothing of its own.
 */
export function readJson(
  text: string,
  depthMax: number,
  report: (fault: JsonFault) => void,
): JsonNode | undefined {
  const tree = growTree();
  let comma: number | undefined;
  const fault = (offset: number, found: string, wanted: string) =>
    report({ path: tree.path(), offset, found, wanted });
  const begin = (offset: number) => {
    comma = undefined;
    if (tree.depth() < depthMax) return;
    // Also protects the stack: jsonc-parser calls itself for each level.
    fault(offset, "goes deeper", `at most ${depthMax} objects and arrays within each other`);
    throw new Unclear();
  };
  const end = (offset: number) => {
    // At the end of the text nothing is closed; the error for that comes next, and belongs inside.
    if (offset === text.length) return;
    if (comma !== undefined) {
      fault(comma, "has a comma after its last value", "plain JSON without it");
    }
    comma = undefined;
    tree.close();
  };
  const visitor: JSONVisitor = {
    onObjectBegin: (offset) => (begin(offset), tree.openObject(offset)),
    onArrayBegin: (offset) => (begin(offset), tree.openArray(offset)),
    onObjectEnd: end,
    onArrayEnd: end,
    onObjectProperty: (key, offset) => (comma = undefined, tree.name(key, offset)),
    onLiteralValue(value: JsonScalar["value"], offset, length) {
      comma = undefined;
      const huge = value === Infinity || value === -Infinity;
      if (huge) {
        fault(offset, `has ${quote(text.slice(offset, offset + length))}`, "a smaller number");
      }
      // JSON data have no -0: it would not survive the way to another box.
      tree.attach({ kind: "scalar", offset, value: huge || value === 0 ? 0 : value });
    },
    onSeparator: (sign, offset) => comma = sign === "," ? offset : undefined,
    onComment: (offset) => fault(offset, "has a comment", "plain JSON without comments"),
    onError(code, offset, length) {
      const name = printParseErrorCode(code);
      fault(offset, foundAt(name, text.slice(offset, offset + length)), wants[name] ?? wantValue);
      if (!harmless.includes(name)) throw new Unclear();
    },
  };
  try {
    visit(text, visitor, { allowTrailingComma: true });
  } catch (error) {
    if (error instanceof Unclear) return undefined;
    throw error;
  }
  return tree.root();
}

/** A tree that grows as its text is read. */
function growTree() {
  const frames: Frame[] = [];
  let root: JsonNode | undefined;
  const attach = (node: JsonNode) => {
    const frame = frames.at(-1);
    if (frame === undefined) {
      root = node;
    } else if (frame.kind === "array") {
      frame.items.push(node);
    } else {
      const member = { key: frame.key, offset: frame.keyOffset, value: node };
      frame.members.push(member);
      if (!frame.byKey.has(frame.key)) frame.byKey.set(frame.key, member);
    }
  };
  return {
    attach,
    openObject(offset: number) {
      const frame = { kind: "object" as const, members: [], byKey: new Map() };
      attach({ ...frame, offset });
      frames.push({ ...frame, key: "", keyOffset: offset });
    },
    openArray(offset: number) {
      const frame = { kind: "array" as const, items: [] };
      attach({ ...frame, offset });
      frames.push(frame);
    },
    name(key: string, keyOffset: number) {
      const frame = frames.at(-1);
      if (frame?.kind === "object") Object.assign(frame, { key, keyOffset });
    },
    close: () => void frames.pop(),
    depth: () => frames.length,
    /** The path to the innermost object or array that is open. */
    path: () =>
      frames.slice(0, -1).map((frame) =>
        frame.kind === "object" ? frame.key : frame.items.length - 1
      ),
    root: () => root,
  };
}

/** What stands where a fault is. */
function foundAt(fault: string, token: string): string {
  if (fault === "UnexpectedEndOfComment") return "has a comment without an end";
  if (fault === "UnexpectedEndOfString") return "has a string without an end";
  if (token === "") return "ends too early";
  return token.startsWith('"')
    ? `has the string ${quote(token.slice(1, -1))}`
    : `has ${quote(token)}`;
}

/** The value as plain data. Of a duplicate key the last value counts, as `JSON.parse` has it. */
export function toJson(node: JsonNode): Json {
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "array":
      return node.items.map(toJson);
    case "object":
      // Unlike assignment, this makes a property even of the name __proto__.
      return Object.fromEntries(node.members.map(({ key, value }) => [key, toJson(value)]));
  }
}
