// The master: follows a script, line by line, as the masters before Ovid did, except that it asks where they slept,
// and goes on where they crashed or hung. Standard output is theirs, byte for byte; the rest is on standard error.

import { messageOf } from "../core/error.ts";
import { pause } from "../transport/pause.ts";
import { Fleet, type FleetOptions } from "./fleet.ts";
import { crashMsMax, startMsMax } from "./readiness.ts";
import {
  type AskCommand,
  type Command,
  type Malformed,
  parseLine,
  sleepMsMax,
  type StartCommand,
} from "./script.ts";
import type { Server } from "./server.ts";
import { within } from "./wait.ts";

/** How long the original let a script run. */
export const timeoutMsDefault = 120_000;

/** What a {@linkcode Master} is made of. */
export interface MasterOptions extends FleetOptions {
  /** Writes a line of standard output, which is the original's to the byte. */
  readonly out: (line: string) => void;
  /** At a terminal a mistyped line does not end the session, and the time limit is one for each answer. */
  readonly interactive?: boolean;
  /** The time limit for the whole script, or for each answer; two minutes by default. */
  readonly timeoutMs?: number;
  /** How an answer is shown; as it came by default. */
  readonly showAnswer?: (server: string, line: string) => string;
  /** Ends the run at once. */
  readonly signal?: AbortSignal;
}

/** How a run ended. */
export interface Outcome {
  /** At the end of the script, by the time limit, or by the signal. */
  readonly ended: "script" | "timeout" | "signal";
  /** 0 if all went well, 1 if something was wrong, 124 after the time limit, 130 after the signal. */
  readonly exitCode: number;
  /** What went wrong and would have crashed or hung the original, as it was noted. */
  readonly faults: readonly string[];
}

/** A server that a master has started, as a user may want to see it. */
export interface KnownServer {
  readonly name: string;
  /** Where it takes commands. */
  readonly port: number;
  readonly state: "running" | "crashed" | "ended";
}

interface Pending {
  readonly what: string;
  readonly since: number;
  readonly answered: Promise<true>;
}

/**
 * Runs one script, or one session at a terminal.
 *
 * @example
 * ```ts ignore
 * const master = new Master({ dialect: "numeric", launcher, out: console.log, note: console.error });
 * Deno.exitCode = (await master.run(lines)).exitCode;
 * ```
 */
export class Master {
  readonly #options: MasterOptions;
  readonly #fleet: Fleet;
  readonly #over = new AbortController();
  readonly #faults: string[] = [];
  #ended: Outcome["ended"] = "script";
  #mistaken = false;
  #pending: Pending | undefined;

