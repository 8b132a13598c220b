// A process that a benchmark has started, which takes a line and may answer with one.

import { LineDecoder } from "../transport/lines.ts";

/** A command and its arguments. */
export interface Invocation {
  readonly command: string;
  readonly args: readonly string[];
}

/** The program itself with other arguments. */
export type Self = (args: readonly string[]) => Invocation;

const lineBytesMax = 1 << 24;

/** A child with a pipe in and a pipe out. It is killed when it is disposed of. */
export class Process implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncGenerator<string>;
  readonly #wrap: (line: string) => string;

  /** @param wrap What is written for a line: boxes take theirs as JSON. */
  constructor({ command, args }: Invocation, wrap: (line: string) => string = (line) => line) {
    const options: Deno.CommandOptions = {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    };
    this.#child = new Deno.Command(command, options).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#lines = linesOf(this.#child.stdout);
    this.#wrap = wrap;
    this.#errors = lastWords(this.#child.stderr);
  }

  readonly #errors: Promise<string>;

  get pid(): number {
    return this.#child.pid;
  }

  async say(line: string): Promise<void> {
    // A process that has ended breaks its pipe; whoever waits for its answer is told so.
    await this.#input.write(new TextEncoder().encode(`${this.#wrap(line)}\n`)).catch(() => {});
  }

  /**
   * The next line that it prints.
   *
   * @throws {Error} if it ends instead, with its last words.
   */
  async hear(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) {
      throw new Error(`Cannot measure: a process has ended: ${await this.#errors}`);
    }
    return value;
  }

  async ask(line: string): Promise<string> {
    await this.say(line);
    return await this.hear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#input.close().catch(() => {});
    await this.#lines.return(undefined);
    await this.#errors;
    await this.#child.status;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new LineDecoder(lineBytesMax);
  for await (const bytes of stream) yield* decoder.push(bytes).lines;
}

async function lastWords(stream: ReadableStream<Uint8Array>): Promise<string> {
  let words = "";
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    words = (words + decoder.decode(bytes, { stream: true })).slice(-2000);
  }
  return words.trim();
}
