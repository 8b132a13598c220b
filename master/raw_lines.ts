// Bytes of a server in any language, cut into lines. Unlike the decoder below the links of boxes it takes whatever
// comes, bytes that are no text and carriage returns included, since the script is to see what the server said.

/** The longest line that is taken, in bytes: the log of a long chat is one line. */
export const rawLineBytesMax: number = 128 * 1024 * 1024;

const lineFeed = 10;

/** Cuts a stream of bytes into lines. */
export class RawLines {
  readonly #lineBytesMax: number;
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  #kept: Uint8Array[] = [];
  #keptBytes = 0;

  constructor(lineBytesMax: number = rawLineBytesMax) {
    this.#lineBytesMax = lineBytesMax;
  }

  /**
   * The lines that `bytes` complete, without their line feeds. The bytes may be overwritten afterwards.
   *
   * @throws {RangeError} once a line is too long.
   */
  push(bytes: Uint8Array): string[] {
    const lines: string[] = [];
    let rest = bytes;
    for (let end = rest.indexOf(lineFeed); end >= 0; end = rest.indexOf(lineFeed)) {
      this.#keep(rest.subarray(0, end));
      lines.push(this.rest());
      rest = rest.subarray(end + 1);
    }
    this.#keep(rest);
    return lines;
  }

  /** What there is of a line that has not ended, which is forgotten. */
  rest(): string {
    const line = new Uint8Array(this.#keptBytes);
    let at = 0;
    for (const piece of this.#kept) {
      line.set(piece, at);
      at += piece.length;
    }
    this.#kept = [];
    this.#keptBytes = 0;
    return this.#utf8.decode(line);
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#keptBytes += bytes.length;
    if (this.#keptBytes > this.#lineBytesMax) {
      throw new RangeError(`said a line longer than ${this.#lineBytesMax} bytes`);
    }
    this.#kept.push(bytes.slice());
  }
}
