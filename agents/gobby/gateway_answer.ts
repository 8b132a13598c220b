// How what came of a request is told by HTTP. Every error says whether it certainly did not happen.

import type { DeepReadonly } from "../../core/data.ts";
import type { GobbyEvent } from "./machine_event.ts";
import type { Refusal } from "./machine_result.ts";
import type { AskOutcome, WatchEnd } from "./protocol.ts";

/** A status and a body of JSON. */
export interface GatewayAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers?: { readonly [name: string]: string };
}

const statuses: ReadonlyMap<Refusal["why"], number> = new Map([
  ["limit", 400],
  ["writtenTwice", 400],
  ["unknownSession", 404],
  ["revisionDiffers", 412],
  ["fenced", 412],
]);

/** Says that something was not done, or perhaps not. */
export function errorAnswer(status: number, error: string, certain: boolean): GatewayAnswer {
  return { status, body: JSON.stringify({ error, certain }) };
}

/** @param absent The key whose entry was asked for, if an entry that is not there is an error. */
export function answerOf(outcome: DeepReadonly<AskOutcome>, absent?: string): GatewayAnswer {
  if (outcome.kind === "failed") return errorAnswer(503, outcome.why, outcome.certain);
  const { result } = outcome;
  if (result.kind === "refused") {
    const status = statuses.get(result.why) ?? 409;
    const body = JSON.stringify({ error: wordsOf(result), certain: true, refusal: result });
    return { status, body };
  }
  const { ageMs } = outcome;
  const body = JSON.stringify(ageMs === undefined ? result : { ...result, ageMs });
  if (absent === undefined || result.kind !== "entry") return { status: 200, body };
  if (result.entry === null) {
    return errorAnswer(404, `There is no key ${JSON.stringify(absent)}`, true);
  }
  const headers = { etag: `"${result.entry.modifyRevision}"` };
  return { status: 200, body, headers };
}

function wordsOf(refusal: DeepReadonly<Refusal>): string {
  switch (refusal.why) {
    case "limit":
      return `${refusal.limit} is ${refusal.found}, while ${refusal.allowed} is allowed`;
    case "revisionDiffers":
      return `Key ${
        JSON.stringify(refusal.key)
      } has revision ${refusal.found}, want ${refusal.wanted}`;
    case "unknownSession":
      return `There is no session ${refusal.session}`;
    case "held":
      return `Lock ${JSON.stringify(refusal.key)} is held by session ${refusal.session}`;
    case "fenced":
      return `Nobody holds lock ${JSON.stringify(refusal.lock)} under token ${refusal.token}`;
    default:
      return `It was refused: ${refusal.why}`;
  }
}

/** How soon a reader that lost its stream should come back. */
const retryMs = 1000;

/** The first words of a stream: a reader that loses it before any event comes back to the same place. */
export function streamBegin(from: number): string {
  return `retry: ${retryMs}\nid: ${from - 1}\nevent: watching\ndata: ${
    JSON.stringify({ from })
  }\n\n`;
}

/**
 * Events as a stream tells them, those of one revision at once: a reader has seen all of the revision that it names
 * when it comes back, or none.
 */
export function streamEvents(events: readonly DeepReadonly<GobbyEvent>[]): string[] {
  const told: string[] = [];
  for (let first = 0; first < events.length;) {
    const revision = events[first]?.revision ?? 0;
    let end = first;
    while (events[end]?.revision === revision) end++;
    const data = JSON.stringify({ revision, events: events.slice(first, end) });
    told.push(`id: ${revision}\ndata: ${data}\n\n`);
    first = end;
  }
  return told;
}

/** The last words of a stream. */
export function streamEnd(end: DeepReadonly<WatchEnd>): string {
  const { why, ...more } = end;
  return why === "compacted"
    ? `event: compacted\ndata: ${JSON.stringify(more)}\n\n`
    : `event: ended\ndata: ${JSON.stringify(end)}\n\n`;
}

/** What a stream says when nothing happens, so that a reader who has gone is noticed. */
export const streamBeat = ": alive\n\n";
