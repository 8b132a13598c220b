// A sandbox as the box sees it: a process with one plugin in it, which answers requests one at a time and can be
// killed at any moment. A worker of the box's own process would not do: the runtime cannot stop one that spins, and
// a heap that is full ends the whole process.

import { LineDecoder } from "../transport/lines.ts";
import { startTimer, stopTimer } from "../transport/timer.ts";
import type { SandboxLimits } from "./sandbox_limits.ts";
import {
  answerBytesMax,
  parseAnswer,
  type SandboxAnswer,
  type SandboxRequest,
} from "./sandbox_words.ts";

/** Starts the process of a sandbox, its standard input and output piped: see `keepSandbox`. */
export type SandboxStarter = (limits: SandboxLimits) => Deno.ChildProcess;

/** The end of a sandbox that did not do what it should. */
export class SandboxDeath extends Error {
  override readonly name = "SandboxDeath";
}

/** How much longer the box waits than the sandbox's keeper, which may itself be stopped. */
const graceMs = 10_000;

/** One sandbox. */
export class Sandbox {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #reading: Promise<void>;
  #waiting: PromiseWithResolvers<SandboxAnswer> | undefined;
  #death: SandboxDeath | undefined;
  readonly #over = Promise.withResolvers<void>();

  constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Resolves when it is over, whether anybody asks it for something or not. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  get isOver(): boolean {
    return this.#death !== undefined;
  }

  /** @throws {SandboxDeath} if it is over. */
  check(): void {
    if (this.#death !== undefined) throw this.#death;
  }

  /**
   * Asks for something that may take `ms`.
   *
   * @throws {SandboxDeath} if there is no answer, or none that could be one: the sandbox is over then.
   */
  async ask(request: SandboxRequest, ms: number): Promise<SandboxAnswer> {
    this.check();
    const waiting = this.#waiting = Promise.withResolvers<SandboxAnswer>();
    const late = `It gave no answer within ${ms} ms, and its process could not say why`;
    const timer = startTimer(3 * ms + graceMs, () => this.#die(late));
    const line = new TextEncoder().encode(`${ms} ${JSON.stringify(request)}\n`);
    // A process that has ended breaks its pipe; that it ended is noticed by its output.
    this.#input.write(line).catch(() => {});
    try {
      return await waiting.promise;
    } finally {
      stopTimer(timer);
    }
  }

  /** Ends the process, whatever it does. */
  async end(): Promise<void> {
    this.#die("It was ended");
    await this.#input.close().catch(() => {});
    await this.#reading;
    await this.#child.status;
  }

  #die(words: string): SandboxDeath {
    if (this.#death === undefined) {
      this.#death = new SandboxDeath(words);
      this.#over.resolve();
      try {
        this.#child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
    }
    this.#waiting?.reject(this.#death);
    this.#waiting = undefined;
    return this.#death;
  }

  async #read(): Promise<void> {
    const decoder = new LineDecoder(answerBytesMax);
    try {
      for await (const bytes of this.#child.stdout) {
        if (this.#death !== undefined) continue;
        const { lines, fault } = decoder.push(bytes);
        for (const line of lines) this.#take(line);
        if (fault !== undefined) this.#die(`It said what nobody asked for: ${fault}`);
      }
    } catch {
      // The pipe broke.
    }
    const { code, signal } = await this.#child.status;
    // The engine ends a process whose heap is full by a trap.
    const full = signal === "SIGTRAP" || signal === "SIGABRT" || code === 133 || code === 134;
    this.#die(
      `Its process ended with ${signal ?? code}${full ? ", as one does whose memory is full" : ""}`,
    );
  }

  #take(line: string): void {
    const answer = parseAnswer(line);
    if (answer !== undefined && "dead" in answer) return void this.#die(answer.dead);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (answer !== undefined && waiting !== undefined) return waiting.resolve(answer);
    this.#waiting = waiting;
    this.#die("It said what nobody asked for");
  }
}
