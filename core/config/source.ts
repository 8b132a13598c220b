// Where things stand in the text of a grid file: offsets and paths made into lines and columns.

import type { JsonNode } from "./json.ts";
import type { Place, Source } from "./problem.ts";
import { type Path, showPath } from "./wording.ts";

/** Gives what stands at `offset` its place; `path` is how the place is called. */
export type PlaceOf = (path: Path, offset: number) => Place;

/** What the readers of a file share. */
export interface Reading {
  readonly agentsPath: Path;
  /** Reports an error in what stands at `offset`. */
  error(
    path: Path,
    offset: number,
    problem: { found: string; wanted: string; hint?: string | undefined },
  ): void;
}

const lineFeed = 10;
const carriageReturn = 13;

/** The places of a text. Lines end with a line feed, a carriage return, or both. */
export function placesOf(text: string, file: string): PlaceOf {
  const starts = [0];
  for (let offset = 0; offset < text.length; offset++) {
    const sign = text.charCodeAt(offset);
    if (sign === lineFeed || sign === carriageReturn && text.charCodeAt(offset + 1) !== lineFeed) {
      starts.push(offset + 1);
    }
  }
  return (path, offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { file, path: showPath(path), line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}

/** The source of a grid whose text was read as `root`. */
export function sourceOf(
  file: string,
  agentsPath: Path,
  root: JsonNode | undefined,
  placeOf: PlaceOf,
): Source {
  return {
    file,
    agentsPath,
    locate(path, part = "value") {
      let node = root;
      let offset = root?.offset ?? 0;
      for (const [index, step] of path.entries()) {
        const member = node?.kind === "object" ? node.byKey.get(String(step)) : undefined;
        const item = node?.kind === "array" ? node.items[Number(step)] : undefined;
        node = member?.value ?? item;
        if (node === undefined) break;
        const atKey = part === "key" && index === path.length - 1;
        offset = atKey && member !== undefined ? member.offset : node.offset;
      }
      return placeOf(path, offset);
    },
  };
}
