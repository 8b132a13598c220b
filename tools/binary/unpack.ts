// The last step of a first start, run by the runtime that was just unpacked: writes the program's files beside it
// and renames the folder into its place. It stands alone, since it travels inside the executable.

import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";

/** The program's files, by their names. */
export interface Packed {
  readonly texts: Readonly<Record<string, string>>;
  /** Compressed by gzip, in base64. */
  readonly executables: Readonly<Record<string, string>>;
}

/**
 * Puts the program's files into `folder`/lib, where the runtime is already, and makes the folder `target`, all at once.
 *
 * Whoever else unpacks the same at the same time does the same: the first one wins, and the others leave it.
 */
export function unpack({ texts, executables }: Packed, folder: string, target: string): void {
  Deno.mkdirSync(`${folder}/lib`);
  for (const [name, text] of Object.entries(texts)) {
    const inner = name.lastIndexOf("/");
    if (inner > 0) Deno.mkdirSync(`${folder}/lib/${name.slice(0, inner)}`, { recursive: true });
    Deno.writeTextFileSync(`${folder}/lib/${name}`, text, { createNew: true });
  }
  for (const [name, packed] of Object.entries(executables)) {
    const bytes = gunzipSync(Buffer.from(packed, "base64"));
    Deno.writeFileSync(`${folder}/lib/${name}`, bytes, { createNew: true, mode: 0o700 });
  }
  const paths = Object.keys({ ...texts, ...executables }).map((name) => `lib/${name}`);
  Deno.removeSync(`${folder}/unpack.js`);
  // A power cut must not leave a folder that looks whole and has empty files.
  for (const path of [...paths, "ovid"]) {
    using file = Deno.openSync(`${folder}/${path}`);
    file.syncSync();
  }
  // In /tmp anybody may have made the name; what is there and not whole is moved out of the way.
  if (exists(target) && !["ovid", ...paths].every((path) => exists(`${target}/${path}`))) {
    Deno.renameSync(target, `${folder}/damaged`);
  }
  try {
    Deno.renameSync(folder, target);
  } catch (error) {
    if (!exists(`${target}/lib/main.js`)) throw error;
  }
  // It came along.
  if (exists(`${target}/damaged`)) Deno.removeSync(`${target}/damaged`, { recursive: true });
  removeOld(target.replace(/\/[^/]*$/, ""));
}

/** Removes what was left behind by starts that were killed, a day ago or more. */
function removeOld(folder: string): void {
  for (const { name } of Deno.readDirSync(folder)) {
    if (!name.startsWith("new.")) continue;
    try {
      const age = Date.now() - (Deno.lstatSync(`${folder}/${name}`).mtime?.getTime() ?? Date.now());
      if (age > 24 * 3600 * 1000) Deno.removeSync(`${folder}/${name}`, { recursive: true });
    } catch {
      // Somebody else has removed it, or it is nobody's to remove.
    }
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
