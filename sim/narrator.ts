// Tells what happens in a simulated world so that a person can follow it: who got which message, what is on whose
// disk, what was noted and printed. Times are left out, but for pauses, so that a change of the protocol changes the
// lines that it concerns and no others.
//
// A message stands where it met its fate, and a record where it became durable: what follows from either comes after.

import type { Append, Output } from "../core/envelope.ts";
import { count } from "../core/config/wording.ts";
import { messageOf } from "../core/error.ts";
import type { Cast } from "./cast.ts";
import { fieldsOf, kindWords, wordsOf } from "./plain_words.ts";
import type { BoxEvent, Mail, WorldEvent } from "./world_event.ts";

/** A pause that is at least so long is worth a line. */
const pauseUsMin = 5000;

interface Line {
  readonly atUs: number;
  /** Who did it; several if they did the same at once. */
  readonly from: string[];
  /** `->` a message arrived, `x` something was lost, `!` durable, `>` printed, `*` noted, `::` of a box, `=` a view. */
  readonly sign: string;
  /** To whom, or where. */
  readonly to: string[];
  readonly text: string;
}

/** More lines than this nobody has asked for. */
export const linesMax = 10_000;

/** Who is printed in the first column, and whom it went to in the third. */
const columnWidth = 8;

/** Turns the events of a world into lines. */
export class Narrator {
  readonly #cast: Cast;
  readonly #lines: Line[] = [];
  /** What each box has appended and not synced. */
  readonly #unsynced = new Map<string, Append[]>();
  /** What was last said of each type on each way. */
  readonly #said = new Map<string, string>();
  #sinceUs = 0;

  constructor(cast: Cast) {
    this.#cast = cast;
  }

  /** How many lines there are that nobody has taken. */
  get count(): number {
    return this.#lines.length;
  }

  /** Adds a line about `from` that no event of the world has caused. */
  add(atUs: number, from: string, sign: string, text: string): void {
    this.#add({ atUs, from: [from], sign, to: [], text });
  }

  /**
   * The lines since the last call.
   *
   * @param nowUs From here on the next pause is measured.
   * @param shows Which signs to show; the others are counted.
   */
  take(nowUs: number, shows?: ReadonlySet<string>): string[] {
    const lines = this.#lines.splice(0);
    const shown = shows === undefined ? lines : lines.filter(({ sign }) => shows.has(sign));
    const texts: string[] = [];
    for (const line of shown) {
      // To look at a state is no event.
      const pauseUs = line.sign === "=" ? 0 : line.atUs - this.#sinceUs;
      if (pauseUs >= pauseUsMin && shows === undefined) {
        texts.push(`${" ".repeat(columnWidth)} .. ${Math.round(pauseUs / 1000)} ms later`);
      }
      if (line.sign !== "=") this.#sinceUs = line.atUs;
      texts.push(formatLine(line));
    }
    this.#sinceUs = nowUs;
    const leftOut = lines.length - shown.length;
    if (leftOut > 0) texts.push(`(${leftOut} lines left out)`);
    return texts;
  }

  see(event: WorldEvent): void {
    switch (event.kind) {
      case "mail":
        return this.#seeMail(event);
      // What the commands say themselves.
      case "cut":
      case "heal":
      case "clog":
        return;
      default:
        return this.#seeBox(event);
    }
  }

  #seeMail({ envelope: { from, to, message }, fate, atUs }: Mail): void {
    const said = this.#cast.message?.(message) ?? fieldsOf({ ...message, type: undefined });
    const end = fate === "delivered" ? "" : ` (${fate})`;
    const text = `${message.type} ${said}`.trimEnd() + end;
    if (this.#cast.repeated?.includes(message.type)) {
      const way = `${from} ${to} ${message.type}`;
      if (this.#said.get(way) === text) return;
      this.#said.set(way, text);
    }
    this.#add({ atUs, from: [from], sign: end === "" ? "->" : "x", to: [to], text });
  }

