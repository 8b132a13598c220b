// The end of the process, and the only place that ends it.
//
// As a process ends, Deno exports its telemetry once more and waits for that. Should it just then be collecting metrics
// in its usual rhythm, it also waits for callbacks of this program, which no longer runs; and a collector may be deaf.
// So a process that exports telemetry has a thread that ends it, whatever it waits for.

/** How long the last export may take; less than a parent waits for its boxes. */
const exportMsMax = 2000;

/** Ends the process with this exit code. */
export async function leave(code: number): Promise<never> {
  if (Deno.env.get("OTEL_DENO") === "true") await boundExport(code);
  Deno.exit(code);
}

/** Starts the thread, and waits until it runs. */
async function boundExport(code: number): Promise<void> {
  const source = `(${endLate})(${code}, ${exportMsMax})`;
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(source)}`, {
    type: "module",
  });
  await new Promise((resolve) => worker.onmessage = resolve);
}

/** Runs in the thread, which gets its text: whatever it needs is inside. */
function endLate(code: number, afterMs: number): void {
  const libraries = { linux: "libc.so.6", darwin: "libSystem.dylib", windows: "msvcrt.dll" };
  const library: string | undefined = libraries[Deno.build.os as keyof typeof libraries];
  setTimeout(() => {
    try {
      // Deno.exit would end no more than the thread.
      const symbols = { _exit: { parameters: ["i32"], result: "void" } } as const;
      Deno.dlopen(library, symbols).symbols._exit(code);
    } catch {
      // A system without this library: its process ends all the same, though not with its code.
      Deno.kill(Deno.pid, "SIGKILL");
    }
  }, afterMs);
  (globalThis as unknown as { postMessage(word: string): void }).postMessage("ready");
}
