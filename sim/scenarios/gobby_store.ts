// Gobby's keys as a plain store: what is asked of them, and how its answers read in the words of the model.

import type { GobbyOutcome, GobbyResult } from "../../agents/gobby/machine_result.ts";
import type { Json } from "../../core/data.ts";
import { type Random, randomInteger } from "../../core/random.ts";

/** An operation in the words of the model, and as Gobby is asked for it. */
export function drawCall(
  random: Random,
  key: string,
  value: string,
): [operation: Json, ask: { readonly [field: string]: Json }] {
  const kind = randomInteger(random, 0, 9);
  if (kind < 4) return [{ kind: "get", key }, { kind: "get", key }];
  if (kind < 7) return [{ kind: "put", key, value }, { kind: "put", key, value }];
  if (kind < 8) return [{ kind: "delete", key }, { kind: "delete", key }];
  const compared = { target: "createRevision", key, is: "equal", number: 0 };
  return [
    { kind: "cas", key, expected: null, value },
    {
      kind: "transaction",
      if: [compared],
      then: [{ kind: "put", key, value }],
      else: [{ kind: "get", key }],
    },
  ];
}

/** A result in the words of the model. */
export function inModel(result: GobbyResult): Json {
  switch (result.kind) {
    case "entry":
      return { kind: "value", value: result.entry?.value ?? null };
    case "stored":
      return { kind: "stored" };
    case "deleted":
      return { kind: "deleted", existed: result.count > 0 };
    case "transaction":
      return result.succeeded ? { kind: "stored" } : inDiffers(result);
    default:
      return { kind: result.kind };
  }
}

function inDiffers({ results: [first] }: GobbyOutcome<"transaction">): Json {
  return { kind: "differs", value: first?.kind === "entry" ? first.entry?.value ?? null : null };
}
