// The messages of the key-value store. A request has the same three numbers wherever it passes, from the agent
// that first asked to every replica: so however often it is sent again, and by whom, it is executed at most once.

import { z } from "zod";
import type { Received } from "../../core/agent.ts";
import { idLengthMax } from "../../core/id.ts";
import { text } from "../../core/text.ts";

const mark = {
  /** The agent that asked first; those between only pass it on. */
  origin: z.string().min(1).max(idLengthMax),
  /** Grows with every start of the origin, so that a request of before a crash is known as such. See nextSession. */
  session: z.int().positive(),
  /** Grows with every request of a session; an origin awaits one answer at a time. */
  request: z.int().positive(),
};

/** Every agent of the store speaks it: a tty asks a client, which asks the replicas, in the same words. */
export const kvsProtocol = {
  text,
  put: z.object({ ...mark, key: z.string(), value: z.string() }),
  get: z.object({ ...mark, key: z.string() }),
  answer: z.object({
    ...mark,
    outcome: z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("stored") }),
      z.object({ kind: z.literal("found"), value: z.string() }),
      z.object({ kind: z.literal("absent") }),
      z.object({ kind: z.literal("refused"), why: z.string() }),
      z.object({ kind: z.literal("outlived"), session: z.int().positive() }),
    ]),
  }),
};

/** What is asked, and by whom. */
export type Request =
  | Received<typeof kvsProtocol, "put">
  | Received<typeof kvsProtocol, "get">;

/** What came of a request. */
export type Answer = Received<typeof kvsProtocol, "answer">;

/** What tells a request from all others. */
export type Mark = Pick<Request, "origin" | "session" | "request">;

/** The lower part of a session's number is drawn by lot, the upper part counts. */
const lots = 2 ** 24;

/**
 * A session above `after`. The lot tells it from one of an origin that lost its disk and counts from the start
 * again: its requests must not pass for those of long ago, which were answered then.
 */
export function nextSession(after: number, random: () => number): number {
  return (Math.floor(after / lots) + 1) * lots + Math.floor(random() * lots);
}

/** The mark of a request or an answer, alone. */
export function markOf({ origin, session, request }: Mark): Mark {
  return { origin, session, request };
}

/** Whether two marks are of the same request. */
export function isSameRequest(a: Mark, b: Mark): boolean {
  return a.origin === b.origin && a.session === b.session && a.request === b.request;
}
