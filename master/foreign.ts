// Servers of others, in any language, through the original's contract: `./process <id> <n> <port>` or
// `./process <config> <box> <port>` starts one, and `./stopall` in the same folder, if it is there, stops them all.

import { basename, dirname, join, resolve } from "@std/path";
import type { Launcher } from "./process.ts";
import { within } from "./wait.ts";

// A server may leave its process group, but hardly its environment.
const runVariable = "OVID_MASTER_RUN";
const stopAllMsMax = 5000;
const sweepsMax = 10;

/**
 * A launcher that starts servers by the script `processFile`, in its folder.
 *
 * @example
 * ```ts ignore
 * const report = await gradeFolder("tests", { launcher: foreignLauncher("./process") });
 * ```
 */
export function foreignLauncher(processFile: string): Launcher {
  const file = resolve(processFile);
  const folder = dirname(file);
  const mark = crypto.randomUUID();
  return {
    launch({ dialect, box, count, masterPort, gridFile = "" }) {
      return {
        command: `./${basename(file)}`,
        args: dialect === "numeric"
          ? [box, String(count), String(masterPort)]
          : [gridFile, box, String(masterPort)],
        cwd: folder,
        env: { [runVariable]: mark },
        supervised: false,
      };
    },
    async finish() {
      await stopAll(folder);
      await killMarked(`${runVariable}=${mark}`);
    },
  };
}

async function stopAll(folder: string): Promise<void> {
  const isThere = await Deno.stat(join(folder, "stopall")).then(
    ({ isFile }) => isFile,
    () => false,
  );
  if (!isThere) return;
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command("./stopall", {
      cwd: folder,
      detached: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  } catch {
    // One that cannot be run, stops nothing; its servers have been killed anyway.
    return;
  }
  const status = await within(child.status, stopAllMsMax, new AbortController().signal);
  if (status !== undefined) return;
  killQuietly(-child.pid);
  await child.status;
}

/**
 * Kills the processes that have `entry` in their environment: servers that escaped from their groups. Only where
 * the system shows environments as files, as Linux does; several times, since a server may have children meanwhile.
 */
async function killMarked(entry: string): Promise<void> {
  for (let sweep = 0; sweep < sweepsMax; sweep++) {
    const pids = await findMarked(entry);
    if (pids.length === 0) return;
    pids.forEach(killQuietly);
  }
}

async function findMarked(entry: string): Promise<number[]> {
  const pids: number[] = [];
  try {
    for await (const { name } of Deno.readDir("/proc")) {
      const pid = Number(name);
      if (!Number.isInteger(pid) || pid === Deno.pid) continue;
      const environment = await Deno.readTextFile(`/proc/${name}/environ`).catch(() => "");
      if (environment.split("\0").includes(entry)) pids.push(pid);
    }
  } catch {
    // No such folder here.
  }
  return pids;
}

function killQuietly(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}
