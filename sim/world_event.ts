// What happens in a simulated world, as observers, the transcript and its hash see it.

import type { DeviceEvent, DeviceOutput } from "../core/devices.ts";
import type { Append, Envelope, Fault, Note, Output } from "../core/envelope.ts";
import { messageOf } from "../core/error.ts";
import type { AgentId, BoxId } from "../core/id.ts";
import type { RunningHash } from "./running_hash.ts";

/**
 * What became of a message between boxes. `flying`: nothing yet. `delivered`: its box took it. `lost`: by chance.
 * `cut`: its link was cut when it was sent or when it arrived. `down`: nobody was there to take it. `unsent`: the
 * sender crashed while it was still in its buffers.
 */
export type Fate = "flying" | "delivered" | "lost" | "cut" | "down" | "unsent";

/** A message between boxes, recorded once its fate is known. */
export interface Mail {
  readonly kind: "mail";
  readonly from: BoxId;
  readonly to: BoxId;
  readonly envelope: Envelope;
  readonly sentAtUs: number;
  /** When it met its fate. */
  readonly atUs: number;
  readonly fate: Fate;
  /** Stands for both agents in hashes; where it is left out, it is made of the envelope. */
  readonly ends?: number;
}

/** Something that happened to one box. */
export type BoxEvent =
  & { readonly atUs: number; readonly box: BoxId }
  & (
    /** It came up, with so many records of its journal, after so many bytes of a torn tail were cut. */
    | { readonly kind: "start"; readonly records: number; readonly tornBytes: number }
    /** It went down, by order or by its own fault. */
    | { readonly kind: "crash"; readonly why: string }
    | { readonly kind: "pause" }
    | { readonly kind: "resume" }
    /** A timer was due, or work was left from the step before. */
    | { readonly kind: "wake" }
    /** Handed to the journal; durable with the next sync. */
    | { readonly kind: "append"; readonly append: Append }
    /** So many records are durable now; `compacted` if they went into a new snapshot. */
    | { readonly kind: "sync"; readonly records: number; readonly compacted: boolean }
    /** A device told an agent something. */
    | { readonly kind: "input"; readonly agent: AgentId; readonly event: DeviceEvent }
    | { readonly kind: "output"; readonly output: Output }
    | { readonly kind: "note"; readonly note: Note }
    | { readonly kind: "fault"; readonly fault: Fault }
    /** An agent ended in peace, and all it asked for has been done. */
    | { readonly kind: "end"; readonly agent: AgentId }
    /** Each step of it takes so long from now on; 0 for none. */
    | { readonly kind: "slow"; readonly stepUs: number }
    /** Its clock went forward at once, and is too fast from now on by so many millionths. */
    | { readonly kind: "clock"; readonly jumpUs: number; readonly driftPpm: number }
    /** Its disk is another one, which is empty; or it has room for so many bytes from now on. */
    | { readonly kind: "disk"; readonly bytesMax: number | "lost" }
  );

/** Something that happened to the way from one box to another. */
export type LinkEvent =
  & { readonly atUs: number; readonly from: BoxId; readonly to: BoxId }
  & (
    | { readonly kind: "cut" | "heal" }
    /** Messages leave so far apart from now on; 0 for at once. */
    | { readonly kind: "clog"; readonly intervalUs: number }
  );

/** Something that happened in a simulated world. */
export type WorldEvent = Mail | BoxEvent | LinkEvent;

// The order is part of every hash that anybody noted down: append only.
const kinds: readonly WorldEvent["kind"][] = [
  "mail",
  "start",
  "crash",
  "pause",
  "resume",
  "wake",
  "append",
  "sync",
  "input",
  "output",
  "note",
  "fault",
  "end",
  "cut",
  "heal",
  "slow",
  "clock",
  "disk",
  "clog",
];

const fates: readonly Fate[] = ["flying", "lost", "cut", "down", "unsent"];

const kindWords = new Map(kinds.map((kind, index) => [kind, index]));

/** Feeds an event to a hash: all of it, so that runs with equal hashes have equal transcripts. */
export function hashEvent(hash: RunningHash, event: WorldEvent): void {
  if (event.kind === "mail") return hashMail(hash, event);
  hash.word(kindWords.get(event.kind) ?? kinds.length);
  hash.number(event.atUs);
  if (isLinkEvent(event)) {
    hash.name(event.from);
    hash.name(event.to);
    if (event.kind === "clog") hash.number(event.intervalUs);
    return;
  }
  hash.name(event.box);
  hashBoxEvent(hash, event);
}

/** Mail has no word for its kind, but one for each fate, all below zero. */
function hashMail(hash: RunningHash, { fate, atUs, sentAtUs, envelope, ends }: Mail): void {
  const word = fate === "delivered" ? -1 : -2 - fates.indexOf(fate);
  hash.fate(word, atUs, atUs - sentAtUs, ends ?? hash.words.ends(envelope.from, envelope.to));
  hash.object(envelope.message);
}

function isLinkEvent(event: BoxEvent | LinkEvent): event is LinkEvent {
  return event.kind === "cut" || event.kind === "heal" || event.kind === "clog";
}

