// The picture of a grid as a Mermaid flowchart: text that pages and editors draw themselves.

import { drawnName } from "./graph_layout.ts";
import type { GraphLink, GridGraph } from "./graph_model.ts";

/** A grid as a Mermaid flowchart. Equal graphs give equal text. */
export function graphMermaid(graph: GridGraph): string {
  const lines = ["flowchart LR"];
  const names = new Map<string, string>();
  for (const [index, { box, agents }] of graph.boxes.entries()) {
    lines.push(`  subgraph box${index}["${quoted(box)}"]`);
    for (const { id, type } of agents) {
      const name = `agent${names.size}`;
      names.set(id, name);
      lines.push(`    ${name}["<b>${quoted(id)}</b><br/>${quoted(type)}"]`);
    }
    lines.push("  end");
  }
  for (const [index, { name, label }] of graph.hubs.entries()) {
    names.set(name, `hub${index}`);
    lines.push(`  hub${index}(("${quoted(label)}"))`);
  }
  const hubs = new Set(graph.hubs.map(({ name }) => name));
  for (const link of graph.links) {
    const [left, arrow, right] = arrowOf(link, hubs);
    const words = wordsOf(link);
    const label = words === "" ? "" : `|"${quoted(words)}"|`;
    lines.push(`  ${names.get(left)} ${arrow}${label} ${names.get(right)}`);
  }
  return `${lines.join("\n")}\n`;
}

// Only agents are pointed at, and an arrow with one head has it on the right.
function arrowOf(link: GraphLink, hubs: ReadonlySet<string>): [string, string, string] {
  const { kind, from, to, back } = link;
  const heads = [back !== undefined && !hubs.has(from), !hubs.has(to)];
  const dashed = kind === "attrs";
  if (!heads[0] && !heads[1]) return [from, dashed ? "-.-" : "---", to];
  if (heads[0] && heads[1]) return [from, dashed ? "<-.->" : "<-->", to];
  const arrow = dashed ? "-.->" : "-->";
  return heads[1] ? [from, arrow, to] : [to, arrow, from];
}

function wordsOf({ label, back = label }: GraphLink): string {
  return label === back ? label : `${label} / ${back}`;
}

/** Text between double quotes: Mermaid has entities of its own form for what it or HTML would obey. */
function quoted(text: string): string {
  return drawnName(text).replaceAll(
    /[#;<>&"`\\\p{Cc}\p{Surrogate}]/gu,
    (character) => `#${character.codePointAt(0) ?? 0};`,
  );
}
