// The servers that a master has started: which can be started, which are running, and that none is left behind.

import { readBox } from "../core/config/address.ts";
import { oneOf, quote } from "../core/config/wording.ts";
import { pause } from "../transport/pause.ts";
import { accepts } from "./conversation.ts";
import { type Launcher, startServer } from "./process.ts";
import { type Check, crashMsMax, unsatisfied } from "./readiness.ts";
import type { Dialect, StartCommand } from "./script.ts";
import { Server } from "./server.ts";

/** How servers are started. */
export interface FleetOptions {
  readonly dialect: Dialect;
  readonly launcher: Launcher;
  /** Writes a line of standard error. */
  readonly note: (line: string) => void;
  /** The grid file, and the canonical names of its boxes; in the box dialect alone. */
  readonly gridFile?: string;
  readonly boxes?: readonly string[];
  /** The folder for the data of this run; undefined for where each server keeps its own. */
  readonly dataDir?: string;
  /** Added to the ports that the script names. */
  readonly portOffset?: number;
  /** Shows what servers print. */
  readonly debug?: boolean;
}

/** A line of a server that the script is to see, and whether it is an answer. */
export type LineListener = (server: string, line: string, isAnswer: boolean) => void;

const unsafeInFileNames = /[^\w.-]/g;
const portMax = 65535;

