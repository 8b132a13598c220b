// The first start of an executable that unpacks itself: wherever it can, and not where it must not.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { basename, join } from "@std/path";
import {
  binary,
  eventually,
  makeFolder,
  ovid,
  readHead,
  run,
  scratch,
  start,
  unpacks,
  warm,
} from "./support.ts";

const isRoot = Deno.uid() === 0;
const nobody = 65534;
const ignore = !unpacks;

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}

/** The one folder that was unpacked below `cache`, and nothing beside it. */
async function unpacked(cache: string): Promise<string> {
  const found = await names(cache);
  assertEquals(found.length, 1, found.join(" "));
  return join(cache, found[0] ?? "");
}

async function assertStarts(env: Readonly<Record<string, string>>, uid?: number): Promise<void> {
  const { code, stdout, stderr } = await ovid(["--version"], {
    env,
    ...uid === undefined ? {} : { uid },
  });
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^ovid \d+\.\d+\.\d+\n$/);
}

async function assertRefuses(
  env: Readonly<Record<string, string>>,
  reason: RegExp,
  command: readonly string[] = [binary],
): Promise<void> {
  const [program = "", ...args] = command;
  const { code, stdout, stderr } = await run(program, [...args, "--version"], { env });
  assertEquals([code, stdout], [126, ""], stderr);
  assertMatch(stderr, /^ovid: Cannot unpack itself, want a folder for it in OVID_CACHE:\n {2}\//);
  assertMatch(stderr, reason);
}

Deno.test({
  name: "a first start without home and path unpacks once, for its user alone",
  ignore,
  async fn() {
    const TMPDIR = await makeFolder();
    // What lies about leads nobody astray.
    for (const name of ["deno.json", "package.json"]) {
      await Deno.writeTextFile(join(scratch, name), "{ neither JSON");
    }
    await assertStarts({ TMPDIR });
    for (const name of ["deno.json", "package.json"]) await Deno.remove(join(scratch, name));
    const cache = join(TMPDIR, `ovid-${Deno.uid()}`);
    assertEquals((await Deno.stat(cache)).mode ?? 0 & 0o777, 0o40700);
    const folder = await unpacked(cache);
    const { ino, mtime } = await Deno.stat(join(folder, "ovid"));
    await assertStarts({ TMPDIR });
    const again = await Deno.stat(join(await unpacked(cache), "ovid"));
    assertEquals([again.ino, again.mtime], [ino, mtime]);
    assertEquals(await names(TMPDIR), [`ovid-${Deno.uid()}`]);
  },
});

Deno.test({
  name: "a first start unpacks below the home",
  ignore,
  async fn() {
    const HOME = await makeFolder();
    await assertStarts({ HOME, PATH: "/nonexistent" });
    assertEquals(await names(HOME), [".cache"]);
    await unpacked(join(HOME, ".cache", "ovid"));
  },
});

Deno.test({
  name: "a home that is read-only, no folder or somebody else's is passed over",
  ignore,
  async fn() {
    const TMPDIR = await makeFolder();
    const HOME = await makeFolder();
    if (isRoot) {
      // What root made is read-only for nobody.
      await Deno.chmod(TMPDIR, 0o777);
      await assertStarts({ HOME, TMPDIR }, nobody);
      await unpacked(join(TMPDIR, `ovid-${nobody}`));
      // And root runs nothing that others could have changed.
      await Deno.mkdir(join(HOME, ".cache", "ovid"), { recursive: true });
      await Deno.chown(join(HOME, ".cache", "ovid"), nobody, nobody);
    } else await Deno.chmod(HOME, 0o555);
    await assertStarts({ HOME, TMPDIR });
    await unpacked(join(TMPDIR, `ovid-${Deno.uid()}`));
    // None of these is made, either.
    const absent = join(TMPDIR, "absent");
    for (const HOME of ["/dev/null", absent, ""]) await assertStarts({ HOME, TMPDIR });
    assert(!(await names(TMPDIR)).includes("absent"));
  },
});

Deno.test({
  name: "a folder in /tmp that somebody else has made is not used",
  ignore,
  async fn() {
    const TMPDIR = await makeFolder();
    const theirs = await makeFolder();
    const trap = join(TMPDIR, `ovid-${Deno.uid()}`);
    await Deno.symlink(theirs, trap);
    await assertRefuses({ TMPDIR }, /ovid-\d+: belongs to somebody else/);
    assertEquals(await names(theirs), []);
    if (!isRoot) return;
    // What stands ready in it must not run.
    await assertStarts(warm);
    const real = await unpacked(warm.OVID_CACHE);
    await Deno.remove(trap);
    const folder = join(trap, basename(real));
    await Deno.mkdir(join(folder, "lib"), { recursive: true });
    for (const name of await names(join(real, "lib"))) {
      await Deno.writeTextFile(join(folder, "lib", name), "");
    }
    await Deno.writeTextFile(join(folder, "ovid"), "#!/bin/sh\necho stolen\n", { mode: 0o755 });
    const { stdout } = await ovid(["--version"], { env: { OVID_CACHE: trap } });
    assertEquals(stdout, "stolen\n", "the trap is well made");
    for (const path of [trap, folder]) await Deno.chown(path, nobody, nobody);
    await assertRefuses({ TMPDIR }, /ovid-0: belongs to somebody else/);
  },
});

Deno.test({
  name: "eight first starts at once leave one folder, and what was removed of it comes back",
  ignore,
  async fn() {
    const OVID_CACHE = join(await makeFolder(), "a", "b c");
    await Promise.all(Array.from({ length: 8 }, () => assertStarts({ OVID_CACHE })));
    const folder = await unpacked(OVID_CACHE);
    // Cleaners of /tmp take files one by one.
    const chunks = (await names(join(folder, "lib"))).filter((name) => name.startsWith("chunk"));
    const [chunk] = chunks;
    assert(chunk !== undefined);
    await Deno.remove(join(folder, "lib", chunk));
    await assertStarts({ OVID_CACHE });
    assert((await names(join(folder, "lib"))).includes(chunk));
    assertEquals(await names(folder), ["deno", "lib", "ovid"]);
    await unpacked(OVID_CACHE);
  },
});

Deno.test({
  name: "a full disk is an error that says so, and leaves nothing",
  ignore,
  async fn() {
    const OVID_CACHE = await makeFolder();
    const limited = ["/bin/sh", "-c", 'ulimit -f 20000; exec "$0" "$@"', binary];
    await assertRefuses({ OVID_CACHE }, /no room for \d+ MB/, limited);
    assertEquals(await names(OVID_CACHE), []);
  },
});

Deno.test({
  name: "a full file system is an error that says so, and leaves nothing",
  // A small file system of one's own takes a name space of mounts, which not every machine gives.
  ignore: ignore || !await mayMount(),
  async fn() {
    const OVID_CACHE = await makeFolder();
    const script = 'mount -t tmpfs -o size=20m none "$0" && "$@"; code=$?; ls "$0"; exit "$code"';
    const mounted = ["--mount", "/bin/sh", "-c", script, OVID_CACHE, binary];
    await assertRefuses({ OVID_CACHE }, /no room for \d+ MB.*[Nn]o space left/, [
      "/usr/bin/unshare",
      ...mounted,
    ]);
  },
});

async function mayMount(): Promise<boolean> {
  if (!isRoot || Deno.build.os !== "linux") return false;
  const folder = await makeFolder();
  const args = ["--mount", "mount", "-t", "tmpfs", "none", folder];
  return await run("/usr/bin/unshare", args, { env: { PATH: "/usr/bin:/bin" } })
    .then(({ code }) => code === 0, () => false);
}

Deno.test({
  name: "a first start that is ended by a signal ends with its code, and leaves nothing",
  ignore,
  async fn() {
    const OVID_CACHE = await makeFolder();
    const tools = await makeFolder();
    // Unpacking takes a while, and would fail.
    const reached = join(tools, "reached");
    const slow = `#!/bin/sh\n: >"${reached}"\nsleep 1\nexit 1\n`;
    await Deno.writeTextFile(join(tools, "gzip"), slow, { mode: 0o755 });
    const child = start(binary, ["--version"], { env: { OVID_CACHE, PATH: tools } });
    await eventually("gzip runs", () => Deno.stat(reached).then(() => true, () => false));
    child.kill("SIGTERM");
    await child.stdin.close();
    const { code, signal } = await child.output();
    assertEquals([code, signal], [143, null]);
    assertEquals(await names(OVID_CACHE), []);
  },
});

Deno.test({
  name: "half of the executable is an error that says so",
  ignore,
  async fn() {
    const OVID_CACHE = await makeFolder();
    const half = join(await makeFolder(), "ovid");
    await Deno.writeFile(half, await readHead((await Deno.stat(binary)).size >> 1), {
      mode: 0o755,
    });
    await assertRefuses({ OVID_CACHE }, /is damaged: .*unexpected end of file/, [half]);
    assertEquals(await names(OVID_CACHE), []);
  },
});
