// The picture of a grid as an SVG document in black and white, to be looked at, printed, or put into a paper.

import { escapeXml } from "../core/xml.ts";
import {
  type Area,
  type DrawnLink,
  drawnName,
  fontSizes,
  type GraphLayout,
  layOutGraph,
  nodeName,
  textWidth,
} from "./graph_layout.ts";
import type { GridGraph } from "./graph_model.ts";

const cornerRadius = 6;
const legendLineHeight = 16;

/** Draws a grid. Equal graphs give equal documents. */
export async function graphSvg(graph: GridGraph, title: string): Promise<string> {
  const layout = await layOutGraph(graph);
  const hubs = new Set(graph.hubs.map(({ name }) => name));
  const legend = legendOf(graph, layout.height);
  const width = Math.ceil(Math.max(layout.width, legend.width));
  const height = Math.ceil(layout.height) + legend.height;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="0 0 ${width} ${height}" font-family="Helvetica, Arial, sans-serif" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    // Ends are drawn small, and turn with the line at both ends of it.
    `<defs><marker id="end" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" ` +
    `orient="auto-start-reverse"><path d="M0,0.8 L8,4 L0,7.2 z"/></marker></defs>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...graph.boxes.map(({ box }) => boxLines(box, layout)),
    ...layout.links.map((link) => linkLines(link, hubs)),
    ...graph.boxes.flatMap(({ agents }) => agents.map((agent) => agentLines(agent, layout))),
    ...graph.hubs.map((hub) => hubLines(hub, layout)),
    ...layout.links.map(labelLines),
    ...legend.lines,
    "</svg>",
    "",
  ].filter((line, index, all) => line !== "" || index === all.length - 1).join("\n");
}

function areaOf(layout: GraphLayout, name: string): Area {
  return layout.areas.get(name) ?? { x: 0, y: 0, width: 0, height: 0 };
}

function boxLines(box: string, layout: GraphLayout): string {
  const area = areaOf(layout, nodeName("box", box));
  return `<rect ${placeOf(area)} rx="${cornerRadius}" fill="#f2f2f2" stroke="#777"/>` +
    text(box, area.x + 10, area.y + 18, `font-size="${fontSizes.box}" fill="#333"`);
}

function agentLines({ id, type }: { id: string; type: string }, layout: GraphLayout): string {
  const area = areaOf(layout, nodeName("agent", id));
  const middle = `text-anchor="middle" font-size=`;
  const x = area.x + area.width / 2;
  const y = area.y + area.height / 2;
  return `<g><title>${escapeXml(`${id}: ${type}`)}</title>` +
    `<rect ${placeOf(area)} rx="3" fill="#fff" stroke="#000"/>` +
    text(drawnName(id), x, y - 3, `${middle}"${fontSizes.agent}" font-weight="bold"`) +
    text(drawnName(type), x, y + 12, `${middle}"${fontSizes.type}"`) + "</g>";
}

function hubLines({ name, label }: { name: string; label: string }, layout: GraphLayout): string {
  const area = areaOf(layout, nodeName("hub", name));
  const style = `text-anchor="middle" font-size="${fontSizes.label}"`;
  return `<rect ${placeOf(area)} rx="2"/>` +
    haloed(drawnName(label), area.x + area.width / 2, area.y - 5, style);
}

// A hub is no one who could be sent to: arrows that end in it have no heads there.
function linkLines({ link, points }: DrawnLink, hubs: ReadonlySet<string>): string {
  const way = points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${show(x)},${show(y)}`);
  const end = hubs.has(link.to) ? "" : ' marker-end="url(#end)"';
  const start = link.back === undefined || hubs.has(link.from) ? "" : ' marker-start="url(#end)"';
  return `<path d="${way.join(" ")}" fill="none" stroke="#000"${dashes(link.kind)}${end}${start}/>`;
}

function dashes(kind: string): string {
  return kind === "attrs" ? ' stroke-dasharray="5 3"' : "";
}

function labelLines({ labels }: DrawnLink): string {
  const style = `text-anchor="middle" font-size="${fontSizes.label}"`;
  return labels.map(({ text: words, area: { x, y, width, height } }) =>
    haloed(words, x + width / 2, y + height - 3, style)
  ).join("");
}

// On top of a line the text must still be read.
function haloed(words: string, x: number, y: number, style: string): string {
  return text(words, x, y, `${style} stroke="#fff" stroke-width="3" paint-order="stroke"`);
}

/** What kinds of lines mean, where there is more than the plainest. */
function legendOf(
  graph: GridGraph,
  top: number,
): { width: number; height: number; lines: string[] } {
  const kinds = new Set(graph.links.map(({ kind }) => kind));
  if (!kinds.has("attrs") && graph.hubs.length === 0) return { width: 0, height: 0, lines: [] };
  const line = (kind: string) => (x: number, y: number) =>
    `<path d="M${x},${y} H${x + 32}" stroke="#000"${dashes(kind)} marker-end="url(#end)"/>`;
  const bar = (x: number, y: number) =>
    `<rect x="${x + 14}" y="${show(y - 6)}" width="5" height="12" rx="2"/>`;
  const entries: [draw: (x: number, y: number) => string, words: string][] = [];
  if (kinds.has("route")) entries.push([line("route"), "sends by a route"]);
  if (kinds.has("attrs")) entries.push([line("attrs"), "names in its attrs"]);
  if (graph.hubs.length > 0) entries.push([bar, "from all at it to all with an arrow"]);
  const lines = entries.map(([draw, words], index) => {
    const y = top + 6 + index * legendLineHeight;
    return draw(16, y) + text(words, 56, y + 3.5, `font-size="${fontSizes.label}" fill="#333"`);
  });
  const width = Math.max(...entries.map(([, words]) => textWidth(words, fontSizes.label))) + 66;
  return { width, height: entries.length * legendLineHeight + 6, lines };
}

function text(words: string, x: number, y: number, style: string): string {
  return `<text x="${show(x)}" y="${show(y)}" ${style}>${escapeXml(words)}</text>`;
}

function placeOf({ x, y, width, height }: Area): string {
  return `x="${show(x)}" y="${show(y)}" width="${show(width)}" height="${show(height)}"`;
}

function show(number: number): string {
  return String(Math.round(number * 10) / 10);
}
