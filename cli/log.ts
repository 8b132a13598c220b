// The log of a process: lines on standard error, in colour on a terminal, and in a file where one is wanted.

import { dirname } from "@std/path";
import { ConsoleHandler, FileHandler, getLogger, type LogRecord, setup } from "@std/log";
import type { BoxLog } from "../box/box_options.ts";

/** What to log, and where to. */
export interface LogOptions {
  readonly debug: boolean;
  /** Appended to; its folder is made where it is missing. */
  readonly file?: string | undefined;
}

/** Whether colours are wanted: on a terminal, unless NO_COLOR is set. */
export function wantsColour(stream: { isTerminal(): boolean }): boolean {
  return stream.isTerminal() && (Deno.env.get("NO_COLOR") ?? "") === "";
}

/** Opens the log; disposing it flushes and closes the file. */
export function openLog({ debug, file }: LogOptions): BoxLog & Disposable {
  const level = debug ? "DEBUG" : "INFO";
  const line = (record: LogRecord) => `${record.levelName.toLowerCase()} ${record.msg}`;
  const stamped = (record: LogRecord) => `${record.datetime.toISOString()} ${line(record)}`;
  if (file !== undefined) Deno.mkdirSync(dirname(file), { recursive: true });
  setup({
    handlers: {
      console: new ConsoleHandler(level, { formatter: line, useColors: wantsColour(Deno.stderr) }),
      ...file === undefined
        ? {}
        : { file: new FileHandler(level, { filename: file, mode: "a", formatter: stamped }) },
    },
    loggers: { box: { level, handlers: file === undefined ? ["console"] : ["console", "file"] } },
  });
  const log = getLogger("box");
  return {
    debug: (text) => log.debug(text),
    info: (text) => log.info(text),
    warn: (text) => log.warn(text),
    error: (text) => log.error(text),
    [Symbol.dispose]: () => setup({}),
  };
}
