// What Gobby says, as people read it.

import type { GobbyEvent, GobbyOutcome, KeyEntry } from "../agents/gobby/machine_types.ts";

/** An entry in a line: its key, its value, and what is special about it. */
export function showEntry({ key, value, modifyRevision, session, ttlMs }: KeyEntry): string {
  const more = [
    `revision ${modifyRevision}`,
    ...session === null ? [] : [`session ${session}`],
    ...ttlMs === null ? [] : [`for ${ttlMs} ms`],
  ];
  return `${word(key)} ${word(value)}  (${more.join(", ")})`;
}

/** An event in a line, its revision first. */
export function showEvent(event: GobbyEvent): string {
  return `${event.revision}  ${describe(event)}`;
}

/** The state of the whole in a few lines. */
export function showStatus(status: GobbyOutcome<"status">): string {
  const { revision, oldest, term, master, keys, length, sessions, locks, events } = status;
  return [
    `master    ${master}, term ${term}`,
    `revision  ${revision}, events from ${oldest} on (${events})`,
    `keys      ${keys} (${length} characters)`,
    `sessions  ${sessions}`,
    `locks     ${locks}`,
  ].join("\n");
}

function describe(event: GobbyEvent): string {
  switch (event.kind) {
    case "keyStored":
      return `put ${word(event.entry.key)} ${word(event.entry.value)}`;
    case "keyDeleted":
      return `deleted ${word(event.key)}${event.how === "deleted" ? "" : ` (${event.how})`}`;
    case "lockGranted":
      return `lock ${
        word(event.key)
      } granted to session ${event.session}, ${event.mode}, token ${event.token}`;
    case "lockReleased":
      return `lock ${word(event.key)} released by session ${event.session} (${event.how})`;
    case "lockDelayBegun":
      return `lock ${word(event.key)} closed for ${event.delayMs} ms`;
    case "lockDelayEnded":
      return `lock ${word(event.key)} open again`;
    case "waitBegun":
      return `session ${event.session} waits for lock ${word(event.key)}`;
    case "waitEnded":
      return `session ${event.session} waits for lock ${word(event.key)} no more (${event.how})`;
    default:
      return JSON.stringify(event);
  }
}

/** As it is if that cannot be misread, and else in quotes. */
function word(text: string): string {
  return /^[^\s"'\p{C}]+$/u.test(text) ? text : JSON.stringify(text);
}