/** The servers of one run. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #onLine: LineListener;
  // By their names as the script spells them, as the original had it.
  readonly #servers = new Map<string, Server>();

  constructor(options: FleetOptions, onLine: LineListener) {
    this.#options = options;
    this.#onLine = onLine;
  }

  get(name: string): Server | undefined {
    return this.#servers.get(name);
  }

  /** All that were started, the restarted ones once, in the order of their first start. */
  get all(): Server[] {
    return [...this.#servers.values()];
  }

  /** What a server is called in errors. */
  title(name: string): string {
    return `${this.#options.dialect === "numeric" ? "Server" : "Box"} ${name}`;
  }

  /** Why there is no server of this name. */
  unknown(name: string): string {
    const canonical = this.#canonical(name);
    const other = this.all.find((each) => each.canonical === canonical);
    return `${this.title(name)} was never started` +
      (other === undefined ? "" : ` under this name, but as ${other.name}`);
  }

  /**
   * Starts the process of a server, which may take its time until it can be reached.
   *
   * @throws {Error} if there cannot be such a server, or not now.
   */
  async start(command: StartCommand, over: AbortSignal): Promise<Server> {
    const { box: name } = command;
    const { debug, note } = this.#options;
    const title = this.title(name);
    const canonical = this.#canonical(name);
    const port = command.port === undefined
      ? freePort()
      : command.port + (this.#options.portOffset ?? 0);
    const why = this.#whyNever(canonical, port) ?? await this.#whyNotNow(canonical, port);
    if (why !== undefined) throw new Error(`Cannot start ${title}: ${why}`);
    const before = this.#servers.get(name);
    await before?.kill();
    const launch = this.#options.launcher.launch(this.#launchOf(command, canonical, port));
    // Others may take as long as this to notice a crash. Some that list a server no longer still die of its return.
    if (!launch.supervised && before?.crashedAt !== undefined) {
      await pause(before.crashedAt + crashMsMax - performance.now(), over);
    }
    const process = startServer(
      launch,
      debug ? { onLine: (line) => note(`${name} | ${line}`) } : {},
    );
    const server = new Server({
      name,
      canonical,
      port,
      process,
      onLine: (line, isAnswer) => this.#onLine(name, line, isAnswer),
      note: (text) => note(`${title} ${text}`),
    });
    this.#servers.set(name, server);
    if (command.port === undefined) note(`${title} takes commands on port ${port}`);
    return server;
  }

  /** Waits until all running servers call each other alive. Those that did not, and whom they were to call alive. */
  async untilLinked(
    deadline: number,
    signal: AbortSignal,
  ): Promise<{ late: readonly Server[]; wanted: readonly string[] }> {
    const running = this.#running();
    const wanted = running.map(({ canonical }) => canonical);
    const late = await unsatisfied(running, {
      ...this.#check(deadline, signal),
      satisfied: (alive) => wanted.every((name) => alive.has(name)),
    });
    return { late, wanted };
  }

  /** Waits until no running server calls `gone` alive. Those that did to the end. */
  async untilUnlinked(gone: Server, deadline: number, signal: AbortSignal): Promise<Server[]> {
    return await unsatisfied(this.#running(), {
      ...this.#check(deadline, signal),
      satisfied: (alive) => !alive.has(gone.canonical),
    });
  }

  /** Ends all servers. What was wrong about it. */
  async end(): Promise<string[]> {
    const signal = new AbortController().signal;
    const faults: string[] = [];
    for (const server of this.#silenced()) {
      if (!await accepts(server.port)) continue;
      faults.push(
        `${
          this.title(server.name)
        } accepts connections on port ${server.port} again, after its crash`,
      );
    }
    await Promise.all(this.all.map((server) => server.kill()));
    await this.#options.launcher.finish?.();
    const deadline = performance.now() + crashMsMax;
    await Promise.all(this.all.map(async (server) => {
      if (await server.silent(deadline, signal)) return;
      faults.push(
        `${this.title(server.name)} was left behind: port ${server.port} still accepts connections`,
      );
    }));
    return faults;
  }

  /** The crashed ones whose ports must be silent by now. */
  #silenced(): Server[] {
    const ports = new Set(
      this.all.filter(({ crashedAt }) => crashedAt === undefined).map(({ port }) => port),
    );
    return this.all.filter((each) =>
      each.crashedAt !== undefined && !each.survived && !ports.has(each.port)
    );
  }

  #running(): Server[] {
    return this.all.filter(({ conversation }) => conversation !== undefined);
  }

  #canonical(name: string): string {
    if (this.#options.dialect === "box") return readBox(name).box ?? name;
    return /^\d+$/.test(name) ? String(Number(name)) : name;
  }

  #check(deadline: number, signal: AbortSignal): Omit<Check, "satisfied"> {
    return { deadline, signal, canonical: (name) => this.#canonical(name) };
  }

  #launchOf({ box, count }: StartCommand, canonical: string, masterPort: number) {
    const { dialect, gridFile, dataDir, portOffset = 0, debug = false } = this.#options;
    return {
      dialect,
      box,
      masterPort,
      portOffset,
      debug,
      ...count === undefined ? {} : { count },
      ...gridFile === undefined ? {} : { gridFile },
      ...dataDir === undefined
        ? {}
        : { dataDir: `${dataDir}/${canonical.replaceAll(unsafeInFileNames, "_")}` },
    };
  }

  #whyNever(canonical: string, port: number): string | undefined {
    const { boxes } = this.#options;
    if (boxes !== undefined && !boxes.includes(canonical)) {
      return `${quote(canonical)} is not in the grid, want ${oneOf(boxes)}`;
    }
    return port > portMax ? `its port would be ${port}, want at most ${portMax}` : undefined;
  }

  async #whyNotNow(canonical: string, port: number): Promise<string | undefined> {
    for (const other of this.all) {
      if (other.crashedAt !== undefined || (other.canonical !== canonical && other.port !== port)) {
        continue;
      }
      if (other.conversation === undefined && !await accepts(other.port)) continue;
      return other.canonical === canonical
        ? "it is already running"
        : `port ${port} belongs to ${this.title(other.name)}`;
    }
    if (!await accepts(port)) return undefined;
    const survivor = this.all.find((each) => each.crashedAt !== undefined && each.port === port);
    return survivor === undefined
      ? `another program accepts connections on port ${port}`
      : `port ${port} accepts connections in spite of the crash of ${this.title(survivor.name)}`;
  }
}

// The port may be taken by another program before the server takes it, but the system gives a port again only
// after it has given the others.
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
