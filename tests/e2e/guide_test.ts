// Executes the chapters of docs/guide: every block marked `console` is a session, and prints what it says. How blocks
// are written is in docs/guide/README.md.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { type Outcome, ovid, projectPath, Running, Workspace } from "./support.ts";

/** How many seeds a repaired program must pass. */
const repairedRunsMin = 300;

/** How many are left of many seeds where OVID_SHORT is set. */
const shortRuns = 30;
const isShort = Deno.env.has("OVID_SHORT");

interface Command {
  readonly line: string;
  /** Whether it goes on running until the session is over. */
  readonly stays: boolean;
  stdin: string;
  printed: string;
}

interface Session {
  readonly commands: readonly Command[];
  /** Whether only verdicts and exit codes count. */
  readonly isLoose: boolean;
}

/** The sessions of a page, in their order. */
function sessionsOf(page: string): Session[] {
  return Array.from(page.matchAll(/^```console( verdict)?\n(.*?)^```$/gms), ([, loose, body]) => {
    const commands: Command[] = [];
    for (const line of (body ?? "").trimEnd().split("\n")) {
      const current = commands.at(-1);
      if (/^[$&] /.test(line)) {
        const stays = line.startsWith("&");
        commands.push({ line: line.slice(2), stays, stdin: "", printed: "" });
      } else if (line.startsWith("> ") && current) current.stdin += `${line.slice(2)}\n`;
      else if (current) current.printed += `${line}\n`;
    }
    return { commands, isLoose: loose !== undefined };
  });
}

/** What is printed, as an expression: `...` is anything, on a line of its own any lines. */
function expressionOf(printed: string): RegExp {
  const escaped = printed.replace(/[\\^$*+?()[\]{}|]|(?<!\.)\.(?!\.)/g, "\\$&");
  const any = escaped.replace(/^\.\.\.\n/gm, "(?:.*\\n)*?").replaceAll("...", ".*");
  return new RegExp(`^${any}$`);
}

function verdictsOf(printed: string): string[] {
  return printed.split("\n").filter((line) => /^[A-Z ]+: /.test(line));
}

/** Runs a command of a page. Grids are run where a reader runs them: their boxes are part of what a seed draws. */
async function run({ line, stdin }: Command, { path: cwd }: Workspace): Promise<Outcome> {
  const [program = "", ...args] = line.split(" ");
  const root = projectPath("");
  if (program === "deno") {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args,
      cwd: root,
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }
  assertEquals(program, "ovid", "only ovid and deno are executed");
  const given = locate(args, cwd);
  // One process is enough, and prints the same: most of a small batch is the starting of processes.
  const jobs = given.includes("--runs") ? ["--jobs", "1"] : [];
  const outcome = await ovid([...shortened(given), ...jobs], { stdin, cwd });
  return { ...outcome, stdout: outcome.stdout.replaceAll(root, "") };
}

/** Arguments with the paths that they have here: boxes, and who looks at them, are on free ports. */
function locate(args: readonly string[], cwd: string): string[] {
  const isCopy = args[0] === "box" || args[0] === "trace";
  const guide = projectPath("examples", "guide");
  return args.map((arg) =>
    arg.replace(
      /^examples\/guide(\/\d\d_\w+)?/,
      (_, folder = "") => isCopy ? cwd : guide + folder,
    )
  );
}

/** A command for those who are in a hurry: fewer seeds, and no look for the shortest story. */
function shortened(args: readonly string[]): string[] {
  if (!isShort) return [...args];
  const runs = args.indexOf("--runs") + 1;
  return args.filter((arg) => arg !== "--shrink").map((arg, index) =>
    runs > 0 && index === runs && Number(arg) >= repairedRunsMin ? `${shortRuns}` : arg
  );
}

async function follow({ commands, isLoose }: Session, workspace: Workspace): Promise<void> {
  let last: { readonly code: number; readonly line: string } | undefined;
  const finish = () => {
    assertEquals(last?.code ?? 0, 0, `$ ${last?.line}, and nobody looks at its exit code`);
  };
  await using stack = new AsyncDisposableStack();
  for (const command of commands) {
    const { line, printed, stays } = command;
    if (stays) {
      const args = locate(line.split(" ").slice(1), workspace.path);
      stack.use(new Running(args, { cwd: workspace.path }));
      continue;
    }
    if (line === "echo $?") {
      assertEquals(`${last?.code}\n`, printed, `the exit code of $ ${last?.line}`);
      last = undefined;
      continue;
    }
    finish();
    const { code, stdout, stderr } = await run(command, workspace);
    last = { code, line };
    const what = `$ ${line}\n${stdout}${stderr}`;
    if (isLoose) {
      for (const verdict of verdictsOf(printed)) assert(stdout.split("\n").includes(verdict), what);
    } else if (shortened(line.split(" ")).join(" ") === line) {
      const said = stdout.trimEnd();
      assertMatch(said === "" ? "" : `${said}\n`, expressionOf(printed), what);
    }
  }
  finish();
}

