// What differs between two texts, line by line: the longest common subsequence, found the simple way.

/** A line of a comparison: in both texts, in the expected one alone, or in the actual one alone. */
export interface DiffLine {
  readonly side: "both" | "expected" | "actual";
  readonly line: string;
}

// The table has a cell for each pair of lines; beyond this, all is shown as replaced.
const cellsMax = 4_000_000;

/**
 * How to get from `expected` to `actual` by leaving out and putting in as few lines as possible.
 *
 * @example
 * ```ts
 * diffLines("a\nb", "a\nc"); // both a, expected b, actual c
 * ```
 */
export function diffLines(expected: string, actual: string): DiffLine[] {
  const left = linesOf(expected);
  const right = linesOf(actual);
  let before = 0;
  while (before < Math.min(left.length, right.length) && left[before] === right[before]) before++;
  let after = 0;
  while (
    after < Math.min(left.length, right.length) - before &&
    left[left.length - 1 - after] === right[right.length - 1 - after]
  ) after++;
  return [
    ...mark("both", left.slice(0, before)),
    ...diffMiddle(
      left.slice(before, left.length - after),
      right.slice(before, right.length - after),
    ),
    ...mark("both", left.slice(left.length - after)),
  ];
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.split("\n");
}

function mark(side: DiffLine["side"], lines: readonly string[]): DiffLine[] {
  return lines.map((line) => ({ side, line }));
}

function diffMiddle(left: readonly string[], right: readonly string[]): DiffLine[] {
  const width = right.length + 1;
  if (left.length === 0 || right.length === 0 || (left.length + 1) * width > cellsMax) {
    return [...mark("expected", left), ...mark("actual", right)];
  }
  // Each cell holds how many lines the rests of both texts from there on have in common.
  const common = new Uint32Array((left.length + 1) * width);
  const at = (i: number, j: number) => common[i * width + j] ?? 0;
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      common[i * width + j] = left[i] === right[j]
        ? at(i + 1, j + 1) + 1
        : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const diff: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    const [expected, actual] = [left[i], right[j]];
    if (expected !== undefined && expected === actual) {
      diff.push({ side: "both", line: expected });
      i++;
      j++;
    } else if (expected !== undefined && (actual === undefined || at(i + 1, j) >= at(i, j + 1))) {
      diff.push({ side: "expected", line: expected });
      i++;
    } else if (actual !== undefined) {
      diff.push({ side: "actual", line: actual });
      j++;
    }
  }
  return diff;
}
