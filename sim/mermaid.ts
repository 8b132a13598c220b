// A simulated run in words: what each event is called in a diagram, and a diagram made of nothing but words, which
// is a sequence diagram as Mermaid reads it.

import type { Json } from "../core/data.ts";
import { messageOf } from "../core/error.ts";
import { copiesIn, type DiagramOptions, excerptOf, isLink, strokeAt } from "./diagram_layout.ts";
import {
  type BoxEvent,
  formatMs,
  type LinkEvent,
  type Mail,
  type WorldEvent,
} from "./world_event.ts";

/** How long the text of an arrow or a note may be. */
const textColumnsMax = 60;
const failureLinesMax = 20;
const agentLinesMax = 3;
const agentColumnsMax = 25;

/**
 * The last events of a run as a Mermaid sequence diagram. Messages stand where they arrived; when they were sent is
 * part of their text. Equal events give equal text.
 *
 * @throws {RangeError} if `eventsMax` is not a whole number from 1.
 */
export function mermaidText(events: readonly WorldEvent[], options: DiagramOptions): string {
  const { before, shown, leftOut, boxes, agents } = excerptOf(events, options);
  const nameOf = new Map(boxes.map((box, index) => [box, `b${index}`]));
  const name = (box: string) => nameOf.get(box) ?? "";
  const copies = copiesIn([...before, ...shown]);
  const span = [...new Set([boxes[0], boxes.at(-1)])].flatMap((box) => box ?? []).map(name);
  const noteOverAll = (text: string) => `  Note over ${span.join(",")}: ${escapeText(text)}`;
  const lines = ["sequenceDiagram", `  title ${escapeText(options.title)}`];
  for (const box of boxes) {
    const inside = agents.get(box) ?? [];
    const below = inside.length === 0 ? "" : `<br/>${escapeText(inside.join(", "))}`;
    lines.push(`  participant ${name(box)} as ${escapeText(box)}${below}`);
  }
  if (leftOut > 0) lines.push(noteOverAll(leftOutText(leftOut)));
  for (const [index, event] of shown.entries()) {
    const at = formatMs(event.atUs);
    if (event.kind === "mail") {
      const arrow = event.fate === "delivered" ? (copies.has(event) ? "-->>" : "->>") : "--x";
      const text = `${mailText(event, copies.has(event))} (${formatMs(event.sentAtUs)} to ${at})`;
      lines.push(`  ${name(event.from)}${arrow}${name(event.to)}: ${escapeText(text)}`);
    } else if (isLink(event)) {
      const stroke = strokeAt(shown, index);
      if (stroke.length > 0) lines.push(noteOverAll(`${at} ${linksText(stroke)}`));
    } else {
      const { text, tone } = captionOf(event);
      const side = tone === "warning" || tone === "failure" ? "over" : "right of";
      lines.push(`  Note ${side} ${name(event.box)}: ${escapeText(`${at} ${text}`)}`);
    }
  }
  const [failure] = failureLines(options.failure);
  if (failure !== undefined && span.length > 0) lines.push(noteOverAll(failure));
  return `${lines.join("\n")}\n`;
}