  #seeBox(event: BoxEvent): void {
    const { atUs, box } = event;
    switch (event.kind) {
      case "start": {
        const { records, tornBytes } = event;
        const torn = tornBytes === 0 ? "" : `, a torn tail of ${tornBytes} bytes cut`;
        const found = records === 0 ? "an empty disk" : count(records, "record");
        return this.add(atUs, box, "::", `starts with ${found}${torn}`);
      }
      case "crash":
        this.#loseUnsynced(atUs, box);
        if (event.why === "its disk is full") this.add(atUs, box, "::", `crashes: ${event.why}`);
        return;
      case "append":
        return void this.#unsyncedOf(box).push(event.append);
      case "sync":
        for (const append of this.#unsyncedOf(box).splice(0, event.records)) {
          this.#addRecord(atUs, append, "!", "");
        }
        return;
      case "output":
        return this.#addOutput(atUs, event.output);
      case "note": {
        const { agent, event: name, detail } = event.note;
        const said = detail === undefined
          ? ""
          : this.#cast.note?.(detail) ?? plainWords(detail, fieldsOf);
        return this.add(atUs, agent ?? box, "*", `${name} ${said}`.trimEnd());
      }
      case "fault": {
        const { agent, then, error } = event.fault;
        return this.add(atUs, agent, "::", `fault, then ${then}: ${oneLine(messageOf(error))}`);
      }
      case "end":
        return this.add(atUs, event.agent, "::", "ends");
      default:
        return;
    }
  }

  #unsyncedOf(box: string): Append[] {
    let appends = this.#unsynced.get(box);
    if (appends === undefined) this.#unsynced.set(box, appends = []);
    return appends;
  }

  #loseUnsynced(atUs: number, box: string): void {
    for (const append of this.#unsyncedOf(box).splice(0)) {
      this.#addRecord(atUs, append, "x", " (not synced)");
    }
  }

  #addRecord(atUs: number, { agent, record }: Append, sign: string, end: string): void {
    const value = JSON.parse(record);
    const text = this.#cast.record?.(value) ?? plainWords(value, kindWords);
    this.#add({ atUs, from: [agent], sign, to: ["journal"], text: text + end });
  }

  #addOutput(atUs: number, { agent, output: { device, output } }: Output): void {
    if (device === "process" || device === "http") {
      this.add(atUs, agent, ">", plainWords({ ...output }, kindWords));
    } else if (device === "file") {
      const text = output.type === "write" ? `${output.lines.length} lines` : output.text;
      this.add(atUs, agent, ">", `${output.path}: ${oneLine(text)}`);
    } else if (output.type === "print") {
      this.add(atUs, agent, ">", oneLine(this.#cast.printed?.(output.text) ?? output.text));
    }
  }

  /** What several agents do at once, or one does to several, is one line. */
  #add(line: Line): void {
    const last = this.#lines.at(-1);
    if (
      last?.atUs === line.atUs && last.sign === line.sign && last.text === line.text &&
      joins(last, line)
    ) return;
    if (this.#lines.length >= linesMax) {
      throw new Error(`A block has more than ${linesMax} lines, want less to happen in it`);
    }
    this.#lines.push(line);
  }
}

/** Lets `last` stand for `line` as well, if one of the two columns is the same in both. */
function joins(last: Line, { from: [from = ""], to: [to = ""] }: Line): boolean {
  if (last.from.length === 1 && last.from[0] === from && to !== "" && !last.to.includes(to)) {
    last.to.push(to);
    return true;
  }
  if (last.to.length <= 1 && (last.to[0] ?? "") === to && !last.from.includes(from)) {
    last.from.push(from);
    return true;
  }
  return false;
}

function formatLine({ from, sign, to, text }: Line): string {
  const column = to.length === 0 ? "" : `${to.join(" ").padEnd(columnWidth)} `;
  return `${from.join(" ").padEnd(columnWidth)} ${sign.padEnd(2)} ${column}${text}`.trimEnd();
}

function plainWords(value: unknown, ofObject: (value: object) => string): string {
  return typeof value === "object" && value !== null ? ofObject(value) : wordsOf(value);
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " / ");
}
