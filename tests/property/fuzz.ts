// What the fuzz tests share: inputs that are almost right, and the laws that hold for every reader of anything that a
// stranger, a disk or a person wrote. A reader ends, refuses in words of its own and never by another error, and what
// it takes it can print and read again to the same meaning.
//
// The environment's OVID_FUZZ_CASES says how many inputs each reader gets: some hundreds without it, a million a night.

import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";

/** What a reader made of an input. */
export type Reading =
  | { readonly refused: string }
  /** `printed` is read again, and must give the same. */
  | { readonly taken: unknown; readonly printed?: string };

/** A reader, and what it is fed with. */
export interface Subject {
  readonly name: string;
  /** Inputs that it must take. */
  readonly valid: fc.Arbitrary<string>;
  /** What is put into inputs besides brackets, blanks and the like: words that mean something to it. */
  readonly pieces?: readonly string[];
  /** What every refusal says. */
  readonly refusal?: RegExp;
  /** Whether there is nothing that it refuses. */
  readonly takesAll?: boolean;
  /** Whether some hundreds of inputs may well have none that it refuses. */
  readonly seldomRefuses?: boolean;
  /** Whether its inputs are bytes, each of them a character. */
  readonly bytes?: boolean;
  /** How much slower than others it is: it gets so many times fewer inputs. */
  readonly cost?: number;
  /** Reads. Whatever it throws is a finding. */
  read(text: string): Reading;
}

/** How many inputs each reader gets. */
export const cases: number = readCases(Deno.env.get("OVID_FUZZ_CASES"));

/** A reader that takes longer hangs: no input is longer than {@linkcode lengthMax}. */
const readMsMax = 2000;
const lengthMax = 20_000;
/** So many inputs are cut at every place there is. */
const cutMax = Math.min(20, Math.ceil(cases / 40));
const cutLengthMax = 400;

function readCases(text: string | undefined): number {
  if (text === undefined) return Deno.env.has("OVID_SHORT") ? 100 : 400;
  if (!/^[1-9]\d{0,9}$/.test(text)) {
    throw new RangeError(`Cannot use OVID_FUZZ_CASES=${text}, want a whole number from 1`);
  }
  return Number(text);
}

/** Runs a reader that refuses by throwing one of `errors`; any other error is a finding. */
export function refusing(
  errors: readonly (new (...args: never[]) => Error)[],
  act: () => { readonly taken: unknown; readonly printed?: string },
): Reading {
  try {
    return act();
  } catch (error) {
    if (errors.some((each) => error instanceof each && error.constructor === each)) {
      return { refused: error instanceof Error ? error.message : "" };
    }
    throw error;
  }
}

/** The bytes of a text that has a character for each. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (sign) => sign.charCodeAt(0));
}

/** Bytes as a text that has a character for each. */
export function textOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

const common = [..."\0\t\n\r \"'\\/{}[]():;,.-+_=<>|#%&*?!$@~`^0123456789aZe\x7f\x85\xa0\xff"];
const wide = ["é", "\u2028", "\ufeff", "\ud800", "\udc00", "😀", "\u202e"];
const words = ["null", "true", "-0", "1e999", "99999999999999999999", "__proto__", "constructor"];

type Change = readonly [kind: number, at: number, length: number, piece: string];

/** The text after one change: something put in, taken out, replaced, doubled, or repeated very often. */
function changed(text: string, [kind, where, length, piece]: Change): string {
  const at = Math.floor(where * (text.length + 1));
  const [before, span, after] = [text.slice(0, at), text.slice(at, at + length), text.slice(at)];
  switch (kind) {
    case 0:
      return before + piece + after;
    case 1:
      return before + text.slice(at + length);
    case 2:
      return before + piece + text.slice(at + length);
    case 3:
      return before + span + after;
    case 4:
      return before.replaceAll(span, piece) + after;
    default: {
      const repeated = kind === 5 ? span : piece;
      const room = Math.floor((lengthMax - text.length) / Math.max(1, repeated.length));
      return before + repeated.repeat(Math.max(0, Math.min(room, 5000))) + after;
    }
  }
}

