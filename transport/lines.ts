// Bytes in, lines out: the bounded decoder below every link, master port and pipe. It knows nothing of what the
// lines say.

/** The longest line that a decoder takes unless told otherwise, in bytes without its line feed. */
export const lineBytesMaxDefault = 1 << 20;

/** What a piece of input completed. After a fault, which may follow good lines, nothing more is decoded. */
export interface Lines {
  /** Each without its line feed, nor one carriage return before that. */
  readonly lines: readonly string[];
  readonly fault: string | undefined;
}

const lineFeed = 10;
// Whole lines are decoded, never parts, so that no character is cut in two, a byte order mark is just text, and
// all decoders can share this one.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const keptBytesMin = 256;
const keptBytesSpare = 1 << 16;
const nothing = new Uint8Array(0);

/**
 * Cuts a stream of bytes into lines of UTF-8 text. How the bytes are cut into pieces makes no difference.
 *
 * @example
 * ```ts
 * const decoder = new LineDecoder();
 * decoder.push(new TextEncoder().encode("ping a\nmsg 1")); // { lines: ["ping a"], fault: undefined }
 * decoder.push(new TextEncoder().encode(" 2 3 hi\n")); // { lines: ["msg 1 2 3 hi"], fault: undefined }
 * ```
 */
export class LineDecoder {
  readonly #lineBytesMax: number;
  // The beginning of the line that is not complete, in a buffer that doubles, so that many small pieces of one
  // long line cost no more than one large piece.
  #kept = nothing;
  #keptBytes = 0;
  #fault: string | undefined;

  constructor(lineBytesMax: number = lineBytesMaxDefault) {
    this.#lineBytesMax = lineBytesMax;
  }

  /** Whether the input so far ends inside a line. */
  get unfinished(): boolean {
    return this.#keptBytes > 0;
  }

  /** The lines that `bytes` complete. The bytes may be overwritten afterwards. */
  push(bytes: Uint8Array): Lines {
    const lines: string[] = [];
    if (this.#fault !== undefined) return { lines, fault: this.#fault };
    let rest = bytes;
    if (this.#keptBytes > 0) {
      const end = bytes.indexOf(lineFeed);
      if (end < 0) {
        this.#keep(bytes);
        return { lines, fault: this.#fault };
      }
      this.#keep(bytes.subarray(0, end));
      this.#decode(this.#kept.subarray(0, this.#keptBytes), lines);
      this.#release();
      rest = bytes.subarray(end + 1);
    }
    const last = rest.lastIndexOf(lineFeed);
    if (last >= 0) this.#decode(rest.subarray(0, last), lines);
    this.#keep(rest.subarray(last + 1));
    return { lines, fault: this.#fault };
  }

  #keep(bytes: Uint8Array): void {
    if (this.#fault !== undefined || bytes.length === 0) return;
    const total = this.#keptBytes + bytes.length;
    if (total > this.#lineBytesMax) return this.#failLong();
    if (total > this.#kept.length) {
      const larger = new Uint8Array(Math.max(total, keptBytesMin, 2 * this.#kept.length));
      larger.set(this.#kept.subarray(0, this.#keptBytes));
      this.#kept = larger;
    }
    this.#kept.set(bytes, this.#keptBytes);
    this.#keptBytes = total;
  }

  #release(): void {
    this.#keptBytes = 0;
    if (this.#kept.length > keptBytesSpare) this.#kept = nothing;
  }

  // Decodes whole lines, the last one without its line feed.
  #decode(bytes: Uint8Array, lines: string[]): void {
    if (this.#fault !== undefined) return;
    if (bytes.length > this.#lineBytesMax) return this.#decodeEach(bytes, lines);
    let text: string;
    try {
      text = utf8.decode(bytes);
    } catch {
      return this.#decodeEach(bytes, lines);
    }
    const first = lines.length;
    for (const line of text.split("\n")) lines.push(line);
    if (!text.includes("\r")) return;
    for (let i = first; i < lines.length; i++) lines[i] = withoutReturn(lines[i] ?? "");
  }

  // The slow way, one line after the other, where a limit or bad bytes end it: the lines before still count.
  #decodeEach(bytes: Uint8Array, lines: string[]): void {
    for (let start = 0; start <= bytes.length;) {
      const found = bytes.indexOf(lineFeed, start);
      const end = found < 0 ? bytes.length : found;
      if (end - start > this.#lineBytesMax) return this.#failLong();
      try {
        lines.push(withoutReturn(utf8.decode(bytes.subarray(start, end))));
      } catch {
        this.#fail("a line is not UTF-8 text");
        return;
      }
      start = end + 1;
    }
  }

  #failLong(): void {
    this.#fail(`a line is longer than ${this.#lineBytesMax} bytes`);
  }

  #fail(fault: string): void {
    this.#fault = fault;
    this.#keptBytes = 0;
    this.#kept = nothing;
  }
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
