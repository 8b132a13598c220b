// `ovid grade --simulated`: scripts against simulated boxes. It follows them as the master does, to the same output,
// but in virtual time: a sleep takes none.

import { basename } from "@std/path";
import { masterPortMin } from "../box/master_port.ts";
import { readBox } from "../core/config/address.ts";
import { oneOf, quote } from "../core/config/wording.ts";
import { messageOf } from "../core/error.ts";
import type { Progress } from "../master/grader.ts";
import { timeoutMsDefault } from "../master/master.ts";
import { crashMsMax, startMsMax } from "../master/readiness.ts";
import type { Report, TestResult } from "../master/report.ts";
import {
  type Command,
  type Dialect,
  type Malformed,
  parseLine,
  recogniseDialect,
  type StartCommand,
  strip,
  wordsOf,
} from "../master/script.ts";
import { findTests, type FoundTest, gridBeside, readGridOf } from "../master/suite.ts";
import { SimulatedChatroom } from "../sim/chatroom.ts";
import { pause } from "../transport/pause.ts";
import { serversMax } from "./chatroom.ts";

/** How a folder is graded on simulated boxes. */
export interface SimulatedGradeOptions {
  /** The grid of all scripts that name boxes; by default the only JSON file beside each. */
  readonly config?: string;
  /** For each test, in virtual time; two minutes by default. */
  readonly timeoutMs?: number;
  /** Added to all ports, which must then be possible ones. */
  readonly portOffset?: number;
  /** Has the master say what it says with `--debug`. */
  readonly debug?: boolean;
  readonly onProgress?: (progress: Progress) => void;
  /** Ends the grading at once; the report has the tests that ended before. */
  readonly signal?: AbortSignal;
}

/** What a script is run with. */
export interface SimulatedRunOptions extends Omit<SimulatedGradeOptions, "config" | "onProgress"> {
  readonly dialect: Dialect;
  /** The canonical names of the boxes of the grid; in the box dialect alone. */
  readonly boxes?: readonly string[];
}

/** What a script came to. */
export interface SimulatedOutcome {
  readonly ended: "script" | "timeout" | "signal";
  readonly out: readonly string[];
  readonly faults: readonly string[];
  readonly notes: readonly string[];
}

interface Server {
  readonly name: string;
  readonly canonical: string;
  readonly port: number | undefined;
  state: "running" | "crashed" | "failed";
}

const outputLengthMax = 64 * 1024 * 1024;
const notesMax = 10_000;
// Longer sleeps are simulated in parts, so that they can be interrupted.
const sleepPartMs = 60_000;
// There and back: more than a line takes from box to box.
const answerMs = 1;

/**
 * Grades all tests of a folder on simulated boxes.
 *
 * @example
 * ```ts ignore
 * const report = await gradeSimulated("tests/conformance/goovid/chatroom");
 * console.log(formatReport(report, { colour: false, verbose: false }));
 * ```
 *
 * @throws {Error} if the folder cannot be read.
 */
export async function gradeSimulated(
  folder: string,
  options: SimulatedGradeOptions = {},
): Promise<Report> {
  const start = performance.now();
  const found = await findTests(folder);
  const tests: TestResult[] = [];
  const { onProgress, signal } = options;
  for (const [index, test] of found.entries()) {
    if (signal?.aborted) break;
    onProgress?.({ kind: "begun", name: test.name, index, total: found.length });
    const result = await gradeTest(test, options);
    if (signal?.aborted) break;
    tests.push(result);
    onProgress?.({ kind: "ended", result, index, total: found.length });
  }
  return { folder, tests, ms: performance.now() - start, interrupted: signal?.aborted ?? false };
}

async function gradeTest(test: FoundTest, options: SimulatedGradeOptions): Promise<TestResult> {
  const start = performance.now();
  const { name, input } = test;
  try {
    const expected = await readExpected(input);
    const script = await Deno.readTextFile(input);
    const dialect = recogniseDialect(script) ?? await dialectBeside(input, options.config);
    const grid = dialect === "box" ? await readGridOf(input, options.config) : undefined;
    const boxes = grid === undefined ? {} : { boxes: grid.boxes };
    const run = new SimulatedRun({ ...options, ...boxes, dialect });
    const { ended, out, faults, notes } = await run.follow(script);
    const actual = strip(out.join("\n"));
    const right = faults.length > 0 ? "error" : "pass";
    const verdict = ended === "timeout" ? "timeout" : expected === actual ? right : "wrong";
    return { name, verdict, ms: performance.now() - start, faults, notes, expected, actual };
  } catch (error) {
    const faults = [messageOf(error)];
    return { name, verdict: "error", ms: performance.now() - start, faults, notes: faults };
  }
}

