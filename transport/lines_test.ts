import { assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import fc from "fast-check";
import { LineDecoder } from "./lines.ts";

const utf8 = new TextEncoder();

interface Decoded {
  readonly lines: readonly string[];
  readonly fault: string | undefined;
}

// Decodes `bytes` cut at `cuts`, which are taken modulo its length.
function decode(bytes: Uint8Array, cuts: readonly number[], lineBytesMax?: number): Decoded {
  const decoder = new LineDecoder(lineBytesMax);
  const lines: string[] = [];
  let fault: string | undefined;
  const ends = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
  let start = 0;
  for (const end of [...ends, bytes.length]) {
    // A copy that is wiped afterwards: the decoder must not hold on to what it was given.
    const piece = bytes.slice(start, end);
    const read = decoder.push(piece);
    piece.fill(0);
    lines.push(...read.lines);
    fault ??= read.fault;
    start = end;
  }
  return { lines, fault };
}

// The dumb twin: byte by byte, the whole input at hand.
function decodeSlowly(bytes: Uint8Array, lineBytesMax: number): Decoded {
  const lines: string[] = [];
  let line: number[] = [];
  for (const byte of bytes) {
    if (byte !== 10) {
      line.push(byte);
      if (line.length > lineBytesMax) {
        return { lines, fault: `a line is longer than ${lineBytesMax} bytes` };
      }
      continue;
    }
    if (line.at(-1) === 13) line.pop();
    try {
      const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
      lines.push(strict.decode(new Uint8Array(line)));
    } catch {
      return { lines, fault: "a line is not UTF-8 text" };
    }
    line = [];
  }
  return { lines, fault: undefined };
}

// Mostly text with line ends, sometimes broken.
const stream = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.string({ unit: "grapheme" }).map((text) => [...utf8.encode(text)]) },
    { weight: 4, arbitrary: fc.constantFrom([10], [13, 10], [13], [10, 10], [0xef, 0xbb, 0xbf]) },
    { weight: 1, arbitrary: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 4 }) },
  ),
  { maxLength: 30 },
).map((parts) => Uint8Array.from(parts.flat()));

Deno.test("LineDecoder: any cutting of any bytes gives what the slow twin gives", () => {
  fc.assert(
    fc.property(stream, fc.array(fc.nat()), fc.integer({ min: 1, max: 40 }), (bytes, cuts, max) => {
      const wanted = decodeSlowly(bytes, max);
      const found = decode(bytes, cuts, max);
      assertEquals(found.lines, wanted.lines);
      assertEquals(found.fault, wanted.fault);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("LineDecoder: every prefix of a stream gives a prefix of its lines and no fault", () => {
  const bytes = utf8.encode("ping a\r\nmsg 1 2 3 é’😀\n\n\ufeffhello {}\nlast\n");
  const all = decode(bytes, []).lines;
  assertEquals(all, ["ping a", "msg 1 2 3 é’😀", "", "\ufeffhello {}", "last"]);
  for (let end = 0; end <= bytes.length; end++) {
    const { lines, fault } = decode(bytes.subarray(0, end), [end >> 1]);
    assertEquals(fault, undefined);
    assertEquals(lines, all.slice(0, lines.length));
    assertEquals(lines.length, bytes.subarray(0, end).filter((byte) => byte === 10).length);
  }
});

Deno.test("LineDecoder: strips one carriage return, and only before a line feed", () => {
  assertEquals(decode(utf8.encode("a\r\nb\r\r\nc\rd\n\r\n"), []).lines, ["a", "b\r", "c\rd", ""]);
});

Deno.test("LineDecoder: a line may be as long as the limit and no longer", () => {
  const fits = decode(utf8.encode("12345678\nab\n"), [], 8);
  assertEquals(fits, { lines: ["12345678", "ab"], fault: undefined });
  const long = { lines: ["ab"], fault: "a line is longer than 8 bytes" };
  assertEquals(decode(utf8.encode("ab\n123456789\ncd\n"), [], 8), long);
  assertEquals(decode(utf8.encode("ab\n123456789"), [], 8), long);
  // The limit is in bytes: four characters of three bytes are too many.
  assertEquals(decode(utf8.encode("’’’’\n"), [], 8).fault, long.fault);
});

Deno.test("LineDecoder: decodes nothing after a fault", () => {
  const decoder = new LineDecoder();
  const first = decoder.push(Uint8Array.of(97, 10, 0xff, 10, 98, 10));
  assertEquals(first, { lines: ["a"], fault: "a line is not UTF-8 text" });
  assertEquals(decoder.push(utf8.encode("c\n")), { lines: [], fault: "a line is not UTF-8 text" });
});

Deno.test("LineDecoder: refuses the beginning of a TLS connection", () => {
  const clientHello = Uint8Array.of(0x16, 0x03, 0x01, 0x00, 0xf8, 0x01, 0x00, 10);
  assertEquals(decode(clientHello, []).fault, "a line is not UTF-8 text");
});

Deno.test("LineDecoder: knows whether it is inside a line", () => {
  const decoder = new LineDecoder();
  assertEquals(decoder.unfinished, false);
  decoder.push(utf8.encode("ab"));
  assertEquals(decoder.unfinished, true);
  decoder.push(utf8.encode("\n"));
  assertEquals(decoder.unfinished, false);
});

Deno.test("LineDecoder: one long line in many pieces is copied a few times, and not for each piece", () => {
  const set = Uint8Array.prototype.set;
  let copied = 0;
  Uint8Array.prototype.set = function (source, offset) {
    copied += source.length;
    return set.call(this, source, offset);
  };
  try {
    const decoder = new LineDecoder(1 << 24);
    const piece = new Uint8Array(16).fill(97);
    for (let i = 0; i < 100_000; i++) decoder.push(piece);
    assertEquals(decoder.push(Uint8Array.of(10)).lines[0]?.length, 1_600_000);
  } finally {
    Uint8Array.prototype.set = set;
  }
  // Each byte as it comes, and again each time that the buffer doubles. Quadratic behaviour would copy 80 GB.
  assertGreaterOrEqual(copied, 1_600_000);
  assertLess(copied, 4 * 1_600_000);
});
