// Where the boxes, agents and links of a grid's picture go: laid out in layers by the Eclipse Layout Kernel, with
// the sizes of texts reckoned, since nothing here has a font.

import type { ElkExtendedEdge, ElkNode, ElkPoint } from "elkjs";
import { columnsOf, shorten } from "../sim/mermaid.ts";
import type { GraphLink, GridGraph } from "./graph_model.ts";

/** A rectangle, from the upper left corner of the picture. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A link with its way: corners from end to end, and where its labels have room. */
export interface DrawnLink {
  readonly link: GraphLink;
  readonly points: readonly ElkPoint[];
  readonly labels: readonly { readonly text: string; readonly area: Area }[];
}

/** A picture with everything in its place. */
export interface GraphLayout {
  readonly width: number;
  readonly height: number;
  /** By the name of a box, an agent or a hub, as {@linkcode nodeName} makes them. */
  readonly areas: ReadonlyMap<string, Area>;
  readonly links: readonly DrawnLink[];
}

/** The sizes of letters in the picture. */
export const fontSizes = { agent: 13, type: 11, box: 11, label: 10 } as const;

const agentHeight = 40;
const endHeight = 8;
const labelledEndHeight = 18;
const agentWidthMin = 56;
const boxPadding = 14;
/** A hub is a bar, as thick as this, and as long as its links need. */
const hubWidth = 5;
const hubHeightOfLink = 12;
const kinkMax = 2;
/** Longer names are cut; the whole one is shown by a viewer that the mouse rests in. */
const nameColumnsMax = 32;

/** A name as far as it is drawn. */
export function drawnName(name: string): string {
  return shorten(name, nameColumnsMax);
}

/** Names of different kinds cannot be mixed up: an agent may be called like a box. */
export function nodeName(kind: "box" | "agent" | "hub", name: string): string {
  return `${kind} ${name}`;
}

/** How wide a text will be at most, in any common typeface without serifs. */
export function textWidth(text: string, size: number): number {
  return Math.ceil(columnsOf(text) * size * 0.64);
}

const rootOptions = {
  "elk.algorithm": "layered",
  "elk.direction": "RIGHT",
  "elk.hierarchyHandling": "INCLUDE_CHILDREN",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.json.shapeCoords": "ROOT",
  "elk.json.edgeCoords": "ROOT",
  "elk.padding": "[top=16,left=16,bottom=16,right=16]",
  "elk.spacing.nodeNode": "22",
  "elk.spacing.edgeNode": "14",
  "elk.spacing.edgeEdge": "10",
  "elk.spacing.edgeLabel": "3",
  "elk.layered.spacing.nodeNodeBetweenLayers": "36",
  "elk.layered.spacing.edgeNodeBetweenLayers": "16",
  "elk.layered.spacing.edgeEdgeBetweenLayers": "10",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
  "elk.layered.thoroughness": "20",
};

/** Lays the picture out. The same graph gives the same picture. */
export async function layOutGraph(graph: GridGraph): Promise<GraphLayout> {
  const root: ElkNode = {
    id: "grid",
    layoutOptions: rootOptions,
    children: [
      ...graph.boxes.map(({ box, agents }): ElkNode => ({
        id: nodeName("box", box),
        layoutOptions: {
          "elk.padding": `[top=30,left=${boxPadding},bottom=14,right=${boxPadding}]`,
        },
        children: [
          ...agents.map(({ id, type }) => ({
            id: nodeName("agent", id),
            width: widthOf(id, type, box),
            height: heightOf(graph, id),
          })),
          ...hubNodes(graph, box),
        ],
      })),
      ...hubNodes(graph, undefined),
    ],
    edges: graph.links.map((link, index) => edgeOf(graph, link, index)),
  };
  // Large, and of no use to any other command.
  const { default: Elk } = await import("elkjs");
  const laid = await new Elk.default().layout(root);
  const areas = new Map<string, Area>();
  collectAreas(laid, areas);
  const byId = new Map(edgesIn(laid).map((edge) => [edge.id, edge]));
  const links = graph.links.flatMap((link, index) => drawn(link, byId.get(`link ${index}`)));
  return { width: laid.width ?? 0, height: laid.height ?? 0, areas, links };
}

