// A space-time diagram of a simulated run, as SVG: boxes are vertical lines, time runs downwards, messages are arrows
// from the row they were sent in to the row they arrived in. Time is not to scale: what happens gets a row.

import { escapeXml } from "../core/xml.ts";
import {
  copiesIn,
  type DiagramOptions,
  type Excerpt,
  excerptOf,
  gapOf,
  isLink,
  type Layout,
  layOut,
  spansOf,
  strokeAt,
} from "./diagram_layout.ts";
import {
  agentLines,
  captionOf,
  columnsOf,
  failureLines,
  leftOutText,
  linksText,
  mailText,
  shorten,
} from "./mermaid.ts";
import {
  type BoxEvent,
  formatEvent,
  formatMs,
  type LinkEvent,
  type Mail,
  type WorldEvent,
} from "./world_event.ts";

export type { DiagramOptions } from "./diagram_layout.ts";

const columnWidth = 232;
const rowHeight = 28;
const pauseHeight = 26;
const marginLeft = 132;
const characterWidth = 6.63;
/** As many characters as fit between two lifelines. */
const labelColumnsMax = 29;
const tooltipColumnsMax = 300;

const red = "#c0272d";
const amber = "#9a5b00";
const ink = "#1f2933";
const grey = "#66727f";
/** Dark enough for text, and none of them red. */
const hues = ["#1d5fa8", "#1b7a4b", "#6b3fa0", "#0f7482", "#8a3d78", "#4a5a1f"];

const toneStyles = {
  quiet: { stroke: "none", fill: "#ffffff", text: grey },
  note: { stroke: "#b9a3dc", fill: "#f3eefb", text: "#4b2e83" },
  speech: { stroke: "#9cc3e6", fill: "#eaf4fd", text: "#17497a" },
  warning: { stroke: "#e3b566", fill: "#fdf4e1", text: amber },
  failure: { stroke: red, fill: "#fdebec", text: red },
} as const;

/**
 * Draws the last events of a run as an SVG document. Equal events give equal documents.
 *
 * @example Look at a run of the key-value store.
 * ```ts ignore
 * const events: WorldEvent[] = [];
 * runScenario(scenario, 42n, { observer: (event) => events.push(event) });
 * await Deno.writeTextFile("run.svg", diagramSvg(events, { title: "kvs 42" }));
 * ```
 *
 * @throws {RangeError} if `eventsMax` is not a whole number from 1.
 */
export function diagramSvg(events: readonly WorldEvent[], options: DiagramOptions): string {
  const excerpt = excerptOf(events, options);
  return new Drawing(excerpt, layOut(excerpt), options).svg();
}

/** A drawing in the making: where things are, and how they look. */
class Drawing {
  readonly #excerpt: Excerpt;
  readonly #layout: Layout;
  readonly #options: DiagramOptions;
  readonly #columnOf: ReadonlyMap<string, number>;
  readonly #tops: readonly number[];
  readonly #heads: readonly (readonly string[])[];
  readonly #headTop: number;
  readonly #top: number;
  readonly #bottom: number;
  readonly #hueOf = new Map<string, string>();

  constructor(excerpt: Excerpt, layout: Layout, options: DiagramOptions) {
    this.#excerpt = excerpt;
    this.#layout = layout;
    this.#options = options;
    this.#columnOf = new Map(excerpt.boxes.map((box, index) => [box, index]));
    this.#heads = excerpt.boxes.map((box) => agentLines(excerpt.agents.get(box) ?? []));
    this.#headTop = excerpt.leftOut > 0 ? 92 : 74;
    this.#top = this.#headTop + 30 + 14 * Math.max(0, ...this.#heads.map(({ length }) => length));
    const tops: number[] = [];
    let y = this.#top + 24;
    for (const { pauseUs } of layout.rows) {
      if (pauseUs > 0) y += pauseHeight;
      tops.push(y);
      y += rowHeight;
    }
    this.#tops = tops;
    this.#bottom = y + 4;
  }