  constructor(options: MasterOptions) {
    this.#options = options;
    this.#fleet = new Fleet(options, (server, line, isAnswer) => {
      const { out, showAnswer } = options;
      if (!isAnswer) out(`Invalid Response: ${line}`);
      else out(showAnswer === undefined ? line : showAnswer(server, line));
    });
  }

  /** The servers that have been started, in the order of their first start. */
  get servers(): KnownServer[] {
    return this.#fleet.all.map(({ name, port, crashedAt, ended }) => ({
      name,
      port,
      state: crashedAt !== undefined ? "crashed" : ended ? "ended" : "running",
    }));
  }

  /** Follows the lines of a script until its end. Nothing that it started is left afterwards. */
  async run(lines: AsyncIterable<string>): Promise<Outcome> {
    const { debug = false, interactive = false, out, signal } = this.#options;
    const interrupted = () => this.#end("signal");
    signal?.addEventListener("abort", interrupted);
    if (signal?.aborted) interrupted();
    const timer = interactive
      ? undefined
      : setTimeout(() => this.#end("timeout"), Math.min(this.#timeoutMs, sleepMsMax));
    if (debug) out("Master started");
    try {
      await this.#follow(lines);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", interrupted);
      if (this.#ended === "timeout") this.#sayTimeout();
      this.#over.abort();
      for (const fault of await this.#fleet.end()) this.#fault(fault);
    }
    if (debug && this.#ended === "script") out("Goodbye :)");
    const found = this.#faults.length > 0 || this.#mistaken ? 1 : 0;
    const exitCode = { script: found, timeout: 124, signal: 130 }[this.#ended];
    return { ended: this.#ended, exitCode, faults: this.#faults };
  }

  get #signal(): AbortSignal {
    return this.#over.signal;
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? timeoutMsDefault;
  }

  #end(how: Outcome["ended"]): void {
    if (this.#signal.aborted) return;
    this.#ended = how;
    this.#over.abort();
  }

  #sayTimeout(): void {
    const { out, note } = this.#options;
    out("Timeout!");
    const pending = this.#pending === undefined ? "" : `, waiting for ${this.#pending.what}`;
    note(`The script did not end within ${seconds(this.#timeoutMs)}${pending}`);
  }

  async #follow(lines: AsyncIterable<string>): Promise<void> {
    const iterator = lines[Symbol.asyncIterator]();
    try {
      while (true) {
        const next = await this.#unlessOver(iterator.next());
        if (next === undefined) return;
        if (next.done === true) break;
        const parsed = parseLine(next.value, this.#options.dialect);
        if (parsed !== undefined && !await this.#execute(parsed)) break;
      }
      await this.#settle();
    } finally {
      // Not waited for: a generator that waits for its next line would not return before it.
      iterator.return?.().catch(() => {});
    }
  }

  /** What `promise` resolves to; undefined once all is over. */
  async #unlessOver<T>(promise: Promise<T>): Promise<T | undefined> {
    return await within(promise, sleepMsMax, this.#signal);
  }

  /** Whether to go on. */
  async #execute(command: Command | Malformed): Promise<boolean> {
    switch (command.kind) {
      case "malformed":
        return this.#refuse(command);
      case "exit":
        if (this.#options.debug) this.#options.out("Received exit command. Terminating...");
        return false;
      case "sleep":
        await pause(command.ms, this.#signal);
        return true;
      case "start":
        await this.#start(command);
        return true;
    }
    await this.#settle();
    if (this.#signal.aborted) return false;
    const server = this.#fleet.get(command.box);
    if (server === undefined) {
      this.#options.out("Master or testcase error!");
      this.#mistake(this.#fleet.unknown(command.box));
    } else if (command.kind === "crash") await this.#crash(server);
    else if (command.kind === "ask") await this.#ask(server, command);
    else await this.#broadcast(server, command.text);
    return true;
  }

  #refuse({ said, original, error }: Malformed): boolean {
    if (said === undefined) {
      this.#fault(error);
      return true;
    }
    this.#options.out(said);
    this.#options.note(error);
    return original !== "exited" || this.#options.interactive === true;
  }

  async #start(command: StartCommand): Promise<void> {
    let server: Server;
    try {
      server = await this.#fleet.start(command, this.#signal);
    } catch (error) {
      return this.#fault(messageOf(error));
    }
    const deadline = performance.now() + startMsMax;
    if (await server.reach(deadline, this.#signal) === undefined) {
      if (this.#signal.aborted) return;
      const when = server.ended
        ? `before it accepted a master on port ${server.port}`
        : `${seconds(startMsMax)} after its start`;
      const words = await lastWordsOf(server);
      return this.#fault(`${this.#title(server)} ${server.absence} ${when}${words}`);
    }
    const { late, wanted } = await this.#fleet.untilLinked(deadline, this.#signal);
    this.#noteLate(
      late,
      `did not call all of ${wanted.join(", ")} alive within ${seconds(startMsMax)} of a start`,
    );
  }

  async #ask(server: Server, { verb, text }: AskCommand): Promise<void> {
    const title = this.#title(server);
    const conversation = await server.reach(performance.now(), this.#signal);
    if (conversation === undefined) {
      const words = await lastWordsOf(server);
      return this.#fault(`${title} ${server.absence}, and cannot answer ${verb}${words}`);
    }
    const answered = conversation.ask(verb, text).then(async (answer): Promise<true> => {
      if (answer !== undefined || this.#signal.aborted || this.#pending !== pending) return true;
      const words = await lastWordsOf(server);
      this.#fault(`${title} closed its connection before it answered ${verb}${words}`);
      return true;
    });
    const pending = { what: `${title} to answer ${verb}`, since: performance.now(), answered };
    this.#pending = pending;
  }

  async #broadcast(server: Server, text: string): Promise<void> {
    const title = this.#title(server);
    if (text === "broadcast") {
      return this.#fault(`${title} was given nothing to broadcast, want broadcast TEXT`);
    }
    const conversation = await server.reach(performance.now(), this.#signal);
    if (conversation === undefined) {
      return this.#mistake(`${title} ${server.absence}, and was not told to broadcast`);
    }
    await this.#unlessOver(conversation.tell(text));
  }

  async #crash(server: Server): Promise<void> {
    const title = this.#title(server);
    if (server.crashedAt !== undefined) return this.#mistake(`${title} has crashed before`);
    const deadline = performance.now() + crashMsMax;
    const silent = await server.crash(deadline, this.#signal);
    if (this.#signal.aborted) return;
    if (!silent) {
      this.#fault(
        `${title} survived its crash: port ${server.port} still accepts connections ` +
          `${seconds(crashMsMax)} later`,
      );
    }
    const late = await this.#fleet.untilUnlinked(server, deadline, this.#signal);
    this.#noteLate(
      late,
      `still called ${server.name} alive ${seconds(crashMsMax)} after its crash`,
    );
  }

  /** Waits until there is an answer to what was asked last. */
  async #settle(): Promise<void> {
    const pending = this.#pending;
    if (pending === undefined) return;
    const leftMs = this.#options.interactive
      ? pending.since + this.#timeoutMs - performance.now()
      : sleepMsMax;
    const answered = await within(pending.answered, leftMs, this.#signal);
    if (this.#signal.aborted) return;
    this.#pending = undefined;
    if (answered === undefined) {
      this.#fault(`Gave up waiting for ${pending.what}, after ${seconds(this.#timeoutMs)}`);
    }
  }

  #title(server: Server): string {
    return this.#fleet.title(server.name);
  }

  #noteLate(late: readonly Server[], what: string): void {
    if (late.length === 0 || this.#signal.aborted) return;
    const names = late.map((server) => this.#title(server)).join(", ");
    this.#options.note(`${names} ${what}`);
  }

  // Something that the original would have crashed or hung at: a test that has one cannot pass.
  #fault(text: string): void {
    this.#faults.push(text);
    this.#options.note(text);
  }

  // Something that the original went on from.
  #mistake(text: string): void {
    this.#mistaken = true;
    this.#options.note(text);
  }
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

async function lastWordsOf(server: Server): Promise<string> {
  const words = await server.lastWords();
  return words === "" ? "" : `; its last words:\n${words.replaceAll(/^/gm, "  ")}`;
}
