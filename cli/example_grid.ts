// The grid of `ovid box` without one: the key-value example.

import { dirname, fromFileUrl, join } from "@std/path";
import { isBuilt } from "./built.ts";

/**
 * The path of the example's grid.
 *
 * A single executable has it inside, where no box could keep its data, and nobody could change it: it is written
 * below the folder in hand first, unless it is there.
 */
export async function exampleGrid(): Promise<string> {
  const inside = fromFileUrl(new URL("../examples/kvs/grid.json", import.meta.url));
  if (!isBuilt) return inside;
  const path = join(".ovid", "example", "grid.json");
  await Deno.mkdir(dirname(path), { recursive: true });
  try {
    await Deno.writeTextFile(path, await Deno.readTextFile(inside), { createNew: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  return path;
}
