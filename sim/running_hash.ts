// A hash over a whole run, taken as it goes: 64 bits from two lanes of 32-bit integer arithmetic, which gives the
// same digits on every machine. It tells runs apart; it is no protection against anybody.

import type { Json } from "../core/data.ts";

/** How many names a hash remembers. */
const namesMax = 4096;

const tags = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  number: 4,
  string: 5,
  array: 6,
  object: 7,
  integer: 8,
} as const;

/** Feed it in a fixed order; equal feeds give equal digests. */
export class RunningHash {
  #a = 0x811c_9dc5 | 0;
  #b = 0x9e37_79b9 | 0;
  readonly #float = new DataView(new ArrayBuffer(8));
  readonly #names = new Map<string, number>();

  /** A small whole number: a kind, a count, a flag. */
  word(word: number): void {
    this.#a = stepA(this.#a, word);
    this.#b = stepB(this.#b, word);
  }

  number(number: number): void {
    if ((number | 0) === number && !Object.is(number, -0)) {
      this.word(tags.integer);
      return this.word(number);
    }
    this.word(tags.number);
    this.#float.setFloat64(0, number);
    this.word(this.#float.getInt32(0));
    this.word(this.#float.getInt32(4));
  }

  text(text: string): void {
    const { length } = text;
    this.word(length);
    let a = this.#a;
    let b = this.#b;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      a = stepA(a, unit);
      b = stepB(b, unit);
    }
    this.#a = a;
    this.#b = b;
  }

  /**
   * A text out of a few that come again and again: ids, keys, kinds. What it feeds depends on the text alone; that it is
   * remembered saves looking at each letter again.
   */
  name(text: string): void {
    let digest = this.#names.get(text);
    if (digest === undefined) {
      digest = digestOf(text);
      if (this.#names.size < namesMax) this.#names.set(text, digest);
    }
    this.word(digest);
  }

  /** Depends on the order of keys, as a transcript does. */
  json(value: Json | undefined): void {
    switch (typeof value) {
      case "string":
        this.word(tags.string);
        return this.text(value);
      case "number":
        return this.number(value);
      case "boolean":
        return this.word(value ? tags.true : tags.false);
      case "object":
        return value === null ? this.word(tags.null) : this.#parts(value);
      case "undefined":
        return this.word(tags.undefined);
    }
  }

  #parts(value: readonly Json[] | { readonly [key: string]: Json | undefined }): void {
    if (isArray(value)) {
      this.word(tags.array);
      this.word(value.length);
      for (const part of value) this.json(part);
      return;
    }
    this.word(tags.object);
    let keys = 0;
    for (const key in value) {
      this.name(key);
      this.json(value[key]);
      keys++;
    }
    this.word(keys);
  }

  /** Sixteen hexadecimal digits; feeding may go on. */
  digest(): string {
    const high = scramble(this.#a ^ this.#b);
    const low = scramble(this.#b ^ high);
    return hex(high) + hex(low);
  }
}

/** One word that depends on every letter. */
function digestOf(text: string): number {
  let a = 0x811c_9dc5 | 0;
  for (let i = 0; i < text.length; i++) a = stepA(a, text.charCodeAt(i));
  return scramble(a ^ text.length);
}

function stepA(lane: number, word: number): number {
  const product = Math.imul(lane ^ word, 0x0100_0193);
  return product ^ (product >>> 15);
}

function stepB(lane: number, word: number): number {
  const rotated = (lane << 13) | (lane >>> 19);
  return (Math.imul(rotated ^ word, 0x85eb_ca6b) + 0x3c6e_f372) | 0;
}

// Array.isArray does not narrow read-only arrays.
function isArray(value: object): value is readonly Json[] {
  return Array.isArray(value);
}

// The finish of MurmurHash3 by Appleby: every bit of the result depends on every bit of the word.
function scramble(word: number): number {
  let mixed = word;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
