// One box in the foreground: its log, its data folder, its terminal, and how it ends.

import { basename, dirname, join, resolve } from "@std/path";
import { Box } from "../box/box.ts";
import type { BoxEnd, BoxLog, BoxOptions } from "../box/box_options.ts";
import { standardOutput } from "../box/devices.ts";
import { openJournal } from "../box/journal.ts";
import { masterPortMin } from "../box/master_port.ts";
import { readBox } from "../core/config/address.ts";
import { messageOf } from "../core/error.ts";
import type { Grid } from "../core/grid.ts";
import { type AgentId, type BoxId, isToken } from "../core/id.ts";
import { parseSeed } from "../core/random.ts";
import { tcp } from "../transport/tcp.ts";
import { makeCollector } from "./collect.ts";
import { starterOf } from "./child_box.ts";
import { type Call, exitCodes, unknownWord, UsageError } from "./command.ts";
import type { RunnableGrid } from "./grid_file.ts";
import { openLog, readLogFormat } from "./log.ts";
import { readNamedAddresses } from "./named_addresses.ts";
import { onStopSignals } from "./signals.ts";
import { openTelemetry } from "./telemetry.ts";
import { parseControl, readLines, standardInput } from "./terminal.ts";
import { sandboxesOf, sourcesOf } from "./plugins.ts";

/** The box of `grid` that the user means by `text`. */
export function requireBox(grid: Grid, text: string): BoxId {
  const read = readBox(text);
  const box = grid.boxes.find((each) => "box" in read && each === read.box);
  if (box !== undefined) return box;
  throw new UsageError(
    unknownWord(`box ${JSON.stringify(text)}`, text, grid.boxes.map((name) => ({ name }))),
  );
}

/** Where the data of a box are kept unless the user says otherwise. */
export function dataFolder(gridFile: string, box: BoxId): string {
  const grid = basename(gridFile).replace(/\.json$/, "");
  return join(dirname(resolve(gridFile)), ".ovid", grid, folderName(box));
}

/** The name of a box's folder: its address, but for the colon that Windows does not allow. */
export function folderName(box: BoxId): string {
  return Deno.build.os === "windows" ? box.replaceAll(/[^\w.-]/g, "_") : box;
}

/** The numbers of the flags that `ovid box` and `ovid chatroom` share. */
export function readBoxFlags(call: Call): { masterPort?: number; seed: bigint; loss?: number } {
  const masterPort = call.integer("master", 0, 65535);
  if (masterPort !== undefined && masterPort < masterPortMin) {
    throw new UsageError(
      `Cannot use ${masterPort} for --master, want ${masterPortMin} to 65535: lower ones are for links between boxes`,
    );
  }
  return {
    ...masterPort === undefined ? {} : { masterPort },
    seed: readSeed(call.value("seed")),
    ...readLoss(call.value("loss")),
  };
}

