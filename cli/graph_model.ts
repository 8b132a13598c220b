// What a picture of a grid shows: boxes, their agents, who sends to whom, and whom the attrs name. No places, no looks.

import type { Json } from "../core/data.ts";
import type { AgentEntry, Grid, Target } from "../core/grid.ts";
import { agentsOf } from "../core/grid.ts";
import { type AgentId, type BoxId, isToken } from "../core/id.ts";

/** How a link came about: by a route, or since the attrs of one agent name the other. */
export type LinkKind = "route" | "attrs";

/** An arrow between two nodes: agents, or hubs. */
export interface GraphLink {
  readonly kind: LinkKind;
  readonly from: string;
  readonly to: string;
  readonly label: string;
  /** What the way back is called, if there is one; the same as `label` where both ways are called alike. */
  readonly back?: string;
}

/** A point at which many links meet: what several agents call by one name, such as `replicas`. */
export interface GraphHub {
  readonly name: string;
  readonly label: string;
  /** The box that all of its agents live in, if it is one. */
  readonly box: BoxId | undefined;
}

/** A grid as a picture shows it. */
export interface GridGraph {
  readonly boxes: readonly {
    readonly box: BoxId;
    readonly agents: readonly { readonly id: AgentId; readonly type: string }[];
  }[];
  readonly hubs: readonly GraphHub[];
  readonly links: readonly GraphLink[];
}

/** That an agent calls others by a name. */
interface Naming {
  readonly kind: LinkKind;
  readonly from: AgentId;
  readonly label: string;
  readonly targets: readonly AgentId[];
}

/** The picture of `grid`. */
export function graphOf(grid: Grid): GridGraph {
  const namings = [...grid.agents.values()].flatMap((entry) => namingsOf(entry, grid));
  const hubs: GraphHub[] = [];
  const links: GraphLink[] = [];
  for (const group of gather(namings)) {
    const direct = directLinks(group);
    const hub = hubOf(group, grid, `hub ${hubs.length}`);
    // A hub pays where it saves arrows, and shows that all who know each other are alike.
    if (hub.links.length > direct.length) links.push(...direct);
    else if (hub.links.length < 3) links.push(...direct);
    else {
      hubs.push(hub.hub);
      links.push(...hub.links);
    }
  }
  const boxes = grid.boxes.map((box) => ({
    box,
    agents: agentsOf(grid, box).map(({ id, type }) => ({ id, type })),
  }));
  return { boxes, hubs, links: pair(links) };
}

function namingsOf(entry: AgentEntry, grid: Grid): Naming[] {
  const routes = routeNamings(entry, grid);
  const reached = new Set<AgentId>(routes.flatMap(({ targets }) => targets));
  const attrs = Object.entries(entry.attrs).flatMap(([label, value]): Naming[] => {
    // The route says it already, and better.
    const targets = agentsNamed(value, grid).filter((id) => id !== entry.id && !reached.has(id));
    return targets.length === 0 ? [] : [{ kind: "attrs", from: entry.id, label, targets }];
  });
  return [...routes, ...attrs];
}

function routeNamings({ id, routes }: AgentEntry, grid: Grid): Naming[] {
  const namings: Naming[] = [];
  // Routes that are named after the agent behind them are one: whoever is written to.
  const plain = new Map<string, AgentId[]>();
  for (const [virtual, targets] of routes) {
    const known = targets.filter(({ agent }) => grid.agents.has(agent));
    const [only] = known;
    if (known.length === 1 && only !== undefined && String(only.agent) === String(virtual)) {
      const label = portsOf(known);
      plain.set(label, [...plain.get(label) ?? [], only.agent]);
    } else if (known.length > 0) {
      const label = [virtual, portsOf(known)].filter((part) => part !== "").join(", ");
      namings.push({ kind: "route", from: id, label, targets: known.map(({ agent }) => agent) });
    }
  }
  for (const [label, targets] of plain) namings.push({ kind: "route", from: id, label, targets });
  return namings;
}

// Agents that speak no text have no use for ports: the grid says 0.
function portsOf(targets: readonly Target[]): string {
  const ports = [...new Set(targets.map(({ port }) => port))].filter((port) => port !== 0);
  return ports.length === 0 ? "" : `port ${ports.join(" ")}`;
}

// A number alone may be anything; a list of ids, or the id of an agent that is a word, names agents.
function agentsNamed(value: Json, grid: Grid): AgentId[] {
  const find = (item: Json) => {
    const text = typeof item === "number" ? String(item) : item;
    return typeof text === "string" && isToken(text)
      ? grid.agents.get(text as AgentId)?.id
      : undefined;
  };
  if (Array.isArray(value)) {
    const found = value.map(find);
    return found.includes(undefined) ? [] : [...new Set(found.flatMap((id) => id ?? []))];
  }
  const id = typeof value === "string" && !/^\d+$/.test(value) ? find(value) : undefined;
  return id === undefined ? [] : [id];
}

/** Namings that mean the same agents by the same name, whether or not they count the one who says it. */
function gather(namings: readonly Naming[]): Naming[][] {
  const keyOf = ({ kind, label }: Naming, ids: Iterable<AgentId>) =>
    JSON.stringify([kind, label, [...new Set(ids)].sort()]);
  const closures = new Map<string, number>();
  for (const naming of namings) {
    const closure = keyOf(naming, [...naming.targets, naming.from]);
    closures.set(closure, (closures.get(closure) ?? 0) + 1);
  }
  const groups = new Map<string, Naming[]>();
  for (const naming of namings) {
    const closure = keyOf(naming, [...naming.targets, naming.from]);
    const key = (closures.get(closure) ?? 0) > 1 ? closure : keyOf(naming, naming.targets);
    groups.set(key, [...groups.get(key) ?? [], naming]);
  }
  return [...groups.values()];
}

function directLinks(group: readonly Naming[]): GraphLink[] {
  return pair(
    group.flatMap(({ kind, from, label, targets }) =>
      targets.map((to): GraphLink => ({ kind, from, to, label }))
    ),
  );
}

/** Makes one link of any two that go to and fro. */
function pair(links: readonly GraphLink[]): GraphLink[] {
  const paired = new Map<string, GraphLink>();
  const waiting = new Map<string, string[]>();
  for (const [index, link] of links.entries()) {
    const { kind, from, to, label } = link;
    const opposite = from === to
      ? undefined
      : waiting.get(JSON.stringify([kind, to, from]))?.shift();
    const other = opposite === undefined ? undefined : paired.get(opposite);
    if (opposite !== undefined && other !== undefined) {
      paired.set(opposite, { ...other, back: label });
      continue;
    }
    paired.set(String(index), link);
    if (link.back !== undefined) continue;
    const ends = JSON.stringify([kind, from, to]);
    waiting.set(ends, [...waiting.get(ends) ?? [], String(index)]);
  }
  return [...paired.values()];
}

function hubOf(
  group: readonly Naming[],
  grid: Grid,
  name: string,
): { hub: GraphHub; links: GraphLink[] } {
  const sources = new Set(group.map(({ from }) => from));
  const targets = new Set(group.flatMap((naming) => naming.targets));
  const members = [...new Set([...sources, ...targets])];
  const [{ kind, label } = { kind: "route" as const, label: "" }] = group;
  const [home, ...others] = new Set(members.map((id) => grid.agents.get(id)?.box));
  const links = members.map((id): GraphLink => {
    if (!sources.has(id)) return { kind, from: name, to: id, label: "" };
    return { kind, from: id, to: name, label: "", ...targets.has(id) ? { back: "" } : {} };
  });
  return { hub: { name, label, box: others.length === 0 ? home : undefined }, links };
}
