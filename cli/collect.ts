// Collects garbage on request, which the engine offers only behind a flag.

import type { Collector } from "../box/garbage.ts";

const mebibyte = 1024 * 1024;
/** A heap above this is not collected on request: the pause would be felt by every link. */
const heapBytesMax = 256 * mebibyte;
/** The same where all is collected, which looks at a heap several times. */
const heapBytesMaxForAll = 64 * mebibyte;

type Collect = (options: { type: "major"; flavor?: "last-resort" }) => void;

/** A collector that leaves a large heap alone, and for which nothing is loaded until it is first asked. */
export function makeCollector(): Collector {
  let loaded: Promise<Collect> | undefined;
  const run = (bytesMax: number, options: Parameters<Collect>[0]) => {
    if (Deno.memoryUsage().heapTotal >= bytesMax) return;
    loaded ??= loadCollector();
    loaded.then((collect) => collect(options));
  };
  return {
    collect: () => run(heapBytesMax, { type: "major" }),
    collectAll: () => run(heapBytesMaxForAll, { type: "major", flavor: "last-resort" }),
  };
}

async function loadCollector(): Promise<Collect> {
  // The executable has it from its start.
  const { gc } = globalThis as { gc?: Collect };
  if (gc !== undefined) return gc;
  const [{ runInNewContext }, { setFlagsFromString }] = await Promise.all([
    import("node:vm"),
    import("node:v8"),
  ]);
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  return typeof collect === "function" ? (options) => void collect(options) : () => {};
}
