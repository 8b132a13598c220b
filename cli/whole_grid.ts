// Every box of a grid, each a process of its own, with this process as their parent: it hands the terminal to one
// of them, names whose log line is whose, and leaves none of them behind.

import { blue, cyan, green, magenta, yellow } from "@std/fmt/colors";
import { messageOf } from "../core/error.ts";
import type { Grid } from "../core/grid.ts";
import type { AgentId, BoxId } from "../core/id.ts";
import { type Child, startChild, stopChild } from "./child_box.ts";
import { type Call, exitCodes, UsageError } from "./command.ts";
import type { RunnableGrid } from "./grid_file.ts";
import { readLogFormat, wantsColour } from "./log.ts";
import { chooseTerminal, readBoxFlags, requireBegun, terminalsOf } from "./one_box.ts";
import { passSandbox } from "./sandbox.ts";
import { onStopSignals } from "./signals.ts";
import { formatControl, readLines, standardInput } from "./terminal.ts";

const passedOn = ["loss", "seed", "port-offset", "at", "plugins", "log-format"] as const;
const paint = [cyan, green, magenta, yellow, blue];

/** Runs the boxes of a grid until its terminal's agent has stopped, or a signal or a failure ends it. */
export async function runGrid(path: string, runnable: RunnableGrid, call: Call): Promise<number> {
  const { grid, definitions } = runnable;
  for (const flag of ["master", "data", "log"]) {
    if (call.value(flag) !== undefined) {
      throw new UsageError(
        `Cannot use --${flag} for a whole grid, want ovid box GRID BOX --${flag} ...`,
      );
    }
  }
  readBoxFlags(call);
  await requireBegun(path, grid, call);
  const attached = chooseTerminal(terminalsOf(grid, definitions), call);
  const children = new Map(
    grid.boxes.map((box) => [box, startBox(path, grid, box, attached, call)]),
  );
  const home = attached === undefined ? undefined : grid.agents.get(attached)?.box;
  const terminal = home === undefined ? undefined : children.get(home);
  const ending = Promise.withResolvers<number>();
  using _signals = onStopSignals(ending.resolve);
  watch([...children.values()], terminal, ending.resolve);
  if (attached !== undefined && Deno.stdin.isTerminal()) {
    const type = grid.agents.get(attached)?.type;
    console.error(
      `ovid: this terminal belongs to agent ${attached}, a ${type}; Ctrl-D ends its input, and the grid`,
    );
  }
  // Not waited for: standard input may never end, and the process ends without it.
  if (terminal !== undefined) {
    feedTerminal(terminal).catch((error) => {
      console.error(`ovid: ${messageOf(error)}`);
      ending.resolve(exitCodes.failure);
    });
  }
  const code = await ending.promise;
  await Promise.all(Array.from(children.values(), stopChild));
  return code;
}

function startBox(
  path: string,
  grid: Grid,
  box: BoxId,
  attached: AgentId | undefined,
  call: Call,
): Child {
  const mine = attached !== undefined && grid.agents.get(attached)?.box === box;
  const flags = passedOn.flatMap((flag) => {
    const value = call.value(flag);
    return value === undefined ? [] : [`--${flag}=${value}`];
  });
  for (const flag of ["debug", "insecure", "new", "watch"]) {
    if (call.has(flag)) flags.push(`--${flag}`);
  }
  flags.push(...passSandbox(call));
  if (mine) flags.push(`--attach=${attached}`);
  if (mine && Deno.stdin.isTerminal() && Deno.stdout.isTerminal()) flags.push("--prompt");
  const colour = wantsColour(Deno.stderr)
    ? paint[grid.boxes.indexOf(box) % paint.length]
    : undefined;
  // A line of JSON says itself whose it is.
  const prefix = readLogFormat(call) === "json" ? "" : `${box} | `;
  return startChild(path, box, flags, colour === undefined ? prefix : colour(prefix));
}

function watch(
  children: readonly Child[],
  terminal: Child | undefined,
  end: (code: number) => void,
): void {
  const running = new Set(children);
  for (const child of children) {
    child.process.status.then(({ code, signal }) => {
      running.delete(child);
      if (child === terminal || (signal === null && code !== 0)) {
        return end(signal === null ? code : exitCodes.failure);
      }
      if (signal === null) return;
      const rest = running.size === 0 ? "no box is left" : "the others go on without it";
      console.error(`ovid: box ${child.box} was ended by ${signal}; ${rest}`);
      // The one who killed them may start each of them alone; this process has nothing more to do.
      if (running.size === 0) end(exitCodes.failure);
    });
  }
}

async function feedTerminal({ control }: Child): Promise<void> {
  const encoder = new TextEncoder();
  // A box that has ended breaks its pipe; that it ended is noticed elsewhere.
  const write = (line: string) => control.write(encoder.encode(line)).catch(() => {});
  for await (const line of readLines(standardInput())) await write(formatControl({ line }));
  await write(formatControl({ eof: true }));
}
