// What agents under load say to each other: as much as the receiver has room for, which it says by a credit.

import { z } from "zod";
import type { AnyMessage } from "../../core/agent.ts";
import { text } from "../../core/text.ts";

/** A message of middling size, as a service might send it, and the credit that the sink gives for such. */
export const loadProtocol = {
  text,
  order: z.object({
    number: z.int(),
    customer: z.string().max(64),
    items: z.array(z.object({ article: z.string().max(64), count: z.int().min(1) })).max(16),
    urgent: z.boolean(),
  }),
  credit: z.object({ messages: z.int().min(1) }),
};

/** The kinds of messages that a `load_source` can send. */
export const loadKinds = ["text", "order"] as const;

const padding = "x".repeat(4096);

/** The message of a kind with a number; a text has so many characters. */
export function loadMessage(kind: (typeof loadKinds)[number], number: number, length: number) {
  if (kind === "text") {
    const digits = String(number % 1e9);
    return {
      type: "text" as const,
      text: digits + padding.slice(0, Math.max(0, length - digits.length)),
    };
  }
  return {
    type: "order" as const,
    number,
    customer: "customer 4711",
    items: [{ article: "hammer", count: 1 }, { article: "nail", count: 100 }],
    urgent: number % 2 === 0,
  } satisfies AnyMessage;
}
