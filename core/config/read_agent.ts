// Reads one agent of a grid file: its type, box, attrs and routes.

import type { Json } from "../data.ts";
import type { Target } from "../grid.ts";
import {
  type AgentId,
  agentId,
  type BoxId,
  idLengthMax,
  isToken,
  type VirtualId,
  virtualId,
} from "../id.ts";
import { portMax } from "../text.ts";
import { readBox } from "./address.ts";
import type { DraftEntry } from "./draft.ts";
import { agentKeys, gridLimits } from "./form.ts";
import { type JsonMember, type JsonNode, type JsonObject, toJson } from "./json.ts";
import type { Reading } from "./source.ts";
import { oneOf, type Path, perhaps, quote, show } from "./wording.ts";

/** Reads the agent that `member` holds; undefined if its id cannot be one. */
export function readAgent(member: JsonMember, reading: Reading): DraftEntry | undefined {
  const path = [...reading.agentsPath, member.key];
  const isId = reportToken(path, member, reading);
  if (!isId) return undefined;
  const id = agentId(member.key);
  if (member.value.kind !== "object") {
    const wanted = `an object with ${agentKeys.join(", ")}`;
    reading.error(path, member.value.offset, { found: `is ${showNode(member.value)}`, wanted });
    return { id, type: undefined, box: undefined, attrs: undefined, routes: new Map() };
  }
  return { id, ...readFields(path, member.value, reading) };
}

function readFields(path: Path, agent: JsonObject, reading: Reading): Omit<DraftEntry, "id"> {
  let type: string | undefined;
  let box: BoxId | undefined;
  let attrs: DraftEntry["attrs"] = {};
  let routes: DraftEntry["routes"] = new Map();
  let sandbox = false;
  for (const { key, offset, value } of agent.members) {
    const fieldPath = [...path, key];
    switch (key) {
      case "type":
        type = readText(fieldPath, value, "the name of an agent type", reading);
        break;
      case "box":
        box = readAddress(fieldPath, value, reading);
        break;
      case "attrs":
        attrs = readAttrs(fieldPath, value, reading);
        break;
      case "routes":
        routes = readRoutes(fieldPath, value, reading);
        break;
      case "sandbox":
        sandbox = readSwitch(fieldPath, value, reading);
        break;
      default:
        reading.error(fieldPath, offset, unknownKey(key, agentKeys));
    }
  }
  const required = { type: "the name of an agent type", box: "the address of a box" };
  for (const [key, what] of Object.entries(required)) {
    if (agent.byKey.has(key)) continue;
    reading.error(path, agent.offset, { found: `has no "${key}"`, wanted: what });
  }
  return { type, box, attrs, routes, ...sandbox ? { sandbox } : {} };
}

// What is no switch is on: whoever wrote it meant to be safe.
function readSwitch(path: Path, node: JsonNode, reading: Reading): boolean {
  if (node.kind === "scalar" && typeof node.value === "boolean") return node.value;
  reading.error(path, node.offset, { found: `is ${showNode(node)}`, wanted: "true or false" });
  return true;
}

function readAddress(path: Path, node: JsonNode, reading: Reading): BoxId | undefined {
  const text = readText(path, node, "the address of a box", reading);
  if (text === undefined) return undefined;
  const { box, wanted } = readBox(text);
  if (box === undefined) reading.error(path, node.offset, { found: `is ${quote(text)}`, wanted });
  return box;
}

function readAttrs(path: Path, node: JsonNode, reading: Reading): DraftEntry["attrs"] {
  if (node.kind !== "object") {
    reading.error(path, node.offset, { found: `is ${showNode(node)}`, wanted: "an object" });
    return undefined;
  }
  const attrs: { [name: string]: Json } = {};
  // __proto__ is an error already, and assigning it would not make a property.
  for (const { key, value } of node.members) if (key !== "__proto__") attrs[key] = toJson(value);
  return attrs;
}

function readRoutes(path: Path, node: JsonNode, reading: Reading): DraftEntry["routes"] {
  const routes = new Map<VirtualId, readonly Target[]>();
  if (node.kind !== "object") {
    reading.error(path, node.offset, { found: `is ${showNode(node)}`, wanted: "an object" });
    return routes;
  }
  for (const member of node.members) {
    const memberPath = [...path, member.key];
    const isId = reportToken(memberPath, member, reading);
    const targets = readTargets(memberPath, member.value, reading);
    if (!isId) continue;
    // One that stands twice is an error already; the agents of both are still looked for.
    const virtual = virtualId(member.key);
    routes.set(virtual, [...routes.get(virtual) ?? [], ...targets]);
  }
  return routes;
}

function readTargets(path: Path, node: JsonNode, reading: Reading): Target[] {
  if (node.kind !== "object") {
    const wanted = "an object of agents and their ports";
    reading.error(path, node.offset, { found: `is ${showNode(node)}`, wanted });
    return [];
  }
  const targets = new Map<AgentId, Target>();
  for (const member of node.members) {
    const memberPath = [...path, member.key];
    const isId = reportToken(memberPath, member, reading);
    const port = readPort(memberPath, member.value, reading);
    // A target whose port is wrong is kept, so that its agent is looked for as well.
    if (isId) targets.set(agentId(member.key), { agent: agentId(member.key), port: port ?? 0 });
  }
  return [...targets.values()];
}

function readPort(path: Path, node: JsonNode, reading: Reading): number | undefined {
  const port = node.kind === "scalar" ? node.value : undefined;
  if (typeof port === "number" && Number.isInteger(port) && port >= 0 && port <= portMax) {
    return port;
  }
  const wanted = `a port from 0 to ${portMax}, a whole number`;
  reading.error(path, node.offset, { found: `is ${showNode(node)}`, wanted });
  return undefined;
}

/** Whether the key of `member` can be the name of an agent or a destination; an error if it cannot. */
export function reportToken(path: Path, member: JsonMember, reading: Reading): boolean {
  if (isToken(member.key)) return true;
  const wanted = `1 to ${idLengthMax} characters without white space`;
  reading.error(path, member.offset, { found: "is not a name", wanted });
  return false;
}

/** A text that is not empty, not endless, and has no control characters; an error if `node` is none. */
export function readText(
  path: Path,
  node: JsonNode,
  what: string,
  reading: Reading,
): string | undefined {
  const text = node.kind === "scalar" ? node.value : undefined;
  if (
    typeof text === "string" && /^\P{Cc}+$/u.test(text) && text.length <= gridLimits.nameLengthMax
  ) {
    return text;
  }
  reading.error(path, node.offset, { found: `is ${showNode(node)}`, wanted: what });
  return undefined;
}

/** What to say of a key that is none of `known`. */
export function unknownKey(
  key: string,
  known: readonly string[],
): { found: string; wanted: string; hint?: string | undefined } {
  return { found: "is not a known key", wanted: oneOf(known), hint: perhaps(key, known) };
}

/** A node as an error shows it. */
export function showNode(node: JsonNode): string {
  return node.kind === "scalar"
    ? show(node.value)
    : node.kind === "array"
    ? "an array"
    : "an object";
}