/** Inputs of every kind for a reader: right, cut, changed in a few places, joined from two, or nothing but noise. */
export function inputsOf({ valid, pieces = [], bytes = false }: Subject): fc.Arbitrary<string> {
  const signs = bytes ? common : [...common, ...wide];
  const piece = fc.oneof(
    fc.constantFrom(...signs),
    fc.constantFrom(...words, ...pieces),
    fc.constantFrom("", ...pieces),
  );
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  const kind = fc.oneof(
    { weight: 60, arbitrary: fc.nat({ max: 3 }) },
    { weight: 6, arbitrary: fc.constant(4) },
    { weight: 1, arbitrary: fc.constantFrom(5, 6) },
  );
  const change = fc.tuple(kind, place, fc.nat({ max: 12 }), piece);
  const changes = fc.array(change, { minLength: 1, maxLength: 4 });
  const noise = fc.oneof(
    fc.array(piece, { maxLength: 30 }).map((parts) => parts.join("")),
    // Any characters and halves of them; the library's own strings of these take seconds to begin with.
    fc.array(fc.nat({ max: bytes ? 0xff : 0xffff }), { maxLength: 60 }).map((codes) =>
      String.fromCharCode(...codes)
    ),
  );
  const joined = fc.tuple(valid, place, valid, place).map(([a, atA, b, atB]) =>
    a.slice(0, Math.floor(atA * (a.length + 1))) + b.slice(Math.floor(atB * (b.length + 1)))
  );
  return fc.oneof(
    { weight: 1, arbitrary: valid },
    { weight: 2, arbitrary: fc.tuple(valid, place).map(([text, at]) => cut(text, at)) },
    {
      weight: 6,
      arbitrary: fc.tuple(valid, changes).map(([text, all]) => all.reduce(changed, text)),
    },
    { weight: 1, arbitrary: joined },
    { weight: 1, arbitrary: noise },
  ).map((text) => text.slice(0, lengthMax));
}

function cut(text: string, at: number): string {
  return text.slice(0, Math.floor(at * (text.length + 1)));
}

/** Holds a reader to the laws on one input. */
export function judge(subject: Subject, text: string, msMax: number = readMsMax): Reading {
  const reading = timed(subject, text, msMax);
  if ("refused" in reading) {
    assert(!subject.takesAll, `refused, though it takes all: ${reading.refused}`);
    assertMatch(reading.refused, subject.refusal ?? /\S/);
    return reading;
  }
  if (reading.printed === undefined) return reading;
  const again = timed(subject, reading.printed, msMax);
  assert(
    "taken" in again,
    `what it took and printed, ${JSON.stringify(reading.printed)}, it refuses`,
  );
  assertEquals(again.taken, reading.taken, "what it printed means something else");
  assertEquals(again.printed, reading.printed, "what it printed is printed otherwise");
  return reading;
}

/** Reads twice if need be: a machine that sleeps is no reader that hangs. */
function timed(subject: Subject, text: string, msMax: number): Reading {
  const began = performance.now();
  const reading = subject.read(text);
  if (performance.now() - began <= msMax) return reading;
  const again = performance.now();
  subject.read(text);
  const ms = performance.now() - again;
  assert(ms <= msMax, `it took ${Math.round(ms)} ms for ${text.length} characters`);
  return reading;
}

/**
 * Holds a reader to the laws on many inputs, and to reading some of each kind.
 *
 * @throws {Error} with the shortest input that was found to break a law.
 */
export function check(
  subject: Subject,
  runs: number,
  msMax: number = readMsMax,
): { readonly taken: number; readonly refused: number } {
  const { valid } = subject;
  const counts = { taken: 0, refused: 0 };
  let cuts = 0;
  fc.assert(
    fc.property(valid, (text) => {
      const reading = judge(subject, text, msMax);
      if ("refused" in reading) throw new Error(`refused, though it is right: ${reading.refused}`);
      if (cuts++ >= cutMax) return;
      for (let end = 0; end < Math.min(text.length, cutLengthMax); end++) {
        judge(subject, text.slice(0, end), msMax);
      }
    }),
    { numRuns: Math.max(20, Math.ceil(runs / 10)) },
  );
  fc.assert(
    fc.property(inputsOf(subject), (text) => {
      counts["taken" in judge(subject, text, msMax) ? "taken" : "refused"]++;
    }),
    { numRuns: runs },
  );
  assert(counts.taken > 0, "it took nothing");
  const mayTakeAll = subject.takesAll || subject.seldomRefuses;
  assert(mayTakeAll || counts.refused > 0, "it refused nothing");
  return counts;
}

/** Makes a test of each reader. */
export function fuzz(subjects: readonly Subject[]): void {
  for (const subject of subjects) {
    Deno.test(`fuzz: ${subject.name}`, () => {
      check(subject, Math.max(20, Math.ceil(cases / (subject.cost ?? 1))));
    });
  }
}
