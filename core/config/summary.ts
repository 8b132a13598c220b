// What a grid would run, for a person: its boxes, their agents, and where each of these sends.

import { type AgentEntry, agentsOf, type Grid, type Target } from "../grid.ts";
import type { LookUp } from "./shape.ts";
import { count } from "./wording.ts";

/**
 * The boxes of a grid with their agents, types and routes, as lines of text without a line feed at the end. The
 * same grid gives the same text.
 *
 * @example
 * ```text
 * 3 agents in 2 boxes
 * 127.0.0.1:5000
 *   100  kvs_tty      terminal  1 -> 200 port 1
 *   200  kvs_client             1 -> 100 port 1
 *                               2 -> 300 port 1
 * 127.0.0.1:5001
 *   300  kvs_replica            200 -> 200 port 2
 * ```
 */
export function summariseGrid(grid: Grid, lookUp: LookUp): string {
  const boxes = grid.boxes.length;
  const lines = [
    `${count(grid.agents.size, "agent")} in ${boxes} ${boxes === 1 ? "box" : "boxes"}`,
  ];
  const rows = grid.boxes.map((box) => ({
    box,
    cells: agentsOf(grid, box).flatMap((entry) => rowsOf(entry, lookUp)),
  }));
  const widths = [0, 1, 2].map((column) =>
    rows.reduce(
      (widest, { cells }) =>
        cells.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), widest),
      0,
    )
  );
  for (const { box, cells } of rows) {
    lines.push(box);
    for (const row of cells) {
      // A column that is empty throughout takes no room.
      const shown = row.filter((_, column) => widths[column] !== 0);
      const used = [...widths.filter((width) => width !== 0), 0];
      lines.push(
        `  ${shown.map((cell, column) => cell.padEnd(used[column] ?? 0)).join("  ")}`.trimEnd(),
      );
    }
  }
  return lines.join("\n");
}

/** The lines of an agent: id, type, devices, route. Its further routes stand below the first. */
function rowsOf(entry: AgentEntry, lookUp: LookUp): string[][] {
  const shape = lookUp(entry.type);
  const devices = shape !== undefined && "devices" in shape ? shape.devices ?? [] : [];
  const routes = [...entry.routes].map(([virtual, targets]) =>
    `${virtual} -> ${describeTargets(targets)}`
  );
  const first = [entry.id, entry.type, devices.join(" "), routes[0] ?? ""];
  return [first, ...routes.slice(1).map((route) => ["", "", "", route])];
}

function describeTargets(targets: readonly Target[]): string {
  if (targets.length === 0) return "nobody";
  return targets.map(({ agent, port }) => `${agent} port ${port}`).join(", ");
}
