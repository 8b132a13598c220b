// A hash over a whole run, taken as it goes: 64 bits from two lanes of 32-bit integer arithmetic, which gives the
// same digits on every machine. It tells runs apart; it is no protection against anybody.
//
// Values are fed in postfix order, parts before their whole, and each with its kind: then no two sequences of values
// feed the same words.

import type { Json } from "../core/data.ts";
import { HashWords, scramble } from "./hash_words.ts";

/** Feed it in a fixed order; equal feeds give equal digests. */
export class RunningHash {
  #a = 0x811c_9dc5 | 0;
  #b = 0x9e37_79b9 | 0;
  readonly words: HashWords;

  constructor(words = new HashWords()) {
    this.words = words;
  }

  /** A small whole number: a kind, a count, a flag. */
  word(word: number): void {
    this.#feed(word, word);
  }

  number(number: number): void {
    if ((number | 0) === number && !Object.is(number, -0)) {
      return this.#feed(number ^ tagA.integer, number ^ tagB.integer);
    }
    if (!Number.isSafeInteger(number) || number === 0) return this.#float(number);
    // Larger than one word: times after the first half hour of a run.
    const low = number | 0;
    this.#feed(low ^ tagA.large, low ^ tagB.large);
    this.word((number - low) / 2 ** 32);
  }

  #float(number: number): void {
    const { float } = this.words;
    float.setFloat64(0, number);
    const half = float.getInt32(0);
    this.#feed(half ^ tagA.number, half ^ tagB.number);
    this.word(float.getInt32(4));
  }

  text(text: string): void {
    const { length } = text;
    this.#feed(length ^ tagA.string, length ^ tagB.string);
    let a = this.#a;
    let b = this.#b;
    let i = 0;
    for (; i < length - 1; i += 2) {
      const pair = text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16);
      a = stepA(a, pair);
      b = stepB(b, pair);
    }
    if (i < length) {
      a = stepA(a, text.charCodeAt(i));
      b = stepB(b, text.charCodeAt(i));
    }
    this.#a = a;
    this.#b = b;
  }

  /** A text out of a few that come again and again: ids, kinds. */
  name(text: string): void {
    this.word(this.words.name(text));
  }

  /** Depends on the order of keys, as a transcript does. */
  json(value: Json | undefined): void {
    switch (typeof value) {
      case "string":
        return this.text(value);
      case "number":
        return this.number(value);
      case "boolean":
        return value ? this.#feed(tagA.true, tagB.true) : this.#feed(tagA.false, tagB.false);
      case "undefined":
        return this.#feed(tagA.undefined, tagB.undefined);
      case "object":
        if (value === null) return this.#feed(tagA.null, tagB.null);
        return isArray(value) ? this.#array(value) : this.object(value);
    }
  }

  /**
   * What became of a message, when, and how long that took; and whom it is from and for, of which `ends` is what
   * {@linkcode HashWords} says. Most events of a run are this, so that it is done at once where numbers are small.
   */
  fate(fate: number, atUs: number, flightUs: number, ends: number): void {
    if ((atUs | 0) !== atUs || (flightUs | 0) !== flightUs) {
      // As if it were another fate: the words that follow are others.
      this.word(fate - 16);
      this.number(atUs);
      this.number(flightUs);
      return this.word(ends);
    }
    this.#a = stepA(stepA(stepA(stepA(this.#a, fate), atUs), flightUs), ends);
    this.#b = stepB(stepB(stepB(stepB(this.#b, fate), atUs), flightUs), ends);
  }

  /** As {@linkcode json}, for what is known to be an object. */
  object(value: { readonly [key: string]: Json | undefined }): void {
    let { keys } = this.words;
    // The lanes are at hand while there are only small numbers, which are most of what messages are made of.
    let a = this.#a;
    let b = this.#b;
    for (const key in value) {
      const part = value[key];
      keys = keys.then(key);
      if (typeof part === "number" && (part | 0) === part && (part !== 0 || 1 / part > 0)) {
        a = stepA(a, part ^ tagA.integer);
        b = stepB(b, part ^ tagB.integer);
      } else if (typeof part === "string" && key === "type") {
        // The type of a message is as good as a key, and need not be spelt.
        keys = keys.valued.then(part);
      } else {
        this.#a = a;
        this.#b = b;
        this.json(part);
        a = this.#a;
        b = this.#b;
      }
    }
    this.#a = stepA(a, keys.word ^ tagA.object);
    this.#b = stepB(b, keys.word ^ tagB.object);
  }

  #array(value: readonly Json[]): void {
    for (const part of value) this.json(part);
    this.#feed(value.length ^ tagA.array, value.length ^ tagB.array);
  }

  /** Sixteen hexadecimal digits; feeding may go on. */
  digest(): string {
    const high = scramble(this.#a ^ this.#b);
    const low = scramble(this.#b ^ high);
    return hex(high) + hex(low);
  }

  #feed(forA: number, forB: number): void {
    this.#a = stepA(this.#a, forA);
    this.#b = stepB(this.#b, forB);
  }
}

// What is fed of a value is the value and its kind in one: the two lanes get the same word with marks that differ, so
// that words of two kinds can agree in one lane at most.
const tagA = {
  undefined: 0x1f83_d9ab,
  null: 0x5be0_cd19,
  false: 0x3c6e_f372,
  true: 0x510e_527f,
  number: 0x428a_2f98,
  string: 0x7137_4491,
  array: 0x35c0_fbcf,
  object: 0x69b5_dba5,
  integer: 0x3956_c25b,
  large: 0x06ca_6351,
} as const;

const tagB = {
  undefined: 0x59f1_11f1,
  null: 0x123f_82a4,
  false: 0x2b1c_5ed5,
  true: 0x5807_aa98,
  number: 0x1283_5b01,
  string: 0x2431_85be,
  array: 0x550c_7dc3,
  object: 0x72be_5d74,
  integer: 0x00de_b1fe,
  large: 0x4ed8_aa4a,
} as const;

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

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
