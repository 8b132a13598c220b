// Where the events of a simulated run go in a diagram: which of them are drawn, and in which row and column.
// What they say and look like is the business of mermaid.ts and diagram.ts.

import type { BoxEvent, LinkEvent, Mail, WorldEvent } from "./world_event.ts";

/** How many events a diagram shows unless told otherwise. */
export const diagramEventsMaxDefault = 200;

/** What a diagram shows besides events. */
export interface DiagramOptions {
  readonly title: string;
  /** The first columns, in order; boxes that something happens to follow. Default: in the order they turn up. */
  readonly boxes?: readonly string[];
  /** How many events are shown, the last ones; default {@linkcode diagramEventsMaxDefault}. */
  readonly eventsMax?: number;
  /** The agents of a box, for its head; default: those that the events name. */
  readonly agentsOf?: (box: string) => readonly string[];
  /** What was wrong with the run, in a line or a few. */
  readonly failure?: string;
}

/** The part of a run that is shown. */
export interface Excerpt {
  /** The events before, which say what state things are in at first. */
  readonly before: readonly WorldEvent[];
  readonly shown: readonly WorldEvent[];
  /** How many events before would have been worth a row. */
  readonly leftOut: number;
  readonly boxes: readonly string[];
  readonly agents: ReadonlyMap<string, readonly string[]>;
}

/**
 * The last events worth a row. Timers that wake a box, and prompts, are not.
 *
 * @throws {RangeError} if `eventsMax` is not a whole number from 1.
 */
export function excerptOf(events: readonly WorldEvent[], options: DiagramOptions): Excerpt {
  const { eventsMax = diagramEventsMaxDefault } = options;
  if (!Number.isSafeInteger(eventsMax) || eventsMax < 1) {
    throw new RangeError(`Cannot draw ${eventsMax} events, want at least 1`);
  }
  const worthy = events.flatMap((event, index) => isWorthy(event) ? [index] : []);
  const first = worthy[Math.max(0, worthy.length - eventsMax)] ?? events.length;
  const shown = events.slice(first).filter(isWorthy);
  const involved = new Set(shown.flatMap(boxesOf));
  const inOrder = [...new Set(events.flatMap(boxesOf))].filter((box) => involved.has(box));
  const boxes = [...new Set([...options.boxes ?? [], ...inOrder])];
  const named = options.agentsOf === undefined ? agentsIn(events) : undefined;
  return {
    before: events.slice(0, first),
    shown,
    leftOut: worthy.length - shown.length,
    boxes,
    agents: new Map(
      boxes.map((box) => [box, options.agentsOf?.(box) ?? [...named?.get(box) ?? []]]),
    ),
  };
}

function isWorthy(event: WorldEvent): boolean {
  if (event.kind === "output") return event.output.output.output.type !== "prompt";
  return event.kind !== "wake";
}

function boxesOf(event: WorldEvent): string[] {
  return "box" in event ? [event.box] : [event.from, event.to];
}

function agentsIn(events: readonly WorldEvent[]): Map<string, Set<string>> {
  const agents = new Map<string, Set<string>>();
  const add = (box: string, agent: string | undefined) => {
    if (agent === undefined) return;
    const known = agents.get(box);
    if (known === undefined) agents.set(box, new Set([agent]));
    else known.add(agent);
  };
  for (const event of events) {
    if (event.kind === "mail") {
      add(event.from, event.envelope.from);
      add(event.to, event.envelope.to);
    } else if ("box" in event) add(event.box, agentOf(event));
  }
  return agents;
}

function agentOf(event: BoxEvent): string | undefined {
  switch (event.kind) {
    case "append":
      return event.append.agent;
    case "output":
      return event.output.agent;
    case "note":
      return event.note.agent;
    case "fault":
      return event.fault.agent;
    case "input":
    case "end":
      return event.agent;
    default:
      return undefined;
  }
}

/** The messages that are copies of one before: same link, same time of sending, same words. */
export function copiesIn(events: readonly WorldEvent[]): ReadonlySet<Mail> {
  const seen = new Set<string>();
  const copies = new Set<Mail>();
  for (const event of events) {
    if (event.kind !== "mail") continue;
    const key = JSON.stringify([event.from, event.to, event.sentAtUs, event.envelope]);
    if (seen.has(key)) copies.add(event);
    seen.add(key);
  }
  return copies;
}

/** Whether an event belongs to the line of the one before: the same thing, to other links, at once. */
function isSameStroke(a: WorldEvent | undefined, b: WorldEvent): boolean {
  if (a === undefined || a.atUs !== b.atUs || !isLink(a) || !isLink(b)) return false;
  if (a.kind === "clog" && b.kind === "clog") return a.intervalUs === b.intervalUs;
  return a.kind === b.kind;
}

