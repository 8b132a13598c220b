// What tests of real processes share: running the program, waiting for conditions, grids on free ports.

import { fromFileUrl, join } from "@std/path";

const root = fromFileUrl(new URL("../../", import.meta.url));

/** The command line that runs the program, from source. */
export function ovidCommand(args: readonly string[]): { command: string; args: string[] } {
  const run = ["run", "--allow-all", "--quiet", "--no-prompt", "--config", join(root, "deno.json")];
  return { command: Deno.execPath(), args: [...run, join(root, "cli/main.ts"), ...args] };
}

/** A path below the project's folder. */
export function projectPath(...parts: string[]): string {
  return join(root, ...parts);
}

/** What a run of the program came to. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program to its end with `stdin` as its standard input. */
export async function ovid(
  args: readonly string[],
  { stdin = "", cwd = root }: { stdin?: string; cwd?: string } = {},
): Promise<Outcome> {
  const { command, args: all } = ovidCommand(args);
  const process = new Deno.Command(command, {
    args: all,
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  // A program that ends without reading its input breaks the pipe, which is its right.
  const feeding = writer.write(new TextEncoder().encode(stdin)).then(() => writer.close()).catch(
    () => {},
  );
  const { code, stdout, stderr } = await process.output();
  await feeding;
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A running program; disposing it kills it and waits for its end. */
export class Running implements AsyncDisposable {
  readonly process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #readers: Promise<void>[];
  stdout = "";
  stderr = "";

  /** Runs a program of a test's own, which may import what the project exports. */
  static program(file: string, args: readonly string[]): Running {
    const run = ["run", "--allow-all", "--quiet", "--no-prompt", "--no-check"];
    const config = ["--config", join(root, "deno.json")];
    return new Running([], { line: [...run, ...config, file, ...args] });
  }

  constructor(
    args: readonly string[],
    { cwd = root, env = {}, line, command: other }: {
      cwd?: string;
      env?: Record<string, string>;
      /** Arguments of a program other than Ovid's own. */
      line?: readonly string[];
      /** What runs it, if not Deno. */
      command?: string;
    } = {},
  ) {
    const { command, args: all } = ovidCommand(args);
    this.process = new Deno.Command(other ?? command, {
      args: [...line ?? all],
      cwd,
      env: { NO_COLOR: "1", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.process.stdin.getWriter();
    this.#readers = [
      collect(this.process.stdout, (text) => this.stdout += text),
      collect(this.process.stderr, (text) => this.stderr += text),
    ];
  }

  /** Writes to standard input. */
  async type(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  /** Ends standard input. */
  async endInput(): Promise<void> {
    await this.#input.close().catch(() => {});
  }

  /** Sends a signal, if it is still running. */
  kill(signal: Deno.Signal): void {
    try {
      this.process.kill(signal);
    } catch {
      // It has ended meanwhile.
    }
  }

  /** Waits for its end. */
  async end(): Promise<Deno.CommandStatus> {
    const status = await this.process.status;
    await Promise.all(this.#readers);
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.endInput();
    await this.end();
  }
}

async function collect(
  stream: ReadableStream<Uint8Array>,
  add: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  for await (const bytes of stream) add(decoder.decode(bytes, { stream: true }));
}

/** Waits until `condition` gives something, and fails with `what` after the deadline. */
export async function eventually<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 10_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  while (true) {
    const result = await condition();
    if (result !== undefined && result !== false) return result;
    if (performance.now() > deadline) throw new Error(`Not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/**
 * Whether a box had no turn for a second: its links end by the rules then, and a busy machine is as good a reason as any.
 * Whoever looks for disturbed links can say nothing of them.
 */
export function wasStarved(...boxes: readonly Running[]): boolean {
  return boxes.some(({ stderr }) => stderr.includes("it has been silent for too long"));
}

// Below those that systems give to whoever dials: one of these is not taken between its choice and its use.
const portsFrom = 20_000;
const portsUpTo = 32_000;

// Whoever has drawn a port listens later: meanwhile it looks free to grids beside.
const given = new Set<number>();

/** Ports at which nobody listens now, drawn at random, and each only once. */
export function freePorts(count: number): number[] {
  const listeners: Deno.TcpListener[] = [];
  while (listeners.length < count) {
    const port = portsFrom + Math.floor(Math.random() * (portsUpTo - portsFrom));
    if (given.has(port)) continue;
    given.add(port);
    try {
      listeners.push(Deno.listen({ hostname: "127.0.0.1", port }));
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  for (const listener of listeners) listener.close();
  return listeners.map(({ addr }) => (addr as Deno.NetAddr).port);
}

/** Replaces the ports of the boxes in the text of a grid by free ones. */
export function onFreePorts(grid: string): string {
  const boxes = [
    ...new Set(Array.from(grid.matchAll(/"127\.0\.0\.1:(\d+)"/g), (match) => match[1])),
  ];
  const ports = freePorts(boxes.length);
  return grid.replaceAll(
    /"127\.0\.0\.1:(\d+)"/g,
    (_, port) => `"127.0.0.1:${ports[boxes.indexOf(port)]}"`,
  );
}

/** A copy of a folder of the project in a temporary place, its grids on free ports; removed when disposed. */
export class Workspace implements Disposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "ovid-test-" });

  /** Copies the files of a folder of the project, not those of its subfolders. */
  copy(...from: string[]): this {
    const source = projectPath(...from);
    for (const entry of Deno.readDirSync(source)) {
      if (!entry.isFile) continue;
      const target = join(this.path, entry.name);
      if (entry.name.endsWith(".json")) {
        Deno.writeTextFileSync(
          target,
          onFreePorts(Deno.readTextFileSync(join(source, entry.name))),
        );
      } else {
        Deno.copyFileSync(join(source, entry.name), target);
      }
    }
    return this;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** A conversation with a line protocol over TCP: masters' ports, and boxes' ports in hostile tests. */
export class LineClient implements Disposable {
  readonly #connection: Deno.TcpConn;
  #received = "";
  #closed = false;
  readonly #reading: Promise<void>;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.#reading = this.#read();
  }

  static async connect(port: number): Promise<LineClient> {
    return new LineClient(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Whether the other end has closed. */
  get closed(): boolean {
    return this.#closed;
  }

  async send(text: string | Uint8Array): Promise<void> {
    let bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    while (bytes.length > 0) bytes = bytes.subarray(await this.#connection.write(bytes));
  }

  /** The next line that came, without its line feed. */
  async line(withinMs = 5000): Promise<string> {
    return await eventually("a line from the other end", () => {
      const end = this.#received.indexOf("\n");
      if (end < 0) {
        if (this.#closed) throw new Error("The other end closed");
        return undefined;
      }
      const line = this.#received.slice(0, end);
      this.#received = this.#received.slice(end + 1);
      return { line };
    }, withinMs).then(({ line }) => line);
  }

  async ask(command: string): Promise<string> {
    await this.send(`${command}\n`);
    return await this.line();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(65536);
    try {
      while (true) {
        const count = await this.#connection.read(buffer);
        if (count === null) break;
        this.#received += decoder.decode(buffer.subarray(0, count), { stream: true });
      }
    } catch {
      // Closed by either end.
    }
    this.#closed = true;
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch {
      // Closed already.
    }
    this.#reading.catch(() => {});
  }
}