function hashBoxEvent(hash: RunningHash, event: BoxEvent): void {
  switch (event.kind) {
    case "start":
      hash.number(event.records);
      return hash.number(event.tornBytes);
    case "crash":
      return hash.text(event.why);
    case "append":
      hash.name(event.append.agent);
      return hash.text(event.append.record);
    case "sync":
      hash.number(event.records);
      return hash.word(event.compacted ? 1 : 0);
    case "input":
      hash.name(event.agent);
      hash.name(event.event.device);
      return hash.json({ ...event.event.event });
    case "output":
      hash.name(event.output.agent);
      hash.name(event.output.output.device);
      return hash.json({ ...event.output.output.output });
    case "note":
      hash.name(event.note.agent ?? "");
      hash.name(event.note.event);
      return hash.json(event.note.detail);
    case "fault":
      hash.name(event.fault.agent);
      hash.name(event.fault.then);
      return hash.text(messageOf(event.fault.error));
    case "end":
      return hash.name(event.agent);
    case "slow":
      return hash.number(event.stepUs);
    case "clock":
      hash.number(event.jumpUs);
      return hash.number(event.driftPpm);
    case "disk":
      return hash.json(event.bytesMax);
  }
}

/** Virtual microseconds as milliseconds: `12.345`. */
export function formatMs(us: number): string {
  const fraction = us % 1000;
  return `${(us - fraction) / 1000}.${String(fraction).padStart(3, "0")}`;
}

/** An event as a line of the transcript. */
export function formatEvent(event: WorldEvent): string {
  return `${formatMs(event.atUs).padStart(12)}  ${describe(event)}`;
}

function describe(event: WorldEvent): string {
  switch (event.kind) {
    case "mail":
      return describeMail(event);
    case "cut":
    case "heal":
    case "clog":
      return `${event.from} -> ${event.to}  ${describeLink(event)}`;
    default:
      return describeBoxEvent(event);
  }
}

function describeLink(event: LinkEvent): string {
  if (event.kind !== "clog") return event.kind === "cut" ? "is cut" : "is whole again";
  return event.intervalUs === 0 ? "is free again" : `is clogged, ${event.intervalUs} us a message`;
}

function describeMail({ envelope, fate, sentAtUs }: Mail): string {
  const { type, ...body } = envelope.message;
  const arrow = fate === "delivered" ? "->" : "x ";
  const end = fate === "delivered" ? `(sent ${formatMs(sentAtUs)})` : `(${fate})`;
  return `${envelope.from} ${arrow} ${envelope.to}  ${type} ${JSON.stringify(body)} ${end}`;
}

/** What a device said or was given, as `line "hello"`. */
function describeDevice(
  { type, ...body }: DeviceEvent["event"] | DeviceOutput["output"],
): string {
  const rest = Object.keys(body).join() === "text" ? Object.values(body)[0] : body;
  return Object.keys(body).length === 0 ? type : `${type} ${JSON.stringify(rest)}`;
}

function describeLimit(bytesMax: number): string {
  return bytesMax === Infinity ? "has room again" : `has room for ${bytesMax} bytes of journal`;
}

function describeClock(jumpUs: number, driftPpm: number): string {
  const pace = driftPpm === 0
    ? "keeps time"
    : `${Math.abs(driftPpm)} ppm too ${driftPpm > 0 ? "fast" : "slow"}`;
  return jumpUs === 0 ? pace : `forward by ${jumpUs} us, ${pace}`;
}

function describeBoxEvent(event: BoxEvent): string {
  const { box } = event;
  switch (event.kind) {
    case "start":
      return `${box} starts with ${event.records} records` +
        (event.tornBytes === 0 ? "" : `, ${event.tornBytes} bytes of a torn tail cut`);
    case "crash":
      return `${box} crashes: ${event.why}`;
    case "pause":
      return `${box} stands still`;
    case "resume":
      return `${box} goes on`;
    case "wake":
      return `${box} wakes`;
    case "append":
      return `${event.append.agent} !  append ${event.append.record}`;
    case "sync":
      return `${box} synced ${event.records} records${event.compacted ? " in a snapshot" : ""}`;
    case "input":
      return `${event.agent} <  ${describeDevice(event.event.event)}`;
    case "output":
      return `${event.output.agent} >  ${describeDevice(event.output.output.output)}`;
    case "note": {
      const { agent, event: name, detail } = event.note;
      return `${agent ?? box} *  ${name}${
        detail === undefined ? "" : ` ${JSON.stringify(detail)}`
      }`;
    }
    case "fault": {
      const { agent, then, error } = event.fault;
      return `${agent} FAULT, ${then === "rebuild" ? "to be rebuilt" : "stopped"}: ${
        messageOf(error)
      }`;
    }
    case "end":
      return `${event.agent} ends`;
    case "slow":
      return `${box} ${event.stepUs === 0 ? "is quick again" : `takes ${event.stepUs} us a step`}`;
    case "clock":
      return `${box} clock: ${describeClock(event.jumpUs, event.driftPpm)}`;
    case "disk":
      return `${box} disk: ${
        event.bytesMax === "lost"
          ? "lost, an empty one in its place"
          : describeLimit(event.bytesMax)
      }`;
  }
}