/** The events of links that are one stroke, if the event at `index` is the first of them; else none. */
export function strokeAt(events: readonly WorldEvent[], index: number): LinkEvent[] {
  const first = events[index];
  if (first === undefined || !isLink(first) || isSameStroke(events[index - 1], first)) return [];
  const stroke: LinkEvent[] = [];
  for (const next of events.slice(index)) {
    if (!isLink(next) || !isSameStroke(first, next)) break;
    stroke.push(next);
  }
  return stroke;
}

/** Whether an event is about a link. */
export function isLink(event: WorldEvent): event is LinkEvent {
  return event.kind === "cut" || event.kind === "heal" || event.kind === "clog";
}

/** A row of a diagram: what happens in it happens at one time. */
export interface Row {
  readonly atUs: number;
  /** How long nothing happened before it, if that is long. */
  readonly pauseUs: number;
}

/** Where the events of an excerpt are. Row -1 is before all rows. */
export interface Layout {
  readonly rows: readonly Row[];
  /** By event. Events of links that are one stroke have one row. */
  readonly rowOf: ReadonlyMap<WorldEvent, number>;
  /** By message: the row it was sent in. */
  readonly sentRowOf: ReadonlyMap<Mail, number>;
}

/** In which gap between columns a message ends, and whether it stops there: the gap `n` is right of column `n`. */
export function gapOf(from: number, to: number, fate: Mail["fate"]): number {
  const toRight = to > from;
  const last = toRight ? to - 1 : to;
  if (fate === "delivered" || fate === "down") return last;
  const first = toRight ? from : from - 1;
  return fate === "unsent" ? first : Math.floor((first + last + (toRight ? 0 : 1)) / 2);
}

/** Gives each event a row. Things that happen at once share one, unless they are in each other's way. */
export function layOut({ shown, boxes }: Excerpt): Layout {
  const columnOf = new Map(boxes.map((box, index) => [box, index]));
  const column = (box: string) => columnOf.get(box) ?? 0;
  const origins = originsOf(shown);
  const placer = new Placer(pauseUsMin(shown));
  const rowOf = new Map<WorldEvent, number>();
  const sentRowOf = new Map<Mail, number>();
  const sentRows = new Map<string, number>();
  for (const [index, event] of shown.entries()) {
    for (const key of origins.before.get(index) ?? []) {
      const { box, atUs } = key;
      sentRows.set(keyOf(box, atUs), placer.place(atUs, column(box)));
    }
    if (event.kind === "mail") {
      const key = keyOf(event.from, event.sentAtUs);
      const anchor = origins.anchors.get(key);
      const sent = sentRows.get(key) ?? (anchor === undefined ? -1 : rowOf.get(anchor) ?? -1);
      sentRowOf.set(event, sent);
      const gap = gapOf(column(event.from), column(event.to), event.fate);
      const end = event.fate === "delivered" ? column(event.to) : undefined;
      rowOf.set(event, placer.place(event.atUs, end, gap, sent + 1));
    } else if (isLink(event)) {
      const before = shown[index - 1];
      const row = before !== undefined && isSameStroke(before, event)
        ? rowOf.get(before)
        : undefined;
      rowOf.set(event, row ?? placer.placeAlone(event.atUs));
    } else {
      rowOf.set(event, placer.place(event.atUs, column(event.box), column(event.box)));
    }
  }
  return { rows: placer.rows, rowOf, sentRowOf };
}

function keyOf(box: string, atUs: number): string {
  return `${atUs} ${box}`;
}

interface Origins {
  /** By box and time: the event that the messages sent then leave with. */
  readonly anchors: ReadonlyMap<string, WorldEvent>;
  /** By the index of an event: the boxes that sent something before it, without any event of their own. */
  readonly before: ReadonlyMap<number, readonly { readonly box: string; readonly atUs: number }[]>;
}

// A message is recorded when its fate is known. It was sent in a step of its box, and the step is what the box did
// last at that time; a crash at the same time came after it.
function originsOf(shown: readonly WorldEvent[]): Origins {
  const latest = new Map<string, WorldEvent>();
  const anchors = new Map<string, WorldEvent>();
  const before = new Map<number, { box: string; atUs: number }[]>();
  const known = new Set<string>();
  const beginUs = shown[0]?.atUs ?? 0;
  for (const event of shown) {
    if (event.kind === "mail" && event.sentAtUs >= beginUs) {
      const key = keyOf(event.from, event.sentAtUs);
      const anchor = latest.get(key);
      if (!known.has(key)) {
        known.add(key);
        if (anchor !== undefined) anchors.set(key, anchor);
        else {
          const index = shown.findIndex(({ atUs }) => atUs >= event.sentAtUs);
          before.set(index, [...before.get(index) ?? [], {
            box: event.from,
            atUs: event.sentAtUs,
          }]);
        }
      }
    }
    if (event.kind === "mail" ? event.fate === "delivered" : "box" in event) {
      if (event.kind === "crash") continue;
      latest.set(keyOf("box" in event ? event.box : event.to, event.atUs), event);
    }
  }
  // Those that go before the same event were found in the order of their arrival.
  for (const senders of before.values()) senders.sort((a, b) => a.atUs - b.atUs);
  return { anchors, before };
}

