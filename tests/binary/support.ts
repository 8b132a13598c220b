// What the tests of the executable share. They use only the built file, in an environment that is otherwise empty:
// nothing of the project's sources is imported. OVID_BINARY names an executable that was built before; without it
// one is built, once, in a temporary folder.

import { fromFileUrl, join, resolve } from "@std/path";

const root = fromFileUrl(new URL("../../", import.meta.url));

/** Everything that the tests write, and removed at their end. Others than its owner may come in, to be refused. */
export const scratch: string = await Deno.makeTempDir({ prefix: "ovid-binary-" });
await Deno.chmod(scratch, 0o755);

const given = Deno.env.get("OVID_BINARY");

/** The executable. */
export const binary: string = given === undefined ? join(scratch, "ovid") : resolve(given);

/** What was said when it was made; undefined if it was there before. */
export const making: string | undefined = given === undefined ? await build() : undefined;

/** Whether it unpacks itself; one made by `deno compile` does not. */
export const unpacks: boolean = new TextDecoder().decode(await readHead(2)) === "#!";

/** Marks every process of these tests, so that one that is left behind is found. */
const mark = `OVID_TEST_RUN=${crypto.randomUUID()}`;

// Any program stands for the base of `deno compile`: what comes out is not Ovid, so that it is made to unpack itself,
// as it can be everywhere.
async function build(): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "compile", "--level", "1", "--out", binary],
    cwd: root,
    env: { NO_COLOR: "1", DENORT_BIN: "/bin/echo" },
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr));
  return decoder.decode(stdout);
}

/** The first bytes of the executable. */
export async function readHead(count: number): Promise<Uint8Array> {
  using file = await Deno.open(binary);
  const bytes = new Uint8Array(count);
  await file.read(bytes);
  return bytes;
}

let folders: string[] = [];

/** A new folder for one test. */
export async function makeFolder(): Promise<string> {
  const folder = await Deno.makeTempDir({ dir: scratch });
  folders.push(folder);
  await Deno.chmod(folder, 0o755);
  return folder;
}

/** Removes the folders of a test: what was unpacked in each is large. */
export async function removeFolders(): Promise<void> {
  for (const folder of folders) await Deno.remove(folder, { recursive: true });
  folders = [];
}

/** A path below the project's folder. */
export function projectPath(...parts: string[]): string {
  return join(root, ...parts);
}

/** How a command is run. */
export interface RunOptions {
  readonly cwd?: string;
  /** The whole environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** As whom; wants to be root. */
  readonly uid?: number;
  /** Whether it leads a session and a process group of its own. */
  readonly detached?: boolean;
}

/** What a run came to. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder where the executable has unpacked itself before. */
export const warm = { OVID_CACHE: join(scratch, "warm"), NO_COLOR: "1" };

/** Starts a command with nothing in its environment but what `options` say. */
export function start(command: string, args: readonly string[], options: RunOptions = {}) {
  const { cwd = scratch, env = warm, uid, detached = false } = options;
  const [name = "", value = ""] = mark.split("=");
  return new Deno.Command(command, {
    args: [...args],
    cwd,
    detached,
    clearEnv: true,
    env: { ...env, [name]: value },
    ...uid === undefined ? {} : { uid, gid: uid },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs a command to its end. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  const child = start(command, args, options);
  const input = child.stdin.getWriter();
  // One that ends without reading its input breaks the pipe, which is its right.
  const feeding = input.write(new TextEncoder().encode(options.stdin)).then(() => input.close())
    .catch(() => {});
  const { code, stdout, stderr } = await child.output();
  await feeding;
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs the executable to its end. */
export async function ovid(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return await run(binary, args, options);
}

/** Waits until `condition` gives something, and fails with `what` after the deadline. */
export async function eventually<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  while (true) {
    const result = await condition();
    if (result !== undefined && result !== false) return result;
    if (performance.now() > deadline) throw new Error(`Not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Ports that were free a moment ago, all different. */
export function freePorts(count: number): number[] {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  return listeners.map((listener) => {
    listener.close();
    return (listener.addr as Deno.NetAddr).port;
  });
}

/** How far to move `ports` so that all are free, and below those that the system gives away. */
export function freeOffset(ports: readonly number[]): number {
  for (let tries = 0; tries < 1000; tries++) {
    const offset = 1000 + Math.floor(Math.random() * (31_000 - Math.max(...ports)));
    const listeners: Deno.TcpListener[] = [];
    try {
      for (const port of ports) {
        listeners.push(Deno.listen({ hostname: "127.0.0.1", port: port + offset }));
      }
      return offset;
    } catch {
      // Somebody has one of them.
    } finally {
      for (const listener of listeners) listener.close();
    }
  }
  throw new Error("Cannot find ports that are free");
}

/** Copies files of a folder of the project, its grids on free ports. */
export async function copyExample(folder: string, ...from: string[]): Promise<void> {
  for await (const { name, isFile } of Deno.readDir(projectPath(...from))) {
    if (!isFile) continue;
    let text = await Deno.readTextFile(projectPath(...from, name));
    if (name.endsWith(".json")) {
      const boxes = [...new Set(text.match(/127\.0\.0\.1:\d+/g))];
      const ports = freePorts(boxes.length);
      text = text.replaceAll(
        /127\.0\.0\.1:\d+/g,
        (box) => `127.0.0.1:${ports[boxes.indexOf(box)]}`,
      );
    }
    await Deno.writeTextFile(join(folder, name), text);
  }
}

/** A process of these tests. */
export interface Process {
  readonly pid: number;
  readonly command: string;
}

/** The processes of these tests that are running, where the system shows environments as files. */
export async function leftBehind(): Promise<Process[]> {
  const found: Process[] = [];
  if (Deno.build.os !== "linux") return found;
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const read = (file: string) => Deno.readTextFile(`/proc/${name}/${file}`).catch(() => "");
    if (!(await read("environ")).split("\0").includes(mark)) continue;
    found.push({ pid: Number(name), command: (await read("cmdline")).replaceAll("\0", " ") });
  }
  return found;
}