// Mermaid reads a semicolon as the end of a line, and has entities of its own form for everything else.
function escapeText(text: string): string {
  return shorten(text, textColumnsMax).replaceAll(
    /[#;<>%&\p{Cc}\p{Surrogate}]/gu,
    (character) => {
      const code = character.codePointAt(0) ?? 0;
      return /[\p{Cc}\p{Surrogate}]/u.test(character) ? "\ufffd" : `#${code};`;
    },
  );
}

/** What stands for an event: a word or a few, and how grave it is. */
export interface Caption {
  readonly text: string;
  readonly tone: "quiet" | "note" | "speech" | "warning" | "failure";
}

/** What a box event says in a diagram. */
export function captionOf(event: BoxEvent): Caption {
  switch (event.kind) {
    case "start":
      return quiet(`starts, ${count(event.records, "record")}`);
    case "crash":
      return { text: `crashes: ${event.why}`, tone: "failure" };
    case "pause":
      return warning("stands still");
    case "resume":
      return warning("goes on");
    case "wake":
      return quiet("wakes");
    case "append":
      return quiet(`append ${bare(event.append.record)}`);
    case "sync":
      return quiet(`synced ${event.records}${event.compacted ? " in a snapshot" : ""}`);
    case "input":
      return { text: `< ${wordsOf(event.event.event)}`, tone: "speech" };
    case "output":
      return { text: `> ${wordsOf(event.output.output.output)}`, tone: "speech" };
    case "note":
      return { text: `${event.note.event} ${brief(event.note.detail)}`.trim(), tone: "note" };
    case "fault":
      return {
        text: `${event.fault.agent} faults: ${messageOf(event.fault.error)}`,
        tone: "failure",
      };
    case "end":
      return quiet(`${event.agent} ends`);
    case "slow":
      return warning(event.stepUs === 0 ? "quick again" : `slow: ${event.stepUs} us a step`);
    case "clock":
      return warning(`clock +${event.jumpUs} us, ${event.driftPpm} ppm`);
    case "disk":
      return warning(`disk ${diskWords(event.bytesMax)}`);
  }
}

function quiet(text: string): Caption {
  return { text, tone: "quiet" };
}

function warning(text: string): Caption {
  return { text, tone: "warning" };
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

function wordsOf(event: { readonly type: string; readonly text?: string }): string {
  return event.text === undefined ? event.type : bare(event.text);
}

function diskWords(bytesMax: number | "lost"): string {
  if (bytesMax === "lost") return "lost";
  return bytesMax === Infinity ? "has room again" : `full at ${bytesMax} bytes`;
}

/** JSON without most of its marks, if that is what it is. */
function bare(text: string): string {
  if (!text.startsWith("{")) return text;
  return text.replaceAll(/["{}]/gu, "").replaceAll(",", ", ").replaceAll(":", ": ");
}

/** A detail without the marks of JSON: `view 1 primary`. */
function brief(detail: Json | undefined): string {
  if (detail === undefined) return "";
  if (typeof detail !== "object" || detail === null || Array.isArray(detail)) {
    return typeof detail === "string" ? detail : JSON.stringify(detail);
  }
  return Object.entries(detail).flatMap(([key, value]) => {
    if (value === false || value === undefined) return [];
    return [value === true ? key : `${key} ${typeof value === "string" ? value : brief(value)}`];
  }).join(" ");
}

/** What a message is called in a diagram; `again` for the second of two copies. */
export function mailText({ envelope, fate, to }: Mail, again: boolean): string {
  const name = again ? `${envelope.message.type} (copy)` : envelope.message.type;
  if (fate === "delivered") return name;
  return fate === "down" ? `${name}: box down` : `${name}: ${fate}, to ${to}`;
}

/** What happened to links at once, in one line: `cut: b1, b2 → b3`. */
export function linksText(events: readonly LinkEvent[]): string {
  const [first] = events;
  if (first === undefined) return "";
  const toOf = new Map<string, string[]>();
  for (const { from, to } of events) toOf.set(from, [...toOf.get(from) ?? [], to]);
  const fromOf = new Map<string, string[]>();
  for (const [from, to] of toOf) {
    const key = to.join(", ");
    fromOf.set(key, [...fromOf.get(key) ?? [], from]);
  }
  const sides = [...fromOf].map(([to, from]) => [from.join(", "), to] as const);
  const [one, other] = sides;
  const mutual = sides.length === 2 && one?.[0] === other?.[1] && one?.[1] === other?.[0];
  const ways = mutual ? `${one?.[0]} ↔ ${one?.[1]}` : sides.map((way) => way.join(" → "));
  return `${linkWord(first)}: ${mutual ? ways : [...ways].join("; ")}`;
}

function linkWord(event: LinkEvent): string {
  if (event.kind !== "clog") return event.kind === "cut" ? "cut" : "whole again";
  return event.intervalUs === 0 ? "free again" : `clogged, ${event.intervalUs} us a message`;
}

/** `text` in at most so many columns of a fixed-width font, with an ellipsis if some of it is missing. */
export function shorten(text: string, columnsMax: number): string {
  const line = text.replaceAll(/\s+/gu, " ");
  if (columnsOf(line) <= columnsMax) return line;
  let short = "";
  let columns = 1;
  for (const character of line) {
    columns += columnsOf(character);
    if (columns > columnsMax) break;
    short += character;
  }
  return `${short}…`;
}

/** How many columns of a fixed-width font `text` takes: two for what is as wide as it is high. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += (character.codePointAt(0) ?? 0) >= 0x1100 ? 2 : 1;
  return columns;
}

/** How many events are not shown: `2 events before are left out`. */
export function leftOutText(leftOut: number): string {
  return `${count(leftOut, "event")} before ${leftOut === 1 ? "is" : "are"} left out`;
}

/** The names of agents in a few short lines. */
export function agentLines(agents: readonly string[]): string[] {
  const lines: string[] = [];
  for (const agent of agents) {
    const last = lines.at(-1);
    const longer = last === undefined ? agent : `${last}, ${agent}`;
    if (last === undefined || columnsOf(longer) > agentColumnsMax) {
      lines.push(shorten(agent, agentColumnsMax));
    } else lines[lines.length - 1] = longer;
  }
  if (lines.length <= agentLinesMax) return lines;
  return [...lines.slice(0, agentLinesMax - 1), "and more"];
}

/** What was wrong with a run, in lines of some length. */
export function failureLines(failure = ""): string[] {
  const lines = failure.split("\n").filter((line) => line.trim() !== "");
  const more = lines.length - failureLinesMax;
  return [
    ...lines.slice(0, failureLinesMax).map((line) => shorten(line, 140)),
    ...more > 0 ? [`and ${more} more line${more === 1 ? "" : "s"}`] : [],
  ];
}