async function readExpected(script: string): Promise<string> {
  const file = script.replace(/\.input$/, ".output");
  try {
    return strip(await Deno.readTextFile(file));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(`There is no ${JSON.stringify(basename(file))} beside the script`);
  }
}

async function dialectBeside(script: string, config: string | undefined): Promise<Dialect> {
  return (config ?? await gridBeside(script)) === undefined ? "numeric" : "box";
}

/** Runs one script on simulated boxes: what `Master` does, in virtual time. */
export class SimulatedRun {
  readonly #options: SimulatedRunOptions;
  readonly #room: SimulatedChatroom;
  // By their names as the script spells them, as the master has it.
  readonly #servers = new Map<string, Server>();
  readonly #lines: string[] = [];
  readonly #faults: string[] = [];
  readonly #notes: string[] = [];
  #outputLength = 0;
  #ended: SimulatedOutcome["ended"] | undefined;

  constructor(options: SimulatedRunOptions) {
    this.#options = options;
    this.#room = new SimulatedChatroom({ numeric: options.dialect === "numeric" });
  }

  /**
   * Follows a script until its end, or that of its time.
   *
   * @throws {Error} if there is too much output.
   */
  async follow(script: string): Promise<SimulatedOutcome> {
    const { debug = false, dialect } = this.#options;
    if (debug) this.#out("Master started");
    for (const line of script.split("\n")) {
      const parsed = parseLine(line, dialect);
      if (parsed !== undefined && !await this.#execute(parsed)) break;
    }
    if (this.#ended === "timeout") {
      this.#out("Timeout!");
      this.#note(`The script did not end within ${seconds(this.#timeoutMs)}`);
    }
    if (debug && this.#ended === undefined) this.#out("Goodbye :)");
    return {
      ended: this.#ended ?? "script",
      out: this.#lines,
      faults: this.#faults,
      notes: this.#notes,
    };
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? timeoutMsDefault;
  }

  /** Whether to go on. */
  async #execute(command: Command | Malformed): Promise<boolean> {
    switch (command.kind) {
      case "malformed":
        return this.#refuse(command);
      case "exit":
        if (this.#options.debug) this.#out("Received exit command. Terminating...");
        return false;
      case "sleep":
        await this.#sleep(command.ms);
        return this.#ended === undefined;
      case "start":
        this.#start(command);
        return this.#ended === undefined;
    }
    const server = this.#servers.get(command.box);
    if (server === undefined) {
      this.#out("Master or testcase error!");
      this.#note(this.#unknown(command.box));
    } else if (command.kind === "crash") this.#crash(server);
    else this.#tell(server, command.text, command.kind === "ask" ? command.verb : "broadcast");
    return this.#ended === undefined;
  }

  #refuse({ said, original, error }: Malformed): boolean {
    if (said === undefined) {
      this.#fault(error);
      return true;
    }
    this.#out(said);
    this.#note(error);
    return original !== "exited";
  }

  async #sleep(ms: number): Promise<void> {
    const signal = this.#options.signal ?? new AbortController().signal;
    for (let leftMs = ms; leftMs > 0 && this.#ended === undefined; leftMs -= sleepPartMs) {
      this.#pass(Math.min(leftMs, sleepPartMs));
      if (leftMs > sleepPartMs) await pause(0, signal);
      if (signal.aborted) this.#ended = "signal";
    }
  }

