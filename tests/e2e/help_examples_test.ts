// Runs every example of every command's help, as a shell would, in a folder of its own that has the project's examples.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, join } from "@std/path";
import type { CommandExample } from "../../cli/command.ts";
import { commands } from "../../cli/commands.ts";
import { eventually, freePorts, ovidCommand, projectPath } from "./support.ts";

/** How long an example may take before it is killed, and has failed. */
const endMsMax = 300_000;

/** What stands for lines that take minutes, or use fixed ports or the project's own folder by default. */
const adapted: Readonly<Record<string, (port: () => number) => string>> = {
  "ovid bench": () => "ovid bench --rounds 1",
  "ovid bench scale --svg scale.svg": () => "ovid bench scale --rounds 1 --svg scale.svg",
  "ovid box": () => "ovid box examples/kvs/grid.json",
  "ovid chatroom 0 3 10000": (port) => `ovid chatroom 0 3 ${port()} --base-port ${port()}`,
};

/** A folder in which the lines of examples can be run, all on free ports. */
class Shell implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "ovid-help-" });
  readonly #ports = new Map<string, number>();
  readonly #fresh = new Set<number>();

  constructor() {
    copyTree(projectPath("examples"), join(this.path, "examples"));
    const originals = "tests/conformance/goovid/chatroom";
    copyTree(projectPath(originals), join(this.path, originals));
    for (const end of ["input", "output"]) {
      this.#write(
        `my_tests/alive.${end}`,
        Deno.readTextFileSync(projectPath(`${originals}/alive.${end}`)),
      );
    }
    const { command, args } = ovidCommand([]);
    const quoted = [command, ...args].map((word) => `'${word}'`).join(" ");
    this.#write("bin/ovid", `#!/bin/sh\nexec ${quoted} "$@"\n`, 0o755);
    this.#write("process", '#!/bin/sh\nexec ovid chatroom "$@"\n', 0o755);
    this.#write("backup.sh", "#!/bin/sh\necho saved\n", 0o755);
    for (const box of ["a", "b"]) {
      this.#write(`.ovid/paxos/${box}/files/tmp/replica.output`, "one\ntwo\n");
    }
  }

  /** Starts a line. */
  start(line: string): Started {
    this.#freshenGrids(this.path);
    const here = adapted[line]?.(() => this.#fresher()) ?? this.#freshen(line);
    return new Started(here, this.path);
  }

  #write(name: string, text: string, mode = 0o644): void {
    const file = join(this.path, name);
    Deno.mkdirSync(dirname(file), { recursive: true });
    Deno.writeTextFileSync(file, text, { mode });
  }

  // Grids also come about as examples run.
  #freshenGrids(folder: string): void {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      const path = join(folder, name);
      if (isDirectory) this.#freshenGrids(path);
      else if (name.endsWith(".json")) {
        const text = Deno.readTextFileSync(path);
        const fresh = this.#freshen(text);
        // A file that is written is empty for a moment, and boxes that start may be reading it.
        if (fresh !== text) Deno.writeTextFileSync(path, fresh);
      }
    }
  }

  #freshen(text: string): string {
    return text.replaceAll(/(127\.0\.0\.1:|--port )(\d+)/g, (all, before, port) => {
      if (this.#fresh.has(Number(port))) return all;
      const fresh = this.#ports.get(port) ?? this.#fresher();
      this.#ports.set(port, fresh);
      return `${before}${fresh}`;
    });
  }

  #fresher(): number {
    const [port = 0] = freePorts(1);
    if (this.#fresh.has(port)) return this.#fresher();
    this.#fresh.add(port);
    return port;
  }

  /** A line of the help, or of input, with the ports that it has here. */
  typed(line: string): string {
    return this.#freshen(line);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

function copyTree(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const { name, isDirectory, isFile } of Deno.readDirSync(from)) {
    if (isDirectory && name !== ".ovid") copyTree(join(from, name), join(to, name));
    else if (isFile) Deno.copyFileSync(join(from, name), join(to, name));
  }
}

