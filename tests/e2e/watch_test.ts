// `ovid box GRID --watch`: somebody edits an agent while it runs.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { eventually, freePorts, Running } from "./support.ts";

/** An agent that counts lines; `words` come before the count, which is durable. */
function counter(words: string, more = ""): string {
  return `import { defineAgent } from "ovid";
import { z } from "zod";
import { format } from "./format.ts";
export default defineAgent({
  type: "own",
  version: 1,
  doc: "Counts lines.",
  attrs: z.object({}),
  protocol: {},
  devices: ["terminal"],
  record: z.object({ line: z.string() }),
  durable: () => ({ count: 0 }),
  apply: (durable) => void durable.count++,
  init: () => ({ since: 0 }),
  start(state, ctx, why) {
    ctx.output("terminal", { type: "print", text: format("start " + why, state.durable.count) });
  },
  on: {},
  onDevice: {
    terminal(state, event, ctx) {
      if (event.type !== "line") return;
      ${more}
      ctx.append({ line: event.text });
      state.since++;
      ctx.output("terminal", { type: "print", text: format("${words} " + state.since, state.durable.count) });
    },
  },
});
`;
}

/** The same, of the next version, which counts in another way. */
const nextVersion = counter("third").replace("version: 1", "version: 2")
  .replace("({ count: 0 })", "({ counts: [] as string[] })")
  .replace(
    "(durable) => void durable.count++",
    "(durable, { line }) => void durable.counts.push(line)",
  )
  .replaceAll("state.durable.count", "state.durable.counts.length")
  .replace(
    "init:",
    "upgrade: (durable) => ({ counts: Array.from({ length: durable.count }, () => 'old') }),\n  init:",
  );

const format = (sign: string) =>
  `export const format = (words: string, count: number): string => words + "${sign}" + count;`;

class Workshop implements Disposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "ovid-watch-" });
  readonly box = `127.0.0.1:${freePorts(1)[0]}`;

  write(name: string, text: string): void {
    Deno.writeTextFileSync(`${this.path}/${name}`, text);
  }

  /** As most editors do it. */
  replace(name: string, text: string): void {
    this.write(`${name}.new`, text);
    Deno.renameSync(`${this.path}/${name}.new`, `${this.path}/${name}`);
  }

  run(...args: string[]): Running {
    return new Running(["box", `${this.path}/grid.json`, ...args]);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

Deno.test("--watch reloads a plugin in place, keeps what is durable, and keeps the old one when it must", async () => {
  using workshop = new Workshop();
  const grid = { agents: { own: { type: "./own.ts", box: workshop.box } } };
  workshop.write("grid.json", JSON.stringify(grid));
  workshop.write("format.ts", format(": "));
  workshop.write("own.ts", counter("first"));
  {
    await using box = workshop.run(workshop.box, "--watch");
    const printed = async (line: string) => {
      await eventually(line, () => box.stdout.split("\n").includes(line), 60_000);
    };
    const logged = async (words: string) => {
      await eventually(words, () => box.stderr.includes(words), 60_000);
    };
    const typed = async (line: string) => {
      await box.type("a line\n");
      await printed(line);
    };
    await printed("start new: 0");
    await typed("first 1: 1");
    await typed("first 2: 2");

    workshop.replace("own.ts", counter("second"));
    await printed("start recovered: 2");
    await typed("second 1: 3");

    // A file that it imports.
    workshop.write("format.ts", format("; "));
    await printed("start recovered; 3");
    await typed("second 1; 4");

    workshop.write("own.ts", counter("broken").replace("record: z", "record: {{ z"));
    await logged("own.ts goes on as it was");
    await logged(`${workshop.path}/own.ts:11:`);
    await typed("second 2; 5");

    workshop.write("own.ts", counter("broken").replace("on: {}", "on: { none() {} }"));
    await logged("on.none handles a message that protocol does not have");
    await typed("second 3; 6");

    workshop.write(
      "own.ts",
      nextVersion.replace("({ counts: Array", "oops({ counts: Array") +
        "\nfunction oops(..._: unknown[]): never {\n  throw new Error('no upgrade today');\n}\n",
    );
    await logged("no upgrade today");
    await typed("second 4; 7");

    workshop.write("own.ts", nextVersion);
    await printed("start recovered; 7");
    await typed("third 1; 8");
    box.kill("SIGKILL");
    await box.end();
  }
  // What upgrade() made is on the disk, and the old version's records are not met again.
  await using box = workshop.run(workshop.box);
  await eventually("its start", () => box.stdout.includes("start recovered; 8\n"), 60_000);
  await box.type("a line\n");
  await eventually("the next count", () => box.stdout.includes("third 1; 9\n"), 60_000);
});

Deno.test("ovid box GRID --watch watches in every box, and a fault names the file of its author", async () => {
  using workshop = new Workshop();
  const other = `127.0.0.1:${freePorts(1)[0]}`;
  workshop.write("own.ts", counter("first"));
  workshop.write("format.ts", format(": "));
  workshop.write(
    "grid.json",
    JSON.stringify({
      agents: {
        own: { type: "./own.ts", box: workshop.box },
        dummy: { type: "dummy", box: other },
      },
    }),
  );
  await using grid = workshop.run("--watch");
  const logged = async (words: string) => {
    await eventually(words, () => grid.stderr.includes(words), 60_000);
  };
  await eventually("its start", () => grid.stdout.includes("start new: 0\n"), 60_000);
  workshop.write(
    "own.ts",
    counter("second", `if (event.text === "oops") throw new Error("oops");`),
  );
  await logged(`${workshop.box} | info reloaded ${workshop.path}/own.ts for own`);
  await grid.type("oops\n");
  await logged(
    `agent own starts again from its durable state: ${workshop.path}/own.ts:22:40: Error: oops`,
  );
  await eventually("its start", () => grid.stdout.split("start ").length === 4, 60_000);
  await grid.type("a line\n");
  await eventually("an answer", () => grid.stdout.includes("second 1: 1\n"), 60_000);
  assertEquals(grid.stderr.includes("blob:"), false);
  assertStringIncludes(grid.stderr, `${workshop.path}/own.ts:22:40)`);
});