/** From which length on a silence is marked: much longer than most, and a millisecond at least. */
function pauseUsMin(shown: readonly WorldEvent[]): number {
  const silences: number[] = [];
  let lastUs = shown[0]?.atUs ?? 0;
  for (const { atUs } of shown) {
    if (atUs > lastUs) silences.push(atUs - lastUs);
    lastUs = atUs;
  }
  silences.sort((a, b) => a - b);
  return Math.max(1000, 10 * (silences[Math.floor(silences.length / 2)] ?? 0));
}

/** Finds free rows, downwards. */
class Placer {
  readonly rows: Row[] = [];
  readonly #pauseUsMin: number;
  /** The first row of the present time that is not taken as a whole. */
  #first = 0;
  /** Whether there is anything at the present time. */
  #used = false;
  readonly #taken = new Set<string>();
  readonly #lastOfColumn = new Map<number, number>();

  constructor(pauseUsMin: number) {
    this.#pauseUsMin = pauseUsMin;
  }

  /** A row where the column is free below all that it has, and the gap is free for a label. */
  place(atUs: number, column: number | undefined, gap?: number, rowMin = 0): number {
    this.#pass(atUs);
    this.#used = true;
    const below = column === undefined ? 0 : (this.#lastOfColumn.get(column) ?? -1) + 1;
    let row = Math.max(this.#first, rowMin, below);
    while (gap !== undefined && this.#taken.has(`${row} ${gap}`)) row++;
    while (this.rows.length <= row) this.rows.push({ atUs, pauseUs: 0 });
    if (column !== undefined) this.#lastOfColumn.set(column, row);
    if (gap !== undefined) this.#taken.add(`${row} ${gap}`);
    return row;
  }

  /** A row that nothing else is in. */
  placeAlone(atUs: number): number {
    this.#pass(atUs);
    if (this.#used) this.rows.push({ atUs, pauseUs: 0 });
    this.#used = true;
    this.#first = this.rows.length;
    return this.rows.length - 1;
  }

  #pass(atUs: number): void {
    const last = this.rows.at(-1);
    if (last?.atUs === atUs) return;
    const pauseUs = last === undefined ? 0 : atUs - last.atUs;
    this.rows.push({ atUs, pauseUs: pauseUs >= this.#pauseUsMin ? pauseUs : 0 });
    this.#first = this.rows.length - 1;
    this.#used = false;
    this.#taken.clear();
  }
}

/** How long something was not as it should be. Row -1 is before all rows. */
export interface Span {
  readonly what: "down" | "still" | "cut";
  /** A box, or the two boxes of a link. */
  readonly about: string;
  readonly from: number;
  readonly to: number;
}

const beginnings = new Map<WorldEvent["kind"], Span["what"]>([
  ["crash", "down"],
  ["pause", "still"],
  ["cut", "cut"],
]);
const endings = new Map<WorldEvent["kind"], readonly Span["what"][]>([
  ["start", ["down"]],
  ["resume", ["still"]],
  ["crash", ["still"]],
  ["heal", ["cut"]],
]);

/** From which row to which boxes were down or stood still, and links were cut. */
export function spansOf({ before, shown, boxes }: Excerpt, { rowOf, rows }: Layout): Span[] {
  const open = new Map<string, Omit<Span, "to">>();
  const spans: Span[] = [];
  const known = new Set(boxes);
  for (const event of [...before, ...shown]) {
    if (event.kind === "mail") continue;
    const involved = "box" in event ? [event.box] : [event.from, event.to];
    if (involved.some((box) => !known.has(box))) continue;
    const about = involved.join(" ");
    const row = rowOf.get(event) ?? -1;
    for (const what of endings.get(event.kind) ?? []) {
      const span = open.get(`${what} ${about}`);
      open.delete(`${what} ${about}`);
      if (span !== undefined && row >= 0) spans.push({ ...span, to: row });
    }
    const what = beginnings.get(event.kind);
    if (what !== undefined) open.set(`${what} ${about}`, { what, about, from: row });
  }
  return [...spans, ...[...open.values()].map((span) => ({ ...span, to: rows.length }))];
}