  #start(command: StartCommand): void {
    const { box: name, count = 0 } = command;
    const { dialect, portOffset = 0 } = this.#options;
    const canonical = this.#canonical(name);
    const port = command.port === undefined ? undefined : command.port + portOffset;
    const why = this.#whyNever(canonical, port) ?? this.#whyNotNow(canonical, port);
    if (why !== undefined) return this.#fault(`Cannot start ${this.#title(name)}: ${why}`);
    const server: Server = { name, canonical, port, state: "running" };
    this.#servers.set(name, server);
    const refusal = whyRefused(port, count);
    if (refusal !== undefined) {
      server.state = "failed";
      return this.#fault(`${this.#title(name)} does not start: ${refusal}`);
    }
    this.#room.start(canonical, (peer) => dialect === "box" || Number(peer) < count);
    const wanted = this.#room.running;
    const late = this.#until(startMsMax, (alive) => wanted.every((each) => alive.has(each)));
    this.#noteLate(
      late,
      `did not call all of ${wanted.join(", ")} alive within ${seconds(startMsMax)} of a start`,
    );
  }

  #tell(server: Server, text: string, verb: "get" | "alive" | "broadcast"): void {
    const title = this.#title(server.name);
    if (text === "broadcast") {
      return this.#fault(`${title} was given nothing to broadcast, want broadcast TEXT`);
    }
    if (server.state !== "running") {
      const absence = server.state === "crashed" ? "has crashed" : "did not start";
      if (verb === "broadcast") this.#note(`${title} ${absence}, and was not told to broadcast`);
      else this.#fault(`${title} ${absence}, and cannot answer ${verb}`);
      return;
    }
    const reply = this.#room.command(server.canonical, text);
    if (reply === undefined) return;
    this.#out(verb === "broadcast" ? `Invalid Response: ${reply}` : reply);
    this.#pass(answerMs);
  }

  #crash(server: Server): void {
    const { name, canonical, state } = server;
    if (state === "crashed") return this.#note(`${this.#title(name)} has crashed before`);
    server.state = "crashed";
    if (state === "failed") return;
    this.#room.crash(canonical);
    const late = this.#until(crashMsMax, (alive) => !alive.has(canonical));
    this.#noteLate(late, `still called ${name} alive ${seconds(crashMsMax)} after its crash`);
  }

  /** Lets time pass until all boxes that run are satisfied with whom they call alive. Those that never were. */
  #until(ms: number, satisfied: (alive: ReadonlySet<string>) => boolean): string[] {
    const endMs = this.#room.now + ms;
    while (true) {
      const late = this.#room.running.filter((box) => {
        const [, names = ""] = wordsOf(this.#room.command(box, "alive") ?? "");
        return !satisfied(new Set(names.split(",")));
      });
      if (late.length === 0 || this.#room.now >= endMs || this.#ended !== undefined) return late;
      this.#pass(1);
    }
  }

  /** Lets time pass, but not more than the script has. */
  #pass(ms: number): void {
    const leftMs = Math.max(0, this.#timeoutMs - this.#room.now);
    this.#room.advance(Math.min(ms, leftMs));
    if (ms >= leftMs) this.#ended = "timeout";
  }

  #canonical(name: string): string {
    return this.#options.dialect === "box" ? readBox(name).box ?? name : name;
  }

  #title(name: string): string {
    return `${this.#options.dialect === "numeric" ? "Server" : "Box"} ${name}`;
  }

  #unknown(name: string): string {
    const canonical = this.#canonical(name);
    const other = [...this.#servers.values()].find((each) => each.canonical === canonical);
    return `${this.#title(name)} was never started` +
      (other === undefined ? "" : ` under this name, but as ${other.name}`);
  }

  #whyNever(canonical: string, port = 0): string | undefined {
    const { boxes } = this.#options;
    if (boxes !== undefined && !boxes.includes(canonical)) {
      return `${quote(canonical)} is not in the grid, want ${oneOf(boxes)}`;
    }
    return port > 65535 ? `its port would be ${port}, want at most 65535` : undefined;
  }

  #whyNotNow(canonical: string, port: number | undefined): string | undefined {
    for (const other of this.#servers.values()) {
      if (other.state !== "running") continue;
      if (other.canonical === canonical) return "it is already running";
      if (port !== undefined && other.port === port) {
        return `port ${port} belongs to ${this.#title(other.name)}`;
      }
    }
    return undefined;
  }

  #noteLate(late: readonly string[], what: string): void {
    if (late.length === 0 || this.#ended !== undefined) return;
    this.#note(`${late.map((box) => this.#title(box)).join(", ")} ${what}`);
  }

  #out(line: string): void {
    this.#outputLength += line.length + 1;
    if (this.#outputLength > outputLengthMax) {
      throw new Error(`The output is longer than ${outputLengthMax} characters`);
    }
    this.#lines.push(line);
  }

  #note(text: string): void {
    if (this.#notes.length < notesMax) this.#notes.push(text);
  }

  #fault(text: string): void {
    this.#faults.push(text);
    this.#note(text);
  }
}

/** Why Ovid's own servers would end at once. */
function whyRefused(port: number | undefined, count: number): string | undefined {
  if (port !== undefined && port < masterPortMin) {
    return `its port would be ${port}, want ${masterPortMin} or higher`;
  }
  return count > serversMax ? `it is one of ${count}, want at most ${serversMax}` : undefined;
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
