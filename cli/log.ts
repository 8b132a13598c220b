// The log of a process: lines on standard error, in colour on a terminal, and in a file where one is wanted; as text
// for people, or as JSON for programs.

import { dirname } from "@std/path";
import { ConsoleHandler, FileHandler, getLogger, type LogRecord, setup } from "@std/log";
import type { BoxLog } from "../box/box_options.ts";
import { type Call, type Flag, UsageError } from "./command.ts";

/** What to log, and where to. */
export interface LogOptions {
  readonly debug: boolean;
  /** Appended to; its folder is made where it is missing. */
  readonly file?: string | undefined;
  /** Default: text. */
  readonly format?: LogFormat;
  /** Who logs: a box. Lines of text have its name from elsewhere. */
  readonly name?: string;
}

/** How lines look. */
export type LogFormat = "text" | "json";

/** Chooses the format. */
export const logFormatFlag: Flag = {
  name: "log-format",
  value: "FORMAT",
  doc: "Logs as text, or as json: an object a line; default OVID_LOG_FORMAT, or text",
};

/** The format that a call or the environment asks for. */
export function readLogFormat(call: Call): LogFormat {
  const given = call.value(logFormatFlag.name);
  const format = given ?? (Deno.env.get("OVID_LOG_FORMAT") || "text");
  if (format === "text" || format === "json") return format;
  const what = given === undefined ? "OVID_LOG_FORMAT" : `--${logFormatFlag.name}`;
  throw new UsageError(`Cannot use ${JSON.stringify(format)} for ${what}, want text or json`);
}

/** Whether colours are wanted: on a terminal, unless NO_COLOR is set. */
export function wantsColour(stream: { isTerminal(): boolean }): boolean {
  return stream.isTerminal() && (Deno.env.get("NO_COLOR") ?? "") === "";
}

/** Opens the log; disposing it flushes and closes the file. */
export function openLog(options: LogOptions): BoxLog & Disposable {
  const { debug, file, format = "text", name } = options;
  const level = debug ? "DEBUG" : "INFO";
  const asJson = (record: LogRecord) =>
    JSON.stringify({
      time: record.datetime.toISOString(),
      level: record.levelName.toLowerCase(),
      ...name === undefined ? {} : { box: name },
      text: record.msg,
    });
  const text = (record: LogRecord) => `${record.levelName.toLowerCase()} ${record.msg}`;
  const line = format === "json" ? asJson : text;
  const stamped = format === "json"
    ? asJson
    : (record: LogRecord) => `${record.datetime.toISOString()} ${text(record)}`;
  const useColors = format === "text" && wantsColour(Deno.stderr);
  if (file !== undefined) Deno.mkdirSync(dirname(file), { recursive: true });
  setup({
    handlers: {
      console: new ConsoleHandler(level, { formatter: line, useColors }),
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
