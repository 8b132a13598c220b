// Each test joins loggers and handlers anew, and leaves the process without any.

import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { stripAnsiCode } from "@std/fmt/colors";
import { fromFileUrl, join } from "@std/path";
import * as log from "@std/log";

class MemoryHandler extends log.BaseHandler {
  readonly lines: string[] = [];
  readonly life: string[] = [];
  override log(msg: string): void {
    this.lines.push(msg);
  }
  override setup(): void {
    this.life.push("setup");
  }
  override destroy(): void {
    this.life.push("destroy");
  }
}

class BrokenHandler extends log.BaseHandler {
  override log(_msg: string): void {
    throw new Error("disk full");
  }
}

/** Runs `script`, which finds the module as `log`, in a process of its own: its standard error and output. */
async function run(script: string, env: Record<string, string>): Promise<[string, string]> {
  const { stderr, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", `import * as log from "@std/log";\n${script}`],
    cwd: fromFileUrl(new URL("..", import.meta.url)),
    env: { NO_COLOR: "", ...env },
  }).output();
  return [new TextDecoder().decode(stderr), new TextDecoder().decode(stdout)];
}

Deno.test("getLogger() logs nothing before setup(), and nothing to a logger that setup() did not name", () => {
  log.setup({});
  let evaluated = false;
  log.critical(() => evaluated = true);
  const memory = new MemoryHandler("NOTSET");
  log.setup({ handlers: { memory }, loggers: { box: { level: "NOTSET", handlers: ["memory"] } } });
  log.getLogger("link").critical("unheard");
  log.critical("unheard too");
  log.getLogger("box").debug("heard");
  log.setup({});
  assertEquals([evaluated, memory.lines], [false, ["DEBUG heard"]]);
});

Deno.test("setup(): both the logger's and the handler's level hold a record back", () => {
  const all = new MemoryHandler("NOTSET");
  const grave = new MemoryHandler("ERROR");
  log.setup({
    handlers: { all, grave },
    loggers: { default: { level: "INFO", handlers: ["all", "grave"] } },
  });
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");
  log.critical("e");
  log.setup({});
  assertEquals(all.lines, ["INFO b", "WARN c", "ERROR d", "CRITICAL e"]);
  assertEquals(grave.lines, ["ERROR d", "CRITICAL e"]);
});

Deno.test("setup(): a logger that was got before follows the new configuration", () => {
  const logger = log.getLogger("box");
  const [first, second] = [new MemoryHandler("NOTSET"), new MemoryHandler("NOTSET")];
  for (const memory of [first, second]) {
    log.setup({ handlers: { memory }, loggers: { box: { handlers: ["memory"] } } });
    logger.info("hello");
  }
  log.setup({});
  assertEquals([first.lines, second.lines], [["INFO hello"], ["INFO hello"]]);
  assertEquals([first.life, second.life], [["setup", "destroy"], ["setup", "destroy"]]);
});

Deno.test("setup(): an unknown handler is an error that names the known ones", () => {
  const file = new MemoryHandler("INFO");
  assertThrows(
    () => log.setup({ handlers: { file }, loggers: { box: { handlers: ["fiel"] } } }),
    TypeError,
    'Cannot set up logs: loggers.box.handlers has "fiel", want one of file',
  );
  assertEquals(file.life, []);
});

Deno.test("setup(): what a handler throws is reported to the others, and not to the one that logs", () => {
  const memory = new MemoryHandler("NOTSET");
  const broken = new BrokenHandler("NOTSET");
  log.setup({
    handlers: { broken, memory },
    loggers: { default: { handlers: ["broken", "memory"] } },
  });
  log.info("hello");
  log.setup({});
  assertEquals(memory.lines.length, 2);
  assertEquals(memory.lines.filter((line) => line === "INFO hello").length, 1);
  assertStringIncludes(memory.lines.join("\n"), "disk full");
});

Deno.test("Logger: a message is text as it is, an error its stack, anything else shown on one line", () => {
  const memory = new MemoryHandler("NOTSET", { formatter: (record) => record.msg });
  log.setup({ handlers: { memory }, loggers: { default: { handlers: ["memory"] } } });
  log.info("{not} a %s template");
  log.info(new RangeError("high"));
  log.info({ a: [1, "x"] });
  log.info(() => 7);
  log.setup({});
  const [text, error, object, lazy] = memory.lines;
  assertEquals([text, object, lazy], ["{not} a %s template", '{ a: [ 1, "x" ] }', "7"]);
  assertMatch(error ?? "", /^RangeError: high\n\s+at /);
});

Deno.test("jsonFormatter(): one line, one argument bare, several as a list", () => {
  const memory = new MemoryHandler("NOTSET", { formatter: log.formatters.jsonFormatter });
  log.setup({ handlers: { memory }, loggers: { box: { level: "NOTSET", handlers: ["memory"] } } });
  const [before, logger] = [Date.now(), log.getLogger("box")];
  logger.info("no\nargument");
  logger.warn("one", { port: 5000 });
  logger.error("two", 10n, new Error("lost"));
  log.setup({});
  const [none, one, two] = memory.lines.map((line) => JSON.parse(line));
  assertEquals(Object.keys(none), ["level", "datetime", "message"]);
  assertEquals([none.level, none.message], ["INFO", "no\nargument"]);
  assertEquals(none.datetime >= before && none.datetime <= Date.now(), true);
  assertEquals([one.level, one.args], ["WARN", { port: 5000 }]);
  assertEquals(two.args[0], "10");
  assertMatch(two.args[1], /^Error: lost\n/);
  assertEquals(memory.lines.every((line) => !line.includes("\n")), true);
});

Deno.test("FileHandler: each mode treats what the file held in its way", async () => {
  const folder = await Deno.makeTempDir();
  const filename = join(folder, "box.log");
  const write = (mode?: log.LogMode) => {
    const file = new log.FileHandler(
      "INFO",
      mode === undefined ? { filename } : { filename, mode },
    );
    log.setup({ handlers: { file }, loggers: { default: { handlers: ["file"] } } });
    log.info(mode ?? "default");
    const written = Deno.readTextFileSync(filename);
    log.setup({});
    return written;
  };
  try {
    assertEquals(write("x"), "INFO x\n");
    assertThrows(() => write("x"), Deno.errors.AlreadyExists);
    assertEquals(write(), "INFO x\nINFO default\n");
    assertEquals(write("a"), "INFO x\nINFO default\nINFO a\n");
    assertEquals(write("w"), "INFO w\n");
  } finally {
    log.setup({});
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("ConsoleHandler writes to standard error, in colour only when asked and allowed", async () => {
  const script = (useColors: boolean) => `
    const handlers = { console: new log.ConsoleHandler("INFO", { useColors: ${useColors} }) };
    log.setup({ handlers, loggers: { default: { handlers: ["console"] } } });
    log.info("i"); log.warn("w"); log.error("e"); log.critical("c");`;
  const plain = "INFO i\nWARN w\nERROR e\nCRITICAL c\n";
  assertEquals(await run(script(false), {}), [plain, ""]);
  assertEquals(await run(script(true), { NO_COLOR: "1" }), [plain, ""]);
  const [coloured, stdout] = await run(script(true), {});
  assertEquals([stripAnsiCode(coloured), stdout], [plain, ""]);
  assertStringIncludes(coloured, "\x1b[31mERROR e");
});

Deno.test("getLevelName() and getLevelByName() are each other's inverse", () => {
  assertEquals(
    log.LogLevelNames.map((name) => log.getLevelName(log.getLevelByName(name))),
    [...log.LogLevelNames],
  );
});