  svg(): string {
    const { title } = this.#options;
    const failure = failureLines(this.#options.failure);
    const width = Math.ceil(Math.max(
      this.#x(this.#excerpt.boxes.length) + 16,
      760,
      ...failure.map((line) => 60 + columnsOf(line) * characterWidth),
    ));
    const height = this.#bottom + 40 + (failure.length === 0 ? 0 : 52 + 17 * failure.length);
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="11" color-scheme="light">`,
      `<title>${escapeXml(title)}</title>`,
      `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
      ...this.#header(),
      ...this.#bands(),
      ...this.#times(width),
      ...this.#lifelines(),
      ...this.#mail(),
      ...this.#incidents(),
      ...this.#verdict(failure, width),
      "</svg>\n",
    ].join("\n");
  }

  #x(column: number): number {
    return marginLeft + column * columnWidth;
  }

  #column(box: string): number {
    return this.#columnOf.get(box) ?? 0;
  }

  #xOf(box: string): number {
    return this.#x(this.#column(box));
  }

  #y(row: number): number {
    return this.#tops[row] ?? (row < 0 ? this.#top : this.#bottom);
  }

  #yOf(event: WorldEvent): number {
    return this.#y(this.#layout.rowOf.get(event) ?? -1);
  }

  #header(): string[] {
    const { leftOut } = this.#excerpt;
    const lines = [
      `<text x="24" y="34" font-size="17" font-weight="bold" fill="${ink}">${
        escapeXml(shorten(this.#options.title, 70))
      }</text>`,
      text(
        24,
        54,
        grey,
        "Time runs downwards, in virtual ms, not to scale. Dashed red: did not arrive.",
      ),
      ...leftOut === 0 ? [] : [text(24, 72, amber, leftOutText(leftOut))],
    ];
    for (const [index, box] of this.#excerpt.boxes.entries()) {
      const x = this.#x(index);
      const agents = this.#heads[index] ?? [];
      const high = this.#top - this.#headTop - 4;
      lines.push(
        `<rect x="${
          x - 92
        }" y="${this.#headTop}" width="184" height="${high}" rx="6" fill="#eef2f6" stroke="#b8c4d0"/>`,
        `<text x="${x}" y="${
          this.#headTop + 18
        }" font-size="13" font-weight="bold" text-anchor="middle" fill="${ink}">${
          escapeXml(shorten(box, 22))
        }</text>`,
        ...agents.map((line, i) =>
          text(x, this.#headTop + 33 + 14 * i, grey, line, ` text-anchor="middle"`)
        ),
      );
    }
    return lines;
  }

  #times(width: number): string[] {
    const lines: string[] = [];
    let lastUs = -1;
    for (const [row, { atUs, pauseUs }] of this.#layout.rows.entries()) {
      const y = this.#y(row);
      if (pauseUs > 0) {
        const middle = y - rowHeight / 2 - pauseHeight / 2;
        lines.push(
          `<path class="silence" d="M24 ${middle}H${
            width - 24
          }" stroke="#c9d1d9" stroke-dasharray="2 5"/>`,
          label(24, middle + 4, grey, `+${formatMs(pauseUs)}`, ` font-style="italic"`),
        );
      }
      if (atUs !== lastUs) lines.push(text(84, y + 4, grey, formatMs(atUs), ` text-anchor="end"`));
      lastUs = atUs;
    }
    return lines;
  }

  #lifelines(): string[] {
    const lines: string[] = [];
    const spans = spansOf(this.#excerpt, this.#layout);
    for (const [index, box] of this.#excerpt.boxes.entries()) {
      const x = this.#x(index);
      lines.push(
        `<path class="lifeline" d="M${x} ${
          this.#top - 4
        }V${this.#bottom}" stroke="#8694a3" stroke-width="1.5"/>`,
        `<text x="${x}" y="${
          this.#bottom + 18
        }" font-size="12" font-weight="bold" text-anchor="middle" fill="${ink}">${
          escapeXml(shorten(box, 22))
        }</text>`,
      );
    }
    for (const { what, about, from, to } of spans) {
      if (what === "cut") continue;
      const [y, end] = [this.#y(from), this.#y(to)];
      lines.push(
        `<rect class="${what}" x="${this.#xOf(about) - 5}" y="${y}" width="10" height="${
          end - y
        }" fill="${what === "down" ? "#e5484d" : "#a3adb8"}"/>`,
      );
    }
    return lines;
  }

  #bands(): string[] {
    const bands = new Map<string, { from: number; to: number; columns: number[] }>();
    for (const { what, about, from, to } of spansOf(this.#excerpt, this.#layout)) {
      if (what !== "cut") continue;
      const band = bands.get(`${from} ${to}`) ?? { from, to, columns: [] };
      bands.set(`${from} ${to}`, band);
      band.columns.push(...about.split(" ").map((box) => this.#column(box)));
    }
    return [...bands.values()].map(({ from, to, columns }) => {
      const [left, right] = [this.#x(Math.min(...columns)), this.#x(Math.max(...columns))];
      const [y, end] = [this.#y(from), this.#y(to)];
      return `<rect class="cut" x="${left - 22}" y="${y}" width="${right - left + 44}" height="${
        end - y
      }" fill="#f5a524" fill-opacity="0.13" stroke="#e3b566" stroke-dasharray="3 3"/>`;
    });
  }

  /** Arrows first, so that no arrow crosses a label. */
  #mail(): string[] {
    const copies = copiesIn([...this.#excerpt.before, ...this.#excerpt.shown]);
    const arrows: string[] = [];
    const labels: string[] = [];
    for (const event of this.#excerpt.shown) {
      if (event.kind !== "mail") continue;
      arrows.push(this.#arrow(event, copies.has(event)));
      labels.push(this.#mailLabel(event, copies.has(event)));
    }
    return [...arrows, ...labels];
  }

  #arrow(mail: Mail, again: boolean): string {
    const { from, fate } = mail;
    const [x, y] = [this.#xOf(from), this.#y(this.#layout.sentRowOf.get(mail) ?? -1)];
    const [endX, endY] = [this.#endX(mail), this.#yOf(mail)];
    const color = fate === "delivered" ? this.#hue(mail) : red;
    const dashes = fate === "delivered" ? (again ? "1.5 3" : "none") : "5 4";
    // One that passes a lifeline is bent, or it would run over the arrow to the box that it passes.
    const bend = Math.abs(endX - x) > columnWidth ? 14 : 0;
    const [midX, midY] = [(x + endX) / 2, (y + endY) / 2 - bend];
    const end = fate === "delivered"
      ? arrowHead(midX, midY, endX, endY, color)
      : `<path class="cross" d="M${endX - 5} ${
        endY - 5
      }l10 10m0 -10l-10 10" stroke="${red}" stroke-width="2"/>`;
    return `<g class="mail ${fate}">${
      tooltip(mail)
    }<path d="M${x} ${y}Q${midX} ${midY} ${endX} ${endY}" fill="none" stroke="${color}" stroke-width="1.4" stroke-dasharray="${dashes}"/><circle cx="${x}" cy="${y}" r="2.5" fill="${color}"/>${end}</g>`;
  }

  #gap({ from, to, fate }: Mail): number {
    return gapOf(this.#column(from), this.#column(to), fate);
  }

  #endX(mail: Mail): number {
    const toRight = this.#xOf(mail.to) > this.#xOf(mail.from);
    switch (mail.fate) {
      case "delivered":
        return this.#xOf(mail.to);
      case "down":
        return this.#xOf(mail.to) + (toRight ? -14 : 14);
      case "unsent":
        return this.#xOf(mail.from) + (toRight ? 30 : -30);
      default:
        // Nearer to the sender, or it would lie on the arrow of a copy that did arrive two rows below.
        return this.#x(this.#gap(mail)) + columnWidth * (toRight ? 0.4 : 0.6);
    }
  }

  #mailLabel(mail: Mail, again: boolean): string {
    const toRight = this.#xOf(mail.to) > this.#xOf(mail.from);
    const words = shorten(mailText(mail, again), labelColumnsMax);
    const y = this.#yOf(mail);
    if (mail.fate === "delivered") {
      const x = this.#xOf(mail.to) + (toRight ? -9 : 9);
      return label(x, y + 16, this.#hue(mail), words, toRight ? ` text-anchor="end"` : "");
    }
    const middle = this.#x(this.#gap(mail)) + columnWidth / 2;
    return label(middle, y + 15, red, words, ` text-anchor="middle"`);
  }

  #hue({ envelope: { message: { type } } }: Mail): string {
    const hue = this.#hueOf.get(type) ?? hues[this.#hueOf.size % hues.length] ?? ink;
    this.#hueOf.set(type, hue);
    return hue;
  }

  #incidents(): string[] {
    const { shown } = this.#excerpt;
    return shown.map((event, index) => {
      if (event.kind === "mail") return "";
      return isLink(event) ? this.#banner(strokeAt(shown, index)) : this.#incident(event);
    }).filter((line) => line !== "");
  }

  #banner(stroke: readonly LinkEvent[]): string {
    const [first] = stroke;
    if (first === undefined) return "";
    const columns = stroke.flatMap(({ from, to }) => [from, to]).map((box) => this.#xOf(box));
    const room = this.#x(this.#excerpt.boxes.length) - 24 - Math.min(...columns);
    const words = shorten(linksText(stroke), Math.floor(room / characterWidth));
    return pill(Math.min(...columns) - 14, this.#yOf(first), words, "warning", "link");
  }

  #incident(event: BoxEvent): string {
    const { text: words, tone } = captionOf(event);
    const [x, y] = [this.#xOf(event.box), this.#yOf(event)];
    const mark = tone === "failure"
      ? `<path d="M${x - 7} ${y - 7}l14 14m0 -14l-14 14" stroke="${red}" stroke-width="3"/>`
      : `<circle cx="${x}" cy="${y}" r="3.5" fill="${toneStyles[tone].text}" stroke="#ffffff"/>`;
    const box = pill(x + 11, y, shorten(words, labelColumnsMax), tone, event.kind);
    return `<g>${tooltip(event)}${mark}${box}</g>`;
  }

  #verdict(lines: readonly string[], width: number): string[] {
    if (lines.length === 0) return [];
    const y = this.#bottom + 40;
    return [
      `<rect class="verdict" x="24" y="${y}" width="${width - 48}" height="${
        28 + 17 * lines.length
      }" rx="6" fill="#fdebec" stroke="${red}" stroke-width="2"/>`,
      ...lines.map((line, index) =>
        text(40, y + 26 + 17 * index, red, line, index === 0 ? ` font-weight="bold"` : "")
      ),
    ];
  }
}

/** The head of an arrow that goes from one point to another: it ends where it should. */
function arrowHead(x: number, y: number, endX: number, endY: number, color: string): string {
  const length = Math.sqrt((endX - x) ** 2 + (endY - y) ** 2) || 1;
  const [dx, dy] = [(endX - x) / length, (endY - y) / length];
  const point = (back: number, side: number) =>
    `${(endX - back * dx - side * dy).toFixed(1)} ${(endY - back * dy + side * dx).toFixed(1)}`;
  return `<path class="head" d="M${point(1, 0)}L${point(10, 4)}L${
    point(10, -4)
  }Z" fill="${color}"/>`;
}

/** All of an event, for those who point at it. */
function tooltip(event: WorldEvent): string {
  return `<title>${escapeXml(shorten(formatEvent(event).trim(), tooltipColumnsMax))}</title>`;
}

function text(x: number, y: number, color: string, words: string, more = ""): string {
  return `<text x="${x}" y="${y}" fill="${color}"${more}>${escapeXml(words)}</text>`;
}

/** Text that stays readable on top of lines. */
function label(x: number, y: number, color: string, words: string, more = ""): string {
  const halo = ` stroke="#ffffff" stroke-width="4" stroke-linejoin="round" paint-order="stroke"`;
  return text(x, y, color, words, `${halo}${more}`);
}

function pill(x: number, y: number, words: string, tone: keyof typeof toneStyles, kind: string) {
  const { fill, stroke, text: color } = toneStyles[tone];
  const width = (columnsOf(words) * characterWidth + 12).toFixed(1);
  const radius = tone === "speech" ? 9 : 3;
  return `<rect class="${kind}" x="${x}" y="${
    y - 9
  }" width="${width}" height="18" rx="${radius}" fill="${fill}" fill-opacity="0.93" stroke="${stroke}"/>${
    text(x + 6, y + 4, color, words)
  }`;
}
