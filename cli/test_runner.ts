// Runs tests where Deno's own runner is not at hand, as in an executable that `deno compile` has made. It knows of
// `Deno.test` what tests of agents use: names, functions, `ignore`, and steps.

import { join } from "@std/path";

/** How tests are run. */
export interface RunTestsOptions {
  /** Only tests that have it in their names. */
  readonly filter?: string;
  /** Runs a file, which calls `Deno.test`. */
  readonly load: (file: string) => Promise<unknown>;
  readonly print: (line: string) => void;
}

interface TestContext {
  readonly name: string;
  readonly step: (name: unknown, fn?: Act) => Promise<boolean>;
}
type Act = (context: TestContext) => unknown;

interface Test {
  readonly name: string;
  readonly ignore: boolean;
  readonly act: Act;
}

const testFile = /(^|[._])test\.[cm]?[jt]sx?$/;

/** The files that hold tests: those that are named, and in folders those whose names say so. */
export async function findTests(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    if (!(await Deno.stat(path)).isDirectory) files.push(path);
    else {
      for await (const { name, isDirectory } of Deno.readDir(path)) {
        const inner = join(path, name);
        if (isDirectory && name !== "node_modules" && !name.startsWith(".")) {
          files.push(...await findTests([inner]));
        } else if (testFile.test(name)) files.push(inner);
      }
    }
  }
  return files.sort();
}

/** Runs the tests of `files`; whether all have passed, and there was one. */
export async function runTests(
  files: readonly string[],
  { filter = "", load, print }: RunTestsOptions,
): Promise<boolean> {
  const start = performance.now();
  const count = { passed: 0, failed: 0, ignored: 0, filtered: 0 };
  for (const file of files) {
    const all = await collect(() => load(file));
    const tests = all.filter(({ name }) => name.includes(filter));
    count.filtered += all.length - tests.length;
    print(`running ${tests.length} ${tests.length === 1 ? "test" : "tests"} from ${file}`);
    for (const { name, ignore, act } of tests) {
      const begun = performance.now();
      const failure = ignore ? undefined : await failureOf(name, act);
      const verdict = ignore ? "ignored" : failure === undefined ? "ok" : "FAILED";
      count[ignore ? "ignored" : failure === undefined ? "passed" : "failed"]++;
      print(`${name} ... ${verdict} (${Math.round(performance.now() - begun)}ms)`);
      if (failure !== undefined) print(failure);
    }
  }
  const fine = count.failed === 0 && files.length > 0;
  const ms = Math.round(performance.now() - start);
  const rest = [
    ...count.ignored > 0 ? [` | ${count.ignored} ignored`] : [],
    ...count.filtered > 0 ? [` | ${count.filtered} filtered out`] : [],
  ].join("");
  const verdict = fine ? "ok" : "FAILED";
  print(`\n${verdict} | ${count.passed} passed | ${count.failed} failed${rest} (${ms}ms)\n`);
  return fine;
}

/** The tests that `load` registers. */
async function collect(load: () => Promise<unknown>): Promise<Test[]> {
  const tests: Test[] = [];
  const register = (ignored: boolean) => (...words: unknown[]) => {
    const test = readTest(words);
    tests.push({ ...test, ignore: ignored || test.ignore });
  };
  const runner = Deno.test;
  const recorder = Object.assign(register(false), {
    only: register(false),
    ignore: register(true),
  });
  Reflect.set(Deno, "test", recorder);
  try {
    await load();
  } finally {
    Reflect.set(Deno, "test", runner);
  }
  return tests;
}

// A name, options and a function, of which any but the function may be missing, or be among the options.
function readTest(words: readonly unknown[]): Test {
  const options: { name?: string; fn?: Act; ignore?: boolean } = Object(
    words.find((word) => typeof word === "object"),
  );
  const name = words.find((word) => typeof word === "string") ?? options.name;
  const act = words.find(isAct) ?? options.fn;
  if (act === undefined) throw new TypeError(`Cannot run test ${name}, want a function`);
  return { name: name ?? act.name, ignore: options.ignore === true, act };
}

function isAct(word: unknown): word is Act {
  return typeof word === "function";
}

async function failureOf(name: string, act: Act): Promise<string | undefined> {
  const context: TestContext = {
    name,
    async step(...words) {
      const test = readTest(words);
      if (!test.ignore) await test.act({ ...context, name: test.name });
      return true;
    },
  };
  try {
    await act(context);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.stack ?? error.message : String(error);
  }
}
