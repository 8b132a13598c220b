// Judges the attrs of an agent by the schema of its type.

import type { Json } from "../data.ts";
import { messageOf } from "../error.ts";
import { validate } from "../schema.ts";
import { type Refusal, refusalsOf } from "./issues.ts";
import { type AgentShape, attrsJsonSchema } from "./shape.ts";

/** All that the schema of `shape` refuses in `attrs`. Never throws, whatever the schema does. */
export function attrProblems(
  attrs: { readonly [name: string]: Json },
  shape: AgentShape,
): Refusal[] {
  try {
    const validation = validate(shape.attrs, attrs);
    if (validation.ok) return [];
    const judged = { value: attrs, schema: attrsJsonSchema(shape), owner: shape.type };
    return validation.issues.flatMap((issue) => refusalsOf(issue, judged));
  } catch (error) {
    const wanted = `a type whose schema can judge them, that of ${shape.type} cannot`;
    return [{
      steps: [],
      part: "value",
      found: "cannot be checked",
      wanted,
      hint: messageOf(error),
    }];
  }
}
