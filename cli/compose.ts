// A grid as a compose file: a service for each box, reached by its name, with a volume for its data.

import { basename } from "@std/path";
import type { Grid } from "../core/grid.ts";
import type { AgentId, BoxId } from "../core/id.ts";

/** What {@linkcode composeFile} is told beside the grid. */
export interface ComposeOptions {
  /** The grid's folder, as seen from where the file will be. */
  readonly folder: string;
  /** The agents that have a terminal. */
  readonly terminals: readonly AgentId[];
  readonly image: string;
  /** Whether replicas may begin with an empty disk. */
  readonly isNew: boolean;
}

/** The text of a compose file. */
export function composeFile(grid: Grid, options: ComposeOptions): string {
  const names = serviceNames(grid.boxes);
  const at = grid.boxes.map((box) => `${box}=${names.get(box)}:${portOf(box)}`).join(",");
  const services = grid.boxes.map((box) => {
    const terminals = options.terminals.filter((id) => grid.agents.get(id)?.box === box);
    const command = [
      ...["box", `/grid/${basename(grid.file)}`, box, "--data=/data"],
      // The network below is the boxes' own.
      ...["--insecure", `--at=${at}`],
      ...terminals.length > 1 ? [`--attach=${terminals[0]}`] : [],
      ...options.isNew ? ["--new"] : [],
    ];
    const name = names.get(box) ?? "";
    return [
      `  ${name}:`,
      `    image: ${scalar(options.image)}`,
      `    command:`,
      ...command.map((word) => `      - ${scalar(word)}`),
      `    volumes:`,
      `      - ${scalar(`${mountable(options.folder)}:/grid:ro`)}`,
      `      - ${scalar(`${name}:/data`)}`,
      `    networks:`,
      `      - grid`,
      `    init: true`,
      `    restart: on-failure`,
      ...terminals.length > 0 ? ["    stdin_open: true", "    tty: true"] : [],
    ];
  });
  return [
    "# Made by `ovid export compose`: each box of the grid in a container.",
    ...options.isNew
      ? ["# For the first start of its replicas alone: it lets them begin anew."]
      : [],
    "services:",
    ...services.flat(),
    "networks:",
    "  grid:",
    "    internal: true",
    "volumes:",
    ...Array.from(names.values(), (name) => `  ${name}: {}`),
    "",
  ].join("\n");
}

/** A name for each box that a host may have: by its port, or by a number where ports are not enough. */
function serviceNames(boxes: readonly BoxId[]): ReadonlyMap<BoxId, string> {
  const ports = boxes.map(portOf);
  const distinct = new Set(ports).size === ports.length;
  return new Map(boxes.map((box, index) => [box, `box-${distinct ? ports[index] : index + 1}`]));
}

function portOf(box: BoxId): string {
  return box.slice(box.lastIndexOf(":") + 1);
}

/** A relative path in the form that makes it one, and not the name of a volume. */
function mountable(folder: string): string {
  return folder === "" ? "." : /^\.{0,2}\//.test(folder) ? folder : `./${folder}`;
}

/** A text as YAML has it, in quotes; a dollar begins a variable of compose unless there are two. */
function scalar(text: string): string {
  return JSON.stringify(text.replaceAll("$", "$$$$"));
}
