// Servers as processes: how one is started, killed, and noticed to have ended. None of them outlives the master,
// even if the master is killed: Ovid's own boxes end with their standard input, and any other server runs in a
// process group of its own beside a guardian that kills the group when its standard input ends.

import { RawLines } from "./raw_lines.ts";
import type { Dialect } from "./script.ts";
import { within } from "./wait.ts";

/** A server that is to be started. */
export interface Launch {
  readonly dialect: Dialect;
  /** The server's name as the script has it: a number, or the address of a box. */
  readonly box: string;
  /** How many servers there may be; in the numeric dialect alone. */
  readonly count?: number;
  /** Where the server is to take commands. */
  readonly masterPort: number;
  /** How far the ports of this run are from those that the script and the grid name. */
  readonly portOffset: number;
  /** Where this server keeps its data between its crashes; undefined for where it likes. */
  readonly dataDir?: string;
  /** The grid; in the box dialect alone. */
  readonly gridFile?: string;
  readonly debug: boolean;
}

/** What starts a server. */
export interface LaunchCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Whether the server ends by itself when its standard input does. Any other gets a guardian. */
  readonly supervised: boolean;
}

/** Knows how servers are started. */
export interface Launcher {
  /** @throws {Error} if such a server cannot be. */
  launch(launch: Launch): LaunchCommand;
  /** Called when a run is over and its servers have been killed. */
  finish?(): Promise<void>;
}

/** A server that was started. */
export interface ServerProcess {
  /** How it ended, such as `ended with code 1`; undefined while it may be running. */
  readonly ending: string | undefined;
  /** The end of what it said on standard error, once that has ended or is not waited for any longer. */
  lastWords(): Promise<string>;
  /** Kills it with all that it started, and waits until the system has let it go. */
  kill(): Promise<void>;
}

/** What becomes of a server's output. */
export interface ProcessOptions {
  /** Gets each line that the server prints; undefined to keep only its last words. */
  readonly onLine?: (line: string) => void;
}

const lastWordsBytesMax = 2048;
const outputEndMs = 200;

// The server is started in the background and does not read the pipe. When the shell's `read` ends, so does the
// group. A script that has put its server into the background and returned is told by the 0 from one that failed.
const guardian = (output: "/dev/null" | "&2") =>
  `{ "$@" </dev/null >${output}; echo "$?"; } & exec 2>/dev/null; read -r end; kill -9 0`;

/**
 * Starts a server.
 *
 * @throws {Error} if the command cannot be run.
 */
export function startServer(launch: LaunchCommand, options: ProcessOptions = {}): ServerProcess {
  const { onLine } = options;
  const { supervised } = launch;
  // In a guarded server, standard output carries the guardian's word; the server's own goes to standard error.
  const script = guardian(onLine === undefined ? "/dev/null" : "&2");
  const child = new Deno.Command(supervised ? launch.command : "sh", {
    args: supervised ? [...launch.args] : ["-c", script, "sh", launch.command, ...launch.args],
    env: { ...launch.env },
    ...launch.cwd === undefined ? {} : { cwd: launch.cwd },
    detached: !supervised,
    stdin: "piped",
    stdout: supervised && onLine === undefined ? "null" : "piped",
    stderr: "piped",
  }).spawn();
  return new Running(child, supervised, onLine);
}

class Running implements ServerProcess {
  readonly #child: Deno.ChildProcess;
  readonly #supervised: boolean;
  readonly #ended: Promise<void>;
  readonly #outputs: Output[];
  #gone = false;
  ending: string | undefined;

  constructor(
    child: Deno.ChildProcess,
    supervised: boolean,
    onLine: ((line: string) => void) | undefined,
  ) {
    this.#child = child;
    this.#supervised = supervised;
    this.#outputs = [new Output(child.stderr, onLine)];
    if (!supervised) {
      this.#outputs.push(new Output(child.stdout, (code) => this.#scriptEnded(code)));
    } else if (onLine !== undefined) {
      this.#outputs.push(new Output(child.stdout, onLine));
    }
    this.#ended = child.status.then(({ code, signal }) => {
      this.#gone = true;
      this.ending ??= signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
    });
  }

  async lastWords(): Promise<string> {
    const [errors] = this.#outputs;
    if (errors === undefined) return "";
    await errors.ended();
    return errors.tail().trim();
  }

  async kill(): Promise<void> {
    // Once it is gone its number may be another's.
    if (!this.#gone) {
      try {
        Deno.kill(this.#supervised ? this.#child.pid : -this.#child.pid, "SIGKILL");
      } catch {
        // It is about to be gone.
      }
    }
    await this.#ended;
    await this.#child.stdin.close().catch(() => {});
    await Promise.all(this.#outputs.map((output) => output.close()));
  }

  #scriptEnded(code: string): void {
    if (code !== "0") this.ending ??= `ended with code ${code}`;
  }
}

// One output of a process: its end is kept, its lines are passed on.
class Output {
  readonly #finished: Promise<void>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #onLine: ((line: string) => void) | undefined;
  #tail: Uint8Array = new Uint8Array();

  constructor(
    stream: ReadableStream<Uint8Array>,
    onLine: ((line: string) => void) | undefined,
  ) {
    this.#reader = stream.getReader();
    this.#onLine = onLine;
    this.#finished = this.#read();
  }

  tail(): string {
    return new TextDecoder().decode(this.#tail);
  }

  /** Waits until it has ended, but not for long: who escaped from the group may hold its other end open. */
  async ended(): Promise<void> {
    await within(this.#finished, outputEndMs, new AbortController().signal);
  }

  /** Waits for what is still in it, and ends it. */
  async close(): Promise<void> {
    await this.ended();
    await this.#reader.cancel().catch(() => {});
    await this.#finished;
  }

  async #read(): Promise<void> {
    const lines = new RawLines();
    let passOn = this.#onLine;
    try {
      for (let next = await this.#reader.read(); !next.done; next = await this.#reader.read()) {
        this.#keep(next.value);
        if (passOn === undefined) continue;
        try {
          lines.push(next.value).forEach(passOn);
        } catch {
          // A line without end is not worth passing on, but the server must not be blocked by it.
          passOn = undefined;
        }
      }
    } catch {
      // The pipe is gone, and the server has no more to say.
    }
    const rest = passOn === undefined ? "" : lines.rest();
    if (rest !== "") passOn?.(rest);
  }

  #keep(bytes: Uint8Array): void {
    const both = new Uint8Array(this.#tail.length + bytes.length);
    both.set(this.#tail);
    both.set(bytes, this.#tail.length);
    this.#tail = both.slice(-lastWordsBytesMax);
  }
}
