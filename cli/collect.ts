// Collects garbage on request, which the engine offers only behind a flag.

import { runInNewContext } from "node:vm";
import { setFlagsFromString } from "node:v8";

/** A heap above this is not collected on request: the pause would be felt by every link. */
const heapBytesMax = 256 * 1024 * 1024;

/** A function that collects garbage now, unless the heap is large. */
export function makeCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  return () => {
    if (typeof collect === "function" && Deno.memoryUsage().heapTotal < heapBytesMax) collect();
  };
}
