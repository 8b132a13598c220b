// Draws how the cost grows: a panel for each series, sizes along a logarithmic axis, messages a second upwards from 0,
// the median as a line and least to most as bars.

import { escapeXml } from "../core/xml.ts";
import type { ScaleSeries } from "./scale.ts";
import { median } from "./statistics.ts";

const panel = { width: 360, height: 260, left: 64, right: 16, top: 48, bottom: 48 } as const;
const ticks = 4;

/** An SVG with one panel a series. */
export function chartSvg(series: readonly ScaleSeries[]): string {
  const most = Math.max(...series.flatMap(({ points }) => points.flatMap(({ rates }) => rates)));
  const top = niceAbove(most);
  const width = panel.width * series.length;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${panel.height}" ` +
    `width="${width}" height="${panel.height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${panel.height}" fill="white"/>`,
    ...series.map((each, index) =>
      `<g transform="translate(${index * panel.width} 0)">\n${drawPanel(each, top)}\n</g>`
    ),
    "</svg>",
    "",
  ].join("\n");
}

function drawPanel({ name, of, points }: ScaleSeries, top: number): string {
  const inner = {
    width: panel.width - panel.left - panel.right,
    height: panel.height - panel.top - panel.bottom,
  };
  const last = points.length - 1;
  const x = (index: number) => panel.left + inner.width * (last === 0 ? 0.5 : index / last);
  const y = (rate: number) => panel.top + inner.height * (1 - rate / top);
  const lines: string[] = [text(panel.left, 18, name, `font-size="13" font-weight="bold"`)];
  for (let tick = 0; tick <= ticks; tick++) {
    const rate = top * tick / ticks;
    lines.push(
      `<line x1="${panel.left}" x2="${panel.width - panel.right}" y1="${y(rate)}" y2="${
        y(rate)
      }" ` +
        `stroke="#ddd"/>`,
      text(panel.left - 6, y(rate) + 4, shortCount(rate), `text-anchor="end"`),
    );
  }
  lines.push(text(8, 36, "messages/s", `fill="#555"`));
  points.forEach(({ size, rates }, index) => {
    lines.push(
      `<line x1="${x(index)}" x2="${x(index)}" y1="${y(Math.min(...rates))}" ` +
        `y2="${y(Math.max(...rates))}" stroke="#444"/>`,
      text(x(index), panel.height - panel.bottom + 16, String(size), `text-anchor="middle"`),
    );
  });
  const path = points.map(({ rates }, index) => `${x(index)},${y(median(rates))}`).join(" ");
  lines.push(`<polyline points="${path}" fill="none" stroke="#1f5fa8" stroke-width="2"/>`);
  points.forEach(({ rates }, index) =>
    lines.push(`<circle cx="${x(index)}" cy="${y(median(rates))}" r="3.5" fill="#1f5fa8"/>`)
  );
  lines.push(
    text(panel.left + inner.width / 2, panel.height - 12, of, `text-anchor="middle" fill="#555"`),
  );
  return lines.join("\n");
}

function text(x: number, y: number, words: string, more: string): string {
  return `<text x="${x}" y="${y}" ${more}>${escapeXml(words)}</text>`;
}

/** The least of 1, 2, 4, 5, 8 and 10 times a power of ten that is not below. */
function niceAbove(value: number): number {
  let power = 1;
  while (power * 10 <= value) power *= 10;
  return power * ([1, 2, 4, 5, 8, 10].find((factor) => factor * power >= value) ?? 10);
}

function shortCount(value: number): string {
  if (value >= 1e6) return `${value / 1e6} M`;
  return value >= 1000 ? `${value / 1000} k` : String(value);
}