/** A line that runs. */
class Started implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<unknown>;
  readonly #limit: ReturnType<typeof setTimeout>;
  printed = "";
  #ended = false;
  #late = false;

  constructor(line: string, cwd: string) {
    // The shell becomes the program where it can, so that a signal reaches it.
    const shell = new Deno.Command("bash", {
      args: ["-c", /^ovid [^<>*]*$/.test(line) ? `exec ${line}` : line],
      cwd,
      env: { NO_COLOR: "1", PATH: `${join(cwd, "bin")}:${Deno.env.get("PATH")}` },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    });
    this.#process = shell.spawn();
    this.#process.status.then(() => this.#ended = true);
    this.#input = this.#process.stdin.getWriter();
    this.#reading = Promise.all(
      [this.#process.stdout, this.#process.stderr].map(async (stream) => {
        for await (const text of stream.pipeThrough(new TextDecoderStream())) this.printed += text;
      }),
    );
    this.#limit = setTimeout(() => {
      this.#late = true;
      this.signal("SIGKILL");
    }, endMsMax);
  }

  /** Types lines, and ends the input. */
  async type(lines: readonly string[]): Promise<void> {
    const text = lines.map((line) => `${line}\n`).join("");
    // A program that has ended takes no more, which is its right.
    await this.#input.write(new TextEncoder().encode(text)).catch(() => {});
    await this.#input.close().catch(() => {});
  }

  /** Waits until it has printed `text`. */
  async prints(text: string): Promise<void> {
    await eventually(`${JSON.stringify(text)} printed`, () => {
      if (this.printed.includes(text)) return true;
      if (this.#ended) throw new Error(`It ended before it printed ${text}:\n${this.printed}`);
      return false;
    }, endMsMax);
  }

  signal(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch {
      // It has ended meanwhile.
    }
  }

  /** Waits for its end; the exit code. */
  async end(): Promise<number> {
    const { code } = await this.#process.status;
    await this.#reading;
    clearTimeout(this.#limit);
    assert(!this.#late, `It did not end within ${endMsMax} ms:\n${this.printed}`);
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGTERM");
    await this.type([]);
    await this.end();
  }
}

async function run(example: CommandExample): Promise<void> {
  const { line, input = [], after = [], beside = [], serves, code = 0 } = example;
  using shell = new Shell();
  await using stack = new AsyncDisposableStack();
  for (const other of beside) await stack.use(shell.start(other)).prints("up, seed");
  for (const earlier of after) {
    await using process = shell.start(earlier);
    await process.type([]);
    assertEquals(await process.end(), 0, `${earlier}\n${process.printed}`);
  }
  await using process = shell.start(line);
  if (serves !== undefined) {
    await process.prints(serves);
    process.signal("SIGTERM");
    // As shells have it: 128 and the number of the signal.
    assertEquals(await process.end(), 143, process.printed);
    return;
  }
  await process.type(input.map((typed) => shell.typed(typed)));
  const ended = await process.end();
  assert([code].flat().includes(ended), `exit code ${ended}, want ${code}: ${process.printed}`);
  assertEquals(process.printed.includes("Unknown"), false, process.printed);
}

for (const entry of commands) {
  const { name, examples } = await entry.load();
  Deno.test(`ovid help ${name} has examples of itself`, () => {
    assert(examples.length > 0);
    assertStringIncludes(examples.map(({ line }) => line).join("\n"), `ovid ${name}`);
  });
  for (const example of examples) {
    Deno.test(`ovid help ${name}: ${example.line}`, () => run(example));
  }
}

Deno.test("an example that fails, does not serve or prints something else is noticed", async () => {
  const failing: CommandExample[] = [
    { line: "ovid check nowhere.json", doc: "" },
    { line: "ovid help", doc: "", serves: "what it never prints" },
    { line: "ovid help", doc: "", code: 1 },
    { line: "ovid help", doc: "", after: ["ovid chek"] },
  ];
  for (const example of failing) {
    const failed = await run(example).then(() => false, () => true);
    assert(failed, JSON.stringify(example));
  }
});
