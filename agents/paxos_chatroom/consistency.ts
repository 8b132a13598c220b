// Whether replicas have decided the same: their dumps, line by line, as GoOvid's checkConsistency does it.

/** A dump and where it was found. */
export interface Dump {
  readonly name: string;
  readonly text: string;
}

/** Two dumps that have something else in one line. */
export interface Difference {
  /** From 1. */
  readonly line: number;
  readonly first: { readonly name: string; readonly text: string };
  readonly second: { readonly name: string; readonly text: string };
}

/** Stands for whatever others have in that line: a slot that was not decided when its replica wrote this. */
export const hole = "hole";

/** The first line in which two dumps differ. One that ends sooner knows less, and does not differ. */
export function findDifference(dumps: readonly Dump[]): Difference | undefined {
  const all = dumps.map(({ name, text }) => ({ name, lines: linesOf(text) }));
  const longest = Math.max(0, ...all.map(({ lines }) => lines.length));
  for (let index = 0; index < longest; index++) {
    let first: Difference["first"] | undefined;
    for (const { name, lines } of all) {
      const text = lines[index];
      if (text === undefined || text === hole) continue;
      first ??= { name, text };
      if (text !== first.text) return { line: index + 1, first, second: { name, text } };
    }
  }
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