// Any one agent is wide enough for its box to have room for its name.
function widthOf(id: string, type: string, box: string): number {
  const wide = Math.max(
    textWidth(drawnName(id), fontSizes.agent),
    textWidth(drawnName(type), fontSizes.type),
  ) + 16;
  return Math.max(agentWidthMin, wide, textWidth(box, fontSizes.box) - boxPadding);
}

// The ends of links need room between them, and more of it where they have labels.
function heightOf({ links }: GridGraph, id: string): number {
  const own = links.filter(({ from, to }) => from === id || to === id);
  const labelled = own.filter(({ label, back = label }) => back !== label);
  return Math.max(
    agentHeight,
    own.length * endHeight,
    (labelled.length + 1) * labelledEndHeight,
  );
}

function hubNodes(graph: GridGraph, box: string | undefined): ElkNode[] {
  return graph.hubs.filter((hub) => hub.box === box).map(({ name, label }) => ({
    id: nodeName("hub", name),
    width: hubWidth,
    height: hubHeightOfLink *
      graph.links.filter(({ from, to }) => from === name || to === name).length,
    labels: [{
      text: label,
      width: textWidth(label, fontSizes.label),
      height: fontSizes.label + 2,
    }],
    layoutOptions: { "elk.nodeLabels.placement": "OUTSIDE V_TOP H_CENTER" },
  }));
}

function edgeOf(graph: GridGraph, link: GraphLink, index: number): ElkExtendedEdge {
  const end = (name: string) =>
    nodeName(graph.hubs.some((hub) => hub.name === name) ? "hub" : "agent", name);
  return {
    id: `link ${index}`,
    sources: [end(link.from)],
    targets: [end(link.to)],
    labels: labelsOf(link).map(({ text, placement }) => ({
      text: drawnName(text),
      width: textWidth(drawnName(text), fontSizes.label),
      height: fontSizes.label + 2,
      layoutOptions: { "elk.edgeLabels.placement": placement },
    })),
  };
}

// Two ways that are called differently are each named where they begin.
function labelsOf({ label, back = label }: GraphLink) {
  const labels = label === back
    ? [{ text: label, placement: "CENTER" }]
    : [{ text: label, placement: "TAIL" }, { text: back, placement: "HEAD" }];
  return labels.filter(({ text }) => text !== "");
}

function collectAreas(node: ElkNode, areas: Map<string, Area>): void {
  const { id, x = 0, y = 0, width = 0, height = 0, children = [] } = node;
  areas.set(id, { x, y, width, height });
  for (const child of children) collectAreas(child, areas);
}

function edgesIn(node: ElkNode): ElkExtendedEdge[] {
  return [...node.edges ?? [], ...(node.children ?? []).flatMap(edgesIn)];
}

function drawn(link: GraphLink, edge: ElkExtendedEdge | undefined): DrawnLink[] {
  const [section] = edge?.sections ?? [];
  if (section === undefined) return [];
  const points = straighten([section.startPoint, ...section.bendPoints ?? [], section.endPoint]);
  const labels = (edge?.labels ?? []).map(({ text = "", x = 0, y = 0, width = 0, height = 0 }) => ({
    text,
    area: { x, y, width, height },
  }));
  return [{ link, points, labels }];
}

// Rounding at the edges of boxes leaves kinks of a pixel in what should be straight.
function straighten(points: readonly ElkPoint[]): ElkPoint[] {
  const straight: ElkPoint[] = [];
  for (const { x, y } of points) {
    const last = straight.at(-1) ?? { x, y };
    const near = (a: number, b: number) => Math.abs(a - b) < kinkMax ? b : a;
    straight.push({ x: near(x, last.x), y: near(y, last.y) });
  }
  return straight;
}
