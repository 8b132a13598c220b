// Why something asked of Gobby has no result. Each error says whether it certainly did not happen.

import type { Refusal } from "../agents/gobby/machine_types.ts";
import { OperationError } from "./group_client.ts";

/** Gobby has refused an operation, and changed nothing. */
export class RefusedError extends OperationError {
  constructor(
    /** What stood against it, with all that Gobby says of it. */
    readonly refusal: Refusal,
  ) {
    super(true, describeRefusal(refusal));
  }
}

/** A session on which something hangs is in doubt or over. */
export class SessionError extends Error {
  override readonly name = "SessionError";

  constructor(
    /** `jeopardy`: it may be over, or may yet be kept. `lost` and `closed`: it is over. */
    readonly state: "jeopardy" | "lost" | "closed",
    /** The number of the session. */
    readonly session: number,
  ) {
    super(
      state === "jeopardy"
        ? `Session ${session} is in doubt: no master answers`
        : `Session ${session} is ${state}`,
    );
  }
}

/** A watch cannot go on: events that it has not given are no longer kept. */
export class CompactedError extends Error {
  override readonly name = "CompactedError";

  constructor(
    /** The oldest revision whose events are kept. */
    readonly oldest: number,
    /** The revision from which the watch was to go on. */
    readonly from: number,
  ) {
    super(`The events from revision ${from} on are no longer kept, the oldest is ${oldest}`);
  }
}

/** A refusal, as people read it. */
export function describeRefusal(refusal: Refusal): string {
  switch (refusal.why) {
    case "limit":
      return `It would pass the limit ${refusal.limit}: found ${refusal.found}, allowed ${refusal.allowed}`;
    case "revisionDiffers":
      return `Key ${text(refusal.key)} has revision ${refusal.found}, want ${refusal.wanted}`;
    case "fenced":
      return `Lock ${text(refusal.lock)} is no longer held under token ${refusal.token}`;
    case "writtenTwice":
      return `Key ${text(refusal.key)} would be written twice`;
    case "unknownSession":
      return `There is no session ${refusal.session}`;
    case "held":
      return `Lock ${text(refusal.key)} is held under token ${refusal.token} (${refusal.mode})`;
    case "delayed":
      return `Lock ${
        text(refusal.key)
      } is closed, up to ${refusal.delayMs} ms after its holder was lost`;
    case "otherMode":
      return `Lock ${text(refusal.key)} is held or awaited by the same session, ${refusal.mode}`;
    case "notHeld":
      return `Lock ${text(refusal.key)} is not held under token ${refusal.token}`;
    case "notWaiting":
      return `Nobody waits for lock ${text(refusal.key)} with ticket ${refusal.ticket}`;
    case "notClaimed":
      return `Session ${refusal.session} neither holds lock ${text(refusal.key)} nor waits for it`;
    case "compacted":
      return `Events of revision ${refusal.from} are no longer kept, the oldest is ${refusal.oldest}`;
    case "future":
      return `There is no revision ${refusal.wanted} yet, the latest is ${refusal.revision}`;
    default:
      return `It was refused: ${JSON.stringify(refusal)}`;
  }
}

function text(key: string): string {
  return JSON.stringify(key);
}
