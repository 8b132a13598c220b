// An executable that unpacks itself: a shell script, and behind it the program and the runtime, compressed. It
// needs no runtime from elsewhere, and works where the base of `deno compile` cannot be had.

import { createHash } from "node:crypto";
import { stripTypeScriptTypes } from "node:module";
import { gzip, gzipSync } from "node:zlib";
import { join } from "@std/path";
import { engineFlags } from "../../bench/bare_command.ts";
import { version } from "../../cli/version.ts";
import { ROOT } from "../files.ts";
import type { Files } from "./bundle.ts";
import { BUNDLER_EXECUTABLE } from "./bundler.ts";

/** How an executable is made. */
export interface ExtractorOptions {
  /** The executable of Deno that goes in. */
  readonly runtime: Uint8Array;
  /** How hard to compress, from 1 to 9: 6 makes it 8 % smaller than 1, and takes three times as long. */
  readonly level: number;
}

// Room for a number that is known only once the head that holds it is.
const numberWidth = 10;

/** The parts of an executable that unpacks itself, in their order. */
export async function selfExtractor(
  files: Files,
  { runtime, level }: ExtractorOptions,
): Promise<Uint8Array[]> {
  const script = new TextEncoder().encode(await unpackScript(files));
  const [program, base] = await Promise.all([
    compress(script, level),
    compress(runtime, level),
  ]);
  const hash = createHash("sha256").update(script).update(runtime).digest("hex").slice(0, 16);
  const template = await Deno.readTextFile(join(ROOT, "tools/binary/header.sh"));
  const unpackedBytes = script.length + runtime.length;
  const head = (bytes: number) =>
    fill(template, {
      VERSION: version,
      ENGINE: engineFlags,
      TARGET: Deno.build.target,
      HASH: `${version}-${hash}`,
      FILES: `${new Set(Array.from(files.keys(), (name) => name.split("/", 1)[0])).size}`,
      MEGABYTES: `${Math.ceil(unpackedBytes / 1e6)}`,
      PROGRAM_AT: `${bytes + 1}`.padEnd(numberWidth),
      PROGRAM_BYTES: `${program.length}`.padEnd(numberWidth),
      RUNTIME_AT: `${bytes + program.length + 1}`.padEnd(numberWidth),
    });
  return [head(head(0).length), program, base];
}

function compress(bytes: Uint8Array, level: number): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  gzip(bytes, { level }, (error, result) => error === null ? resolve(result) : reject(error));
  return promise;
}

function fill(template: string, values: Readonly<Record<string, string>>) {
  const text = template.replaceAll(/@([A-Z_]+)@/g, (whole, name: string) => values[name] ?? whole);
  return new TextEncoder().encode(text);
}

/** A module that does the last step of unpacking by itself. */
async function unpackScript(files: Files): Promise<string> {
  const source = await Deno.readTextFile(join(ROOT, "tools/binary/unpack.ts"));
  const decoder = new TextDecoder();
  const texts: [string, string][] = [];
  const executables: [string, string][] = [];
  for (const [name, bytes] of files) {
    if (name === BUNDLER_EXECUTABLE) executables.push([name, gzipSync(bytes).toString("base64")]);
    else texts.push([name, decoder.decode(bytes)]);
  }
  return [
    stripTypeScriptTypes(source),
    `const [folder = "", target = ""] = Deno.args;`,
    `const texts = ${JSON.stringify(Object.fromEntries(texts))};`,
    `const executables = ${JSON.stringify(Object.fromEntries(executables))};`,
    `unpack({ texts, executables }, folder, target);`,
    "",
  ].join("\n");
}
