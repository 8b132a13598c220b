// The process of a sandbox: this thread keeps the worker in which the plugin runs, passes requests in and answers
// out, and ends the process when a request takes too long or too much memory, or the box is gone. It never runs any
// code of the plugin, so that it can always do so.

import { LineDecoder } from "../transport/lines.ts";
import { wordsLengthMax } from "./sandbox_words.ts";

/** What keeps a sandbox. */
export interface KeeperOptions {
  /** The module of the worker, `sandbox_worker.ts`. */
  readonly worker: URL;
  readonly input: ReadableStream<Uint8Array>;
  readonly output: { writeSync(bytes: Uint8Array): number };
  /** How large the process may be, in bytes. */
  readonly memoryBytesMax: number;
}

/** How long a request of the box may be: what the disk holds of an agent is in it. */
const requestBytesMax = 2 ** 30;
const lookEveryMs = 20;
const pingEveryMs = 2000;

/** What the worker is asked while nobody else asks it anything, and what it answers: see {@linkcode Keeper}. */
export const ping = "ping";
export const pong = "pong";

/** Keeps a sandbox until its input ends or its worker must not go on. What is left of it ends with the process. */
export async function keepSandbox(options: KeeperOptions): Promise<void> {
  const keeper = new Keeper(options);
  const gone = readRequests(options.input, (line) => keeper.ask(line)).then(() => undefined);
  const words = await Promise.race([keeper.over, gone]);
  keeper.close();
  if (words !== undefined) keeper.say(JSON.stringify({ dead: words.slice(0, wordsLengthMax) }));
}

/** Watches one worker, also while it has nothing to do: its code might go on by itself for ever. */
class Keeper {
  readonly #options: KeeperOptions;
  readonly #worker: Worker;
  readonly #over = Promise.withResolvers<string>();
  readonly #timer: ReturnType<typeof setInterval>;
  /** What the worker has been asked and has not answered; undefined while it has nothing to do. */
  #asked: { readonly text: string; readonly until: number } | undefined;
  /** What comes next, if the worker has been asked for something of ours. */
  #next: string | undefined;
  #ms = 0;
  #idleSince = performance.now();

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#worker = new Worker(options.worker, { type: "module" });
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#over.resolve(`Its code threw where nobody asked it to: ${event.message}`);
    };
    this.#worker.onmessage = ({ data }) => this.#take(data);
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
  }

  /** Why the process must end. */
  get over(): Promise<string> {
    return this.#over.promise;
  }

  /** Asks for what stands behind the milliseconds that it may take. */
  ask(line: string): void {
    const space = line.indexOf(" ");
    this.#ms = Number(line.slice(0, space));
    const text = line.slice(space + 1);
    if (this.#asked === undefined) this.#post(text);
    else this.#next = text;
  }

  say(line: string): void {
    const bytes = new TextEncoder().encode(`${line}\n`);
    for (let rest = bytes; rest.length > 0;) {
      rest = rest.subarray(this.#options.output.writeSync(rest));
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #post(text: string): void {
    this.#asked = { text, until: performance.now() + this.#ms };
    this.#worker.postMessage(text);
  }

  #take(answer: unknown): void {
    const asked = this.#asked;
    const isAnswer = typeof answer === "string" && !/[\r\n]/.test(answer) &&
      asked !== undefined && (asked.text === ping) === (answer === pong);
    if (!isAnswer) return this.#over.resolve("It said what nobody asked for");
    this.#asked = undefined;
    this.#idleSince = performance.now();
    if (answer !== pong) this.say(answer);
    const next = this.#next;
    this.#next = undefined;
    if (next !== undefined) this.#post(next);
  }

  #look(): void {
    const now = performance.now();
    if (this.#asked === undefined) {
      // Before the first request nothing of the plugin runs.
      if (this.#ms > 0 && now > this.#idleSince + pingEveryMs) this.#post(ping);
      return;
    }
    const { memoryBytesMax } = this.#options;
    if (now > this.#asked.until) this.#over.resolve(`It did not return within ${this.#ms} ms`);
    else if (Deno.memoryUsage().rss > memoryBytesMax) {
      this.#over.resolve(`It took more than ${memoryBytesMax >> 20} MB`);
    }
  }
}

async function readRequests(
  input: ReadableStream<Uint8Array>,
  ask: (line: string) => void,
): Promise<void> {
  const decoder = new LineDecoder(requestBytesMax);
  for await (const bytes of input) {
    const { lines, fault } = decoder.push(bytes);
    for (const line of lines) ask(line);
    if (fault !== undefined) throw new SyntaxError(`Cannot read a request: ${fault}`);
  }
}
