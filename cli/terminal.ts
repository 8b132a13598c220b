// Lines from standard input, and what a parent says to the boxes that it started.

import { LineDecoder } from "../transport/lines.ts";

/** How long a line of standard input may be, in bytes. */
export const inputBytesMax = 1024 * 1024;

const readBytes = 1 << 16;

/** The bytes of standard input, as they come; its stream would cost each start 3 ms. */
export async function* standardInput(): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(readBytes);
  for (;;) {
    const count = await Deno.stdin.read(buffer);
    if (count === null) return;
    yield buffer.slice(0, count);
  }
}

/**
 * The lines of a stream of bytes, the last one also without its line feed.
 *
 * @throws {SyntaxError} for a line that is too long or not UTF-8.
 */
export async function* readLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new LineDecoder(inputBytesMax);
  for await (const bytes of stream) {
    const { lines, fault } = decoder.push(bytes);
    yield* lines;
    if (fault !== undefined) throw new SyntaxError(`Cannot read standard input: ${fault}`);
  }
  if (decoder.unfinished) yield* decoder.push(lineFeed).lines;
}

const lineFeed: Uint8Array = new TextEncoder().encode("\n");

/** What a parent writes to a supervised box, a JSON text a line. When the pipe closes, the box ends. */
export type Control =
  /** A line for the terminal. */
  | { readonly line: string }
  /** The terminal's input has ended; the pipe stays open. */
  | { readonly eof: true };

/** A control line as a parent writes it. */
export function formatControl(control: Control): string {
  return `${JSON.stringify(control)}\n`;
}

/**
 * What a parent wrote.
 *
 * @throws {SyntaxError} if it is none of {@linkcode Control}.
 */
export function parseControl(line: string): Control {
  const value: unknown = JSON.parse(line);
  if (typeof value === "object" && value !== null) {
    if ("line" in value && typeof value.line === "string") return { line: value.line };
    if ("eof" in value && value.eof === true) return { eof: true };
  }
  throw new SyntaxError(`Cannot read control line ${JSON.stringify(line.slice(0, 80))}`);
}