function readSeed(text: string | undefined): bigint {
  if (text === undefined) return crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n;
  try {
    return parseSeed(text);
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

function readLoss(text: string | undefined): { loss?: number } {
  if (text === undefined) return {};
  const loss = Number(text);
  if (text.trim() === "" || !(loss >= 0 && loss <= 1)) {
    throw new UsageError(
      `Cannot use ${JSON.stringify(text)} for --loss, want a number from 0 to 1`,
    );
  }
  return { loss };
}

/** Runs one box until it ends; undefined or an exit code. */
export async function runOneBox(
  path: string,
  { grid, definitions, types }: RunnableGrid,
  box: BoxId,
  call: Call,
): Promise<number | undefined> {
  const flags = readBoxFlags(call);
  const offset = call.integer("port-offset", 0, 60_000) ?? 0;
  const named = readNamedAddresses(call, grid);
  const supervised = call.has("supervised");
  const attached = chooseTerminal(
    terminalsOf(grid, definitions).filter((id) => grid.agents.get(id)?.box === box),
    call,
  );
  const folder = call.value("data") ?? dataFolder(path, box);
  using log = openLog({
    debug: call.has("debug"),
    file: call.value("log"),
    format: readLogFormat(call),
    name: box,
  });
  const journal = await openJournal(join(folder, "journal"));
  if (journal.repaired !== undefined) {
    log.warn(`cut a torn tail off the journal: ${JSON.stringify(journal.repaired)}`);
  }
  const telemetry = await openTelemetry(box);
  const reload = call.has("watch") ? await import("./plugin_reload.ts") : undefined;
  return await runBox({
    box,
    grid: call.has("new") ? asNew(grid) : grid,
    definitions,
    sources: sourcesOf(types),
    ...sandboxesOf(types, call),
    transport: tcp,
    ...telemetry === undefined ? { journal } : {
      journal: { ...journal, journal: telemetry.journal(journal.journal) },
      telemetry: telemetry.box,
    },
    ...flags,
    ...offset === 0 && named.size === 0
      ? {}
      : { addressOf: (id: BoxId) => named.get(id) ?? shiftPort(id, offset) },
    out: standardOutput(log),
    interactive: call.has("prompt") ||
      (!supervised && Deno.stdin.isTerminal() && Deno.stdout.isTerminal()),
    filesFolder: join(folder, "files"),
    starter: starterOf(path, call),
    log,
    debug: call.has("debug"),
  }, {
    supervised,
    attached,
    about: `data in ${folder}`,
    ...reload === undefined
      ? {}
      : { watch: (running: Box) => reload.watchPlugins(running, { grid, types }, call, log) },
  });
}

/** How a box is run by this process. */
export interface RunOptions {
  /** Standard input belongs to a parent: control lines, and the end of the box when it closes. */
  readonly supervised: boolean;
  readonly attached: AgentId | undefined;
  readonly about: string;
  /** Begins to watch what the box was made from. */
  readonly watch?: (box: Box) => AsyncDisposable;
}

const standsBy =
  "it waits to be taken in, as spares do; if its group has never run, delete the data of all boxes, and start them with --new";

// A replica that began with an empty disk and may not act says so, or its user would wait for ever.
const warnings: ReadonlyMap<string, string> = new Map([
  ["paxos.standing_by", standsBy],
  ["vr.standing_by", standsBy],
]);

/** The types of agents that keep a group together, and must be told whether an empty disk is one that was lost. */
const memberTypes: ReadonlySet<string> = new Set(["paxos_member", "paxos_replica", "vr_replica"]);

/** Those of them that take an empty disk for a lost one unless they are told. */
const strangerTypes: ReadonlySet<string> = new Set(["paxos_member", "vr_replica"]);

/** The grid with its replicas allowed to begin with an empty disk: for the first start of a group, and never again. */
export function asNew(grid: Grid): Grid {
  const agents = new Map(Array.from(grid.agents, ([id, entry]) => {
    if (!memberTypes.has(entry.type)) return [id, entry];
    return [id, { ...entry, attrs: { ...entry.attrs, bootstrap: true } }];
  }));
  return { ...grid, agents };
}

/**
 * Fails if all replicas of a grid would begin with an empty disk and without `--new`: none of them would ever act, and
 * from then on `--new` would come too late.
 *
 * @throws {UsageError} then.
 */
export async function requireBegun(path: string, grid: Grid, call: Call): Promise<void> {
  if (call.has("new")) return;
  const members = [...grid.agents.values()].filter(({ type, attrs }) =>
    strangerTypes.has(type) && attrs.bootstrap !== true
  );
  if (members.length === 0) return;
  for (const box of new Set(members.map((member) => member.box))) {
    if (await exists(dataFolder(path, box))) return;
  }
  throw new UsageError(
    `Cannot start grid ${
      JSON.stringify(path)
    } without --new: its replicas have no data yet; want --new for the first start, and never again`,
  );
}

async function exists(file: string): Promise<boolean> {
  try {
    await Deno.stat(file);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Runs a box until it ends by itself, by a signal, or with its parent. The exit code. */
export async function runBox(
  options: BoxOptions & { readonly log: BoxLog },
  run: RunOptions,
): Promise<number> {
  const { log } = options;
  const signalled = Promise.withResolvers<number>();
  // A supervised box leaves Ctrl-C, which a terminal sends to all of its processes, to its parent.
  using _signals = onStopSignals((code) =>
    run.supervised && code === 130 || signalled.resolve(code)
  );
  const box = await Box.start({ ...options, collector: makeCollector(), warnings });
  log.info(`up, seed ${box.seed}, ${run.about}`);
  await using _watch = run.watch?.(box);
  const terminal = run.supervised
    ? superviseTerminal(box, run.attached)
    : driveTerminal(box, run.attached);
  terminal.catch((error) => log.error(messageOf(error)));
  const code = await Promise.race([
    signalled.promise,
    box.ended.then((end) => codeOf(end, log)),
    run.supervised ? terminal : new Promise<never>(() => {}),
  ]);
  // The last words of a box that has just ended may be waiting in a socket.
  if (run.supervised) await box.settle();
  await box.close();
  return code;
}

function codeOf(end: BoxEnd, log: BoxLog): number {
  if (end.why !== "failed") return exitCodes.fine;
  log.error(`this box must end: ${messageOf(end.error)}`);
  return exitCodes.failure;
}

// The end of input ends the agent, if it likes, not the box, whose other agents may serve others.
async function driveTerminal(box: Box, agent: AgentId | undefined): Promise<number> {
  if (agent === undefined) return exitCodes.fine;
  await box.linked;
  for await (const text of readLines(standardInput())) {
    box.deviceEvent(agent, { device: "terminal", event: { type: "line", text } });
  }
  box.deviceEvent(agent, { device: "terminal", event: { type: "eof" } });
  return exitCodes.fine;
}

// Resolves when the parent has gone, or when the terminal's agent has ended.
async function superviseTerminal(box: Box, agent: AgentId | undefined): Promise<number> {
  const controls = readLines(standardInput());
  const ended = agent === undefined
    ? new Promise<never>(() => {})
    : box.agentEnd(agent).then(() => exitCodes.fine);
  const gone = (async () => {
    // Lines wait for the links, as their answers would be lost before; the end of the parent does not.
    let ready: Promise<void> = box.linked;
    for await (const line of controls) {
      const control = parseControl(line);
      if (agent === undefined) continue;
      const event = "eof" in control
        ? { type: "eof" } as const
        : { type: "line", text: control.line } as const;
      ready = ready.then(() => box.deviceEvent(agent, { device: "terminal", event }));
    }
    return exitCodes.fine;
  })();
  return await Promise.race([gone, ended]);
}

/** The agents of a grid that declare a terminal. */
export function terminalsOf(grid: Grid, definitions: RunnableGrid["definitions"]): AgentId[] {
  return [...grid.agents.values()]
    .filter((entry) => definitions.get(entry.type)?.devices?.includes("terminal"))
    .map((entry) => entry.id);
}

/**
 * The agent that gets the terminal: the only one that declares it, or the one that `--attach` names.
 *
 * @throws {UsageError} if several declare it and none is chosen.
 */
export function chooseTerminal(candidates: readonly AgentId[], call: Call): AgentId | undefined {
  const wanted = call.value("attach");
  if (wanted !== undefined) {
    const found = candidates.find((id) => isToken(wanted) && id === wanted);
    if (found !== undefined) return found;
    if (candidates.length === 0) {
      throw new UsageError(
        `Cannot attach to agent ${
          JSON.stringify(wanted)
        }, want no --attach: no agent here has a terminal`,
      );
    }
    const names = candidates.map((name) => ({ name }));
    throw new UsageError(
      unknownWord(`agent with a terminal ${JSON.stringify(wanted)}`, wanted, names),
    );
  }
  if (candidates.length > 1) {
    throw new UsageError(
      `Several agents want this terminal: ${candidates.join(", ")}; choose one by --attach AGENT`,
    );
  }
  return candidates[0];
}

function shiftPort(box: BoxId, offset: number): string {
  const colon = box.lastIndexOf(":");
  const port = Number(box.slice(colon + 1)) + offset;
  if (port > 65535) {
    throw new UsageError(`Cannot shift box ${box} by ${offset}, want a port up to 65535`);
  }
  return `${box.slice(0, colon)}:${port}`;
}
