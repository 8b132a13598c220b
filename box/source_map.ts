// Reads source maps: from a position in a bundle to the one in the file that somebody wrote.
// The format is ECMA-426: segments of numbers in base 64, each relative to the one before.

/** A position in a file, counted from 1 as in a stack. */
export interface Place {
  /** As the map names it. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

interface Segment {
  /** In the bundle, from 0. */
  readonly column: number;
  readonly to: Place | undefined;
}

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** A source map that has been read. */
export class SourceMap {
  readonly #lines: readonly (readonly Segment[])[];

  /** @throws {SyntaxError} if `json` is no source map. */
  constructor(json: string) {
    const { sources, mappings }: { sources?: unknown; mappings?: unknown } = Object(
      JSON.parse(json),
    );
    if (!Array.isArray(sources) || typeof mappings !== "string") {
      throw new SyntaxError("Cannot read the source map, want sources and mappings");
    }
    this.#lines = readMappings(mappings, sources.map(String));
  }

  /** Where what stands in the bundle at `line` and `column`, from 1, comes from. */
  find(line: number, column: number): Place | undefined {
    // The last segment that begins there or before; after a segment without a place comes nobody's text.
    const segments = this.#lines[line - 1] ?? [];
    return segments.findLast((segment) => segment.column <= column - 1)?.to;
  }
}

function readMappings(mappings: string, sources: readonly string[]): Segment[][] {
  // All but the column go on from one line to the next.
  let [source, line, column] = [0, 0, 0];
  return mappings.split(";").map((text) => {
    let at = 0;
    return text.split(",").filter((part) => part !== "").map((part): Segment => {
      const [step = 0, ...steps] = readNumbers(part);
      at += step;
      if (steps.length < 3) return { column: at, to: undefined };
      source += steps[0] ?? 0;
      line += steps[1] ?? 0;
      column += steps[2] ?? 0;
      const file = sources[source] ?? "";
      return { column: at, to: { file, line: line + 1, column: column + 1 } };
    });
  });
}

// Five bits a digit, the lowest first; the sixth says that more follow, the very first bit is the sign.
function readNumbers(text: string): number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const character of text) {
    const digit = digits.indexOf(character);
    if (digit < 0) throw new SyntaxError(`Cannot read ${JSON.stringify(text)} in the source map`);
    value += (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    numbers.push(value & 1 ? -(value >>> 1) : value >>> 1);
    value = 0;
    shift = 0;
  }
  return numbers;
}
