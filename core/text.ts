// The built-in message `text`: a line at a numbered port, the mail of GoOvid.

import type { Text } from "./agent.ts";
import type { Schema } from "./schema.ts";

/** The largest port of an agent. Numbers above 32767 cannot be sent to a GoOvid box. */
export const portMax = 65535;

/** The schema of `text`; an agent that speaks text has `protocol: { text }`. */
export const text: Schema<Text> = {
  "~standard": {
    version: 1,
    vendor: "ovid",
    validate(value) {
      const { port, text } = Object(value) as Record<string, unknown>;
      if (typeof port !== "number" || !Number.isInteger(port) || port < 0 || port > portMax) {
        return { issues: [{ message: `want a port from 0 to ${portMax}`, path: ["port"] }] };
      }
      if (typeof text !== "string") {
        return { issues: [{ message: "want a string", path: ["text"] }] };
      }
      return { value: { port, text } };
    },
    jsonSchema: {
      input: () => ({
        type: "object",
        properties: {
          port: { type: "integer", minimum: 0, maximum: portMax },
          text: { type: "string" },
        },
        required: ["port", "text"],
      }),
    },
  },
};

/** The form in which text travels, also between agents of one box: one line, trimmed. */
export function oneLine(text: string): string {
  // Asked first, since a regular expression takes longer than all else that is done with most texts.
  const flat = text.includes("\n") || text.includes("\r") ? text.replace(/[\r\n]+/g, " ") : text;
  return flat.trim();
}
