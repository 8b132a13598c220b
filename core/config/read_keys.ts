// The keys of a whole grid file: none may stand twice in its object, and none may be one that data cannot have.

import { type JsonMember, type JsonNode, type JsonObject, toJson } from "./json.ts";
import type { PlaceOf, Reading } from "./source.ts";
import { type Path, quote, show } from "./wording.ts";

const shownTargetsMax = 10;

/** Reports every key that is there again, or that cannot be a key, anywhere below `node`. */
export function reportKeys(
  node: JsonNode,
  reading: Reading,
  placeOf: PlaceOf,
  path: Path = [],
): void {
  if (node.kind === "scalar") return;
  if (node.kind === "array") {
    for (const [index, item] of node.items.entries()) {
      reportKeys(item, reading, placeOf, [...path, index]);
    }
    return;
  }
  for (const member of node.members) {
    const memberPath = [...path, member.key];
    const first = node.byKey.get(member.key);
    if (member.key === "__proto__") {
      const problem = { found: "is no name for data", wanted: "another" };
      reading.error(memberPath, member.offset, problem);
    } else if (first !== undefined && first !== member) {
      const { line, column } = placeOf(memberPath, first.offset);
      reading.error(memberPath, member.offset, {
        found: `is there again, first at ${line}:${column}`,
        wanted: wantedOnce(node, member, memberPath, reading.agentsPath),
      });
    }
    reportKeys(member.value, reading, placeOf, memberPath);
  }
}

/** What is wanted in place of a key that is there again. */
function wantedOnce(
  parent: JsonObject,
  member: JsonMember,
  path: Path,
  agentsPath: Path,
): string {
  const depth = agentsPath.every((step, index) => path[index] === step)
    ? path.length - agentsPath.length
    : 0;
  if (depth === 1) return "one agent with this id";
  if (depth === 3 && path.at(-2) === "routes") {
    const targets = mergedTargets(parent, member.key);
    return targets === undefined
      ? "one entry with all its agents"
      : `one entry for all its agents: ${quote(member.key)}: ${targets}`;
  }
  return "it once";
}

/** All targets of a virtual destination that stands twice, in the form of one; GoOvid's README wrote it twice. */
function mergedTargets(routes: JsonObject, key: string): string | undefined {
  const targets = new Map<string, string>();
  for (const member of routes.members) {
    if (member.key !== key) continue;
    if (member.value.kind !== "object") return undefined;
    for (const target of member.value.members) targets.set(target.key, show(toJson(target.value)));
  }
  if (targets.size === 0) return undefined;
  const shown = [...targets].slice(0, shownTargetsMax).map(([agent, port]) =>
    `${quote(agent)}: ${port}`
  );
  if (targets.size > shownTargetsMax) shown.push("...");
  return `{ ${shown.join(", ")} }`;
}
