// What the checks, the summary and the JSON Schema need to know of the agents that there are.

import { type Schema, toJsonSchema } from "../schema.ts";

/** The part of an agent's definition that the grid's description depends on. */
export interface AgentShape {
  readonly type: string;
  readonly doc: string;
  readonly attrs: Schema<unknown>;
  readonly routes?: readonly string[];
  readonly devices?: readonly string[];
  /** What handles each type of message that it takes. */
  readonly on?: Readonly<Record<string, unknown>>;
}

/** Finds the definition of a type: none for an unknown one, an error for a plugin that does not load. */
export type LookUp = (type: string) => AgentShape | { readonly error: string } | undefined;

/** The JSON Schema of a type's attrs; empty, which allows everything, where its library can give none. */
export function attrsJsonSchema(shape: AgentShape): Record<string, unknown> {
  try {
    return toJsonSchema(shape.attrs) ?? {};
  } catch {
    // A schema with a part that JSON Schema cannot express judges attrs as well as any other.
    return {};
  }
}
