// What the tests of the master share: folders of scripts, fake servers to run them on, and ports for them.

import { fromFileUrl, join } from "@std/path";
import { Master, type MasterOptions, type Outcome } from "../../master/master.ts";
import type { Launcher } from "../../master/process.ts";

/** How a fake server behaves; `own` ends with its standard input. */
export type Mode =
  | "own"
  | "correct"
  | "hang"
  | "hang-up"
  | "late"
  | "garbage"
  | "exit"
  | "escape"
  | "respawn"
  | "slow";

const fakeServer = fromFileUrl(new URL("./fake_server.ts", import.meta.url));

function fakeArgs(mode: Mode, basePort: number): string[] {
  return ["run", "-A", "-q", "--no-config", fakeServer, mode, String(basePort)];
}

// Scripts fix their ports, so they must be known before the servers take them. Whoever holds the first port of a
// region has the rest of it, as long as its process lives: test runs at the same time do not meet. All are below
// the ports that the system gives away.
const regionPorts = 500;
const regions = 40;
// Above the ports of the original's own scripts.
const firstRegion = 11_000;

function claimRegion(): number {
  const random = Math.floor(Math.random() * regions);
  for (let tries = 0; tries < regions; tries++) {
    const first = firstRegion + ((random + tries) % regions) * regionPorts;
    try {
      Deno.listen({ hostname: "127.0.0.1", port: first }).unref();
      return first;
    } catch {
      // Somebody has it.
    }
  }
  throw new Error("Cannot find a region of ports");
}

const region = claimRegion();
let lastPort = region;

/** The first of `count` ports in a row that nobody had a moment ago, and that no recent test used. */
export function freePorts(count: number): number {
  for (let tries = 0; tries < 100; tries++) {
    if (lastPort + count >= region + regionPorts) lastPort = region;
    const first = lastPort + 1;
    lastPort += count;
    const listeners: Deno.TcpListener[] = [];
    try {
      for (let port = first; port < first + count; port++) {
        listeners.push(Deno.listen({ hostname: "127.0.0.1", port }));
      }
      return first;
    } catch {
      // One is taken.
    } finally {
      for (const listener of listeners) listener.close();
    }
  }
  throw new Error(`Cannot find ${count} free ports in a row`);
}

/** Starts fake servers as a master starts its own boxes. */
export function ownLauncher(mode: Mode = "own", basePort: number = freePorts(8)): Launcher {
  return {
    launch: ({ dialect, box, count, masterPort, gridFile = "" }) => ({
      command: Deno.execPath(),
      args: [
        ...fakeArgs(mode, basePort),
        ...dialect === "numeric"
          ? [box, String(count), String(masterPort)]
          : [gridFile, box, String(masterPort)],
      ],
      supervised: true,
    }),
  };
}

/** What a master said and came to. */
export interface Ran extends Outcome {
  readonly out: readonly string[];
  readonly notes: readonly string[];
}

/** Runs a script with fake servers of the master's own. */
export async function runScript(
  script: string,
  options: Partial<MasterOptions> = {},
): Promise<Ran> {
  const out: string[] = [];
  const notes: string[] = [];
  const master = new Master({
    dialect: "numeric",
    launcher: ownLauncher(),
    timeoutMs: 20_000,
    out: (line) => out.push(line),
    note: (line) => notes.push(line),
    ...options,
  });
  return { ...await master.run(ReadableStream.from(script.split("\n"))), out, notes };
}

/** A temporary folder, removed when disposed. */
export class Folder implements Disposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "ovid-test-" });

  /** The path of a file in it. */
  file(name: string): string {
    return join(this.path, name);
  }

  /** Writes files, and the folders that they are in. */
  write(files: Readonly<Record<string, string>>): this {
    for (const [name, text] of Object.entries(files)) {
      Deno.mkdirSync(join(this.path, name, ".."), { recursive: true });
      Deno.writeTextFileSync(this.file(name), text);
    }
    return this;
  }

  /** Writes `process`, which starts a fake server in the background and returns, as the original's did. */
  writeProcess(mode: Mode, basePort: number = freePorts(8)): string {
    const words = [Deno.execPath(), ...fakeArgs(mode, basePort)].map((word) => `'${word}'`);
    // One that exits at once is run in the foreground, so that both ways are tried.
    const end = mode === "exit" ? "" : " &";
    this.write({ process: `#!/bin/sh\n${words.join(" ")} "$@"${end}\n` });
    Deno.chmodSync(this.file("process"), 0o755);
    return this.file("process");
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Waits until `condition` holds, and fails with `what` after the deadline. */
export async function eventually(
  what: string,
  condition: () => Promise<boolean>,
  withinMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!await condition()) {
    if (performance.now() > deadline) throw new Error(`Not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
