// Collects garbage on request, which the engine offers only behind a flag.

/** A heap above this is not collected on request: the pause would be felt by every link. */
const heapBytesMax = 256 * 1024 * 1024;

/** A function that collects garbage soon, unless the heap is large. Until it is called nothing is loaded. */
export function makeCollector(): () => void {
  let loaded: Promise<() => void> | undefined;
  return () => {
    if (Deno.memoryUsage().heapTotal >= heapBytesMax) return;
    loaded ??= loadCollector();
    loaded.then((collect) => collect());
  };
}

async function loadCollector(): Promise<() => void> {
  const [{ runInNewContext }, { setFlagsFromString }] = await Promise.all([
    import("node:vm"),
    import("node:v8"),
  ]);
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  return typeof collect === "function" ? () => collect() : () => {};
}
