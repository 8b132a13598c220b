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

/** Keeps a sandbox until its input ends or its worker must not go on. What is left of it ends with the process. */
export async function keepSandbox(options: KeeperOptions): Promise<void> {
  const { input, memoryBytesMax } = options;
  const encoder = new TextEncoder();
  const say = (line: string) => writeAll(options.output, encoder.encode(`${line}\n`));
  const over = Promise.withResolvers<string>();
  const worker = new Worker(options.worker, { type: "module" });
  let watching: ReturnType<typeof setInterval> | undefined;
  worker.onerror = (event) => {
    event.preventDefault();
    over.resolve(`Its code threw where nobody asked it to: ${event.message}`);
  };
  worker.onmessage = ({ data }) => {
    if (watching === undefined || typeof data !== "string" || /[\r\n]/.test(data)) {
      return over.resolve("It said what nobody asked for");
    }
    clearInterval(watching);
    watching = undefined;
    say(data);
  };
  const ask = (line: string) => {
    const space = line.indexOf(" ");
    const ms = Number(line.slice(0, space));
    const until = performance.now() + ms;
    watching = setInterval(() => {
      const { rss } = Deno.memoryUsage();
      if (performance.now() > until) over.resolve(`It did not return within ${ms} ms`);
      else if (rss > memoryBytesMax) over.resolve(`It took more than ${memoryBytesMax >> 20} MB`);
    }, lookEveryMs);
    worker.postMessage(line.slice(space + 1));
  };
  const gone = readRequests(input, ask).then(() => undefined);
  const words = await Promise.race([over.promise, gone]);
  clearInterval(watching);
  if (words !== undefined) say(JSON.stringify({ dead: words.slice(0, wordsLengthMax) }));
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

function writeAll(output: KeeperOptions["output"], bytes: Uint8Array): void {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(output.writeSync(rest));
}
