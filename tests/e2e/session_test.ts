// Executes the session.txt of every example: what a reader is told to type, and what it then must print.

import { assertEquals } from "@std/assert";
import { ovid, projectPath, Running, Workspace } from "./support.ts";

interface Step {
  /** Whether it goes on running until the session is over. */
  readonly stays: boolean;
  readonly args: readonly string[];
  readonly stdin: string;
  readonly expected: string;
}

/** The steps of a session: `$ ovid ARGS`, or `& ovid ARGS` for one that stays while others follow, lines of standard input behind `> `, and the expected output. */
function parseSession(text: string): Step[] {
  const steps: { stays: boolean; args: string[]; stdin: string; expected: string }[] = [];
  for (const line of text.split("\n")) {
    const current = steps.at(-1);
    if (line.startsWith("#")) continue;
    if (/^[$&] ovid /.test(line)) {
      const args = line.slice("$ ovid ".length).split(" ");
      steps.push({ stays: line.startsWith("&"), args, stdin: "", expected: "" });
    } else if (current === undefined || line === "") continue;
    else if (line.startsWith("> ")) current.stdin += `${line.slice(2)}\n`;
    else current.expected += `${line}\n`;
  }
  return steps;
}

for (const entry of Deno.readDirSync(projectPath("examples"))) {
  // The guide's chapters are sessions themselves: guide_test.ts.
  if (!entry.isDirectory || entry.name === "guide") continue;
  Deno.test(`examples/${entry.name}/session.txt prints what it says`, async () => {
    const steps = parseSession(
      await Deno.readTextFile(projectPath("examples", entry.name, "session.txt")),
    );
    assertEquals(steps.length > 0, true, "a session without a command proves nothing");
    using workspace = new Workspace().copy("examples", entry.name);
    await using stack = new AsyncDisposableStack();
    for (const { stays, args, stdin, expected } of steps) {
      const here = args.map((arg) => arg.replace(`examples/${entry.name}/`, `${workspace.path}/`));
      if (stays) {
        stack.use(new Running(here, { cwd: workspace.path }));
        continue;
      }
      const { stdout, stderr } = await ovid(here, { stdin, cwd: workspace.path });
      assertEquals(stdout, expected, `$ ovid ${args.join(" ")}\n${stderr}`);
    }
  });
}
