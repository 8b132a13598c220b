// The scripts of `ovid completions`, read by the shells that are here; what a shell is not here to try is only
// compared with the table.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { commands } from "./commands.ts";
import { main } from "./main.ts";

const loaded = await Promise.all(commands.map((entry) => entry.load()));

async function scriptOf(shell: string): Promise<string> {
  const { log } = console;
  const lines: string[] = [];
  console.log = (line: string) => void lines.push(line);
  try {
    assertEquals(await main(["completions", shell]), 0);
  } finally {
    console.log = log;
  }
  return `${lines.join("\n")}\n`;
}

/** What a shell prints that has read the completions, and then `program`; undefined where there is no such shell. */
async function shell(name: string, program: string): Promise<string | undefined> {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "completions");
    await Deno.writeTextFile(file, await scriptOf(name));
    const { code, stdout, stderr } = await new Deno.Command(name, {
      args: ["-c", program.replace("SCRIPT", file)],
      cwd: folder,
      stdin: "null",
      env: { HOME: folder, XDG_CONFIG_HOME: folder },
    }).output();
    const decoder = new TextDecoder();
    assertEquals([code, decoder.decode(stderr)], [0, ""]);
    return decoder.decode(stdout);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && name !== "bash") return undefined;
    throw error;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const name of ["bash", "zsh", "fish"]) {
  Deno.test(`ovid completions ${name}: has every command, flag and word that the help has`, async () => {
    const script = await scriptOf(name);
    for (const { name, flags, words = [] } of loaded) {
      assertStringIncludes(script, name);
      for (const word of words) assertStringIncludes(script, word);
      for (const flag of flags.filter(({ hidden }) => !hidden)) {
        assertStringIncludes(script, flag.name, name);
      }
    }
    assert(!script.includes("--supervised") && !script.includes("-l supervised"));
  });
}

Deno.test("ovid completions bash: completes commands, flags and scenarios", async () => {
  const complete = `source SCRIPT
complete_line() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ovid; echo "\${COMPREPLY[@]}"; }
complete_line ovid bo
complete_line ovid sim --mer
complete_line ovid explore l
complete_line ovid help gr
complete_line ovid sim nowhere`;
  assertEquals(
    await shell("bash", complete),
    "box\n--mermaid\nlease\ngrade graph\n\n",
  );
});

Deno.test("ovid completions fish: completes commands, flags and scenarios", async () => {
  const complete = `source SCRIPT
for line in 'ovid bo' 'ovid sim --mer' 'ovid explore l'
  complete -C $line
end`;
  const printed = await shell("fish", complete);
  if (printed === undefined) return;
  const words = printed.trim().split("\n").map((line) => line.split("\t", 1)[0]);
  assertEquals(words, ["box", "--mermaid", "lease"]);
});

Deno.test("ovid completions zsh: is a script that zsh can read", async () => {
  const printed = await shell("zsh", "zsh -n SCRIPT && echo read");
  assert(printed === undefined || printed === "read\n", printed);
});

Deno.test("ovid completions: an unknown shell suggests the nearest", async () => {
  const main = fromFileUrl(new URL("main.ts", import.meta.url));
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", main, "completions", "bsh"],
    env: { NO_COLOR: "1" },
  }).output();
  assertEquals(code, 2);
  assertStringIncludes(new TextDecoder().decode(stderr), "did you mean bash");
});
