// The signals that ask a program to end, and the exit codes that go with them.

const codes = { SIGINT: 130, SIGTERM: 143 } as const;

/** Calls `stop` with the exit code of whichever signal comes, until it is disposed. */
export function onStopSignals(stop: (code: number) => void): Disposable {
  // Windows has no SIGTERM to listen to.
  const signals = Deno.build.os === "windows"
    ? ["SIGINT"] as const
    : ["SIGINT", "SIGTERM"] as const;
  const listeners = signals.map((signal) => [signal, () => stop(codes[signal])] as const);
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  return {
    [Symbol.dispose]() {
      for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}