const chapters = Array.from(Deno.readDirSync(projectPath("docs", "guide")), ({ name }) => name)
  .flatMap((name) => /^(\d\d_\w+)\.md$/.exec(name)?.[1] ?? []).sort();

for (const chapter of chapters) {
  const page = Deno.readTextFileSync(projectPath("docs", "guide", `${chapter}.md`));

  Deno.test(`docs/guide/${chapter}.md: every session prints what it says`, async () => {
    using workspace = new Workspace().copy("examples", "guide", chapter);
    for (const session of sessionsOf(page)) await follow(session, workspace);
  });

  Deno.test(`docs/guide/${chapter}.md breaks, repairs and breaks again, and shows its files`, () => {
    const commands = sessionsOf(page).flatMap(({ commands }) => commands);
    const sim = (grid: string) =>
      commands.find(({ line }) =>
        line.startsWith(`ovid sim examples/guide/${chapter}/${grid}.json`)
      );
    for (const grid of ["broken", "exercise"]) {
      const after = commands[commands.findIndex((command) => command === sim(grid)) + 1];
      assertMatch(`${after?.line} ${after?.printed}`, /^echo \$\? 1[01]\n$/, grid);
    }
    assertEquals(/--runs (\d+)/.exec(sim("repaired")?.line ?? "")?.[1], `${repairedRunsMin}`);
    const files = [...Deno.readDirSync(projectPath("examples", "guide", chapter))]
      .filter(({ isFile }) => isFile)
      .map(({ name }) => Deno.readTextFileSync(projectPath("examples", "guide", chapter, name)));
    const known = new Set(files.flatMap((text) => text.split("\n").map((line) => line.trim())));
    for (const [, code = ""] of page.matchAll(/^```ts[^\n]*\n(.*?)^```$/gms)) {
      for (const line of code.trimEnd().split("\n")) {
        assert(known.has(line.trim()), `no file of examples/guide/${chapter} has: ${line}`);
      }
    }
  });
}

Deno.test("docs/guide/04_small_world.md: the broken counter fails the test of the repaired one", async () => {
  using workspace = new Workspace().copy("examples", "guide", "04_small_world");
  const test = workspace.file("counter_test.ts");
  const text = await Deno.readTextFile(test);
  await Deno.writeTextFile(test, text.replace('"./repaired.ts"', '"./broken.ts"'));
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--config", projectPath("deno.json"), test],
    env: { NO_COLOR: "1" },
  }).output();
  const said = new TextDecoder().decode(stdout);
  assertEquals(code, 1, said);
  assertMatch(said, /Values are not equal: seed 4\b/);
  assertMatch(said, /1 passed \| 2 failed/);
});

Deno.test("docs/guide/README.md lists every chapter, and every chapter has its folder", () => {
  const readme = Deno.readTextFileSync(projectPath("docs", "guide", "README.md"));
  const listed = Array.from(readme.matchAll(/^\d+\. \[.*?\]\((\w+)\.md\)/gm), ([, name]) => name);
  assertEquals(listed, chapters);
  const folders = Array.from(
    Deno.readDirSync(projectPath("examples", "guide")),
    ({ name }) => name,
  );
  assertEquals(folders.filter((name) => /^\d\d_/.test(name)).sort(), chapters);
  assert(chapters.length > 0);
  for (const picture of ["05_stale_read.svg", "09_two_sides.svg"]) {
    assert(Deno.statSync(join(projectPath("docs", "guide"), picture)).isFile);
  }
});

Deno.test("a session that prints something else, or fails unseen, is found out", async () => {
  using workspace = new Workspace();
  const refuses = async (page: string, words: string) => {
    const [session] = sessionsOf(page);
    assert(session !== undefined);
    await assertRejects(() => follow(session, workspace), Error, words);
  };
  const help = "$ ovid help box\n";
  await refuses(`\`\`\`console\n${help}nothing\n\`\`\`\n`, "ovid help box");
  await refuses(`\`\`\`console verdict\n${help}SAFETY: alarm\n\`\`\`\n`, "ovid help box");
  await refuses(`\`\`\`console\n${help}...\n$ echo $?\n10\n\`\`\`\n`, "the exit code of");
  await refuses("```console verdict\n$ ovid nonsense\n```\n", "nobody looks at its exit code");
  const [session] = sessionsOf(`\`\`\`console\n${help}...\n$ echo $?\n0\n\`\`\`\n`);
  assert(session !== undefined);
  await follow(session, workspace);
});
