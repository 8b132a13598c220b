// The two configurations, and what a clean clone depends on.

import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { ROOT } from "./files.ts";

interface Config {
  readonly imports: Readonly<Record<string, string>>;
  readonly compilerOptions: Readonly<Record<string, unknown>>;
  readonly scripts?: Readonly<Record<string, string>>;
}

async function read(path: string): Promise<Config> {
  return JSON.parse(await Deno.readTextFile(join(ROOT, path))) as Config;
}

Deno.test("deno.jsr.json differs from deno.json only in where the standard library comes from", async () => {
  const [config, jsr] = [await read("deno.json"), await read("deno.jsr.json")];
  assertEquals(Object.keys(jsr.imports), Object.keys(config.imports));
  for (const [name, target] of Object.entries(jsr.imports)) {
    if (name.startsWith("@std/")) assert(target.startsWith(`jsr:${name.split("/", 2).join("/")}@`));
    else assertEquals(target, config.imports[name]);
  }
  const { types: _, ...options } = config.compilerOptions;
  assertEquals(jsr.compilerOptions, options);
});

Deno.test("every package in deno.json has one exact version, and deno.lock holds it", async () => {
  const { imports } = await read("deno.json");
  const lock = await Deno.readTextFile(join(ROOT, "deno.lock"));
  for (const target of Object.values(imports).filter((target) => !target.startsWith("./"))) {
    const [specifier] = /^npm:(@[\w-]+\/)?[\w-]+@\d+\.\d+\.\d+/.exec(target) ?? [];
    assert(specifier !== undefined, target);
    assert(lock.includes(`"${specifier}"`), specifier);
  }
});

Deno.test("package.json has scripts only: a package named deno there would break deno task", async () => {
  const config = await read("package.json");
  assertEquals(Object.keys(config), ["name", "private", "license", "scripts"]);
  assertEquals(config.scripts, {
    start: "npx -y deno@2.9.5 task box",
    test: "npx -y deno@2.9.5 task test",
  });
});
