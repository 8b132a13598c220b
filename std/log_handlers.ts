// What a log record is, and where records go: levels, formatters, and the handlers for the console and for files.

import { blue, bold, red, yellow } from "@std/fmt/colors";

/** The severities by name. */
export const LogLevels = {
  NOTSET: 0,
  DEBUG: 10,
  INFO: 20,
  WARN: 30,
  ERROR: 40,
  CRITICAL: 50,
} as const;

/** The name of a severity. */
export type LevelName = keyof typeof LogLevels;
/** The number of a severity. */
export type LogLevel = typeof LogLevels[LevelName];

/** The names of the severities, the mildest first. */
export const LogLevelNames: readonly LevelName[] = [
  "NOTSET",
  "DEBUG",
  "INFO",
  "WARN",
  "ERROR",
  "CRITICAL",
];

/** The number of the severity called `name`. */
export function getLevelByName(name: LevelName): LogLevel {
  return LogLevels[name];
}

/** The name of the severity with the number `level`. */
export function getLevelName(level: LogLevel): LevelName {
  const name = LogLevelNames.find((name) => LogLevels[name] === level);
  if (name === undefined) throw new RangeError(`Cannot name log level ${level}`);
  return name;
}

/** What a {@linkcode LogRecord} is made of. */
export interface LogRecordOptions {
  msg: string;
  args: readonly unknown[];
  level: LogLevel;
  loggerName: string;
}

/** One message on its way to the handlers. */
export class LogRecord {
  readonly msg: string;
  readonly level: LogLevel;
  readonly levelName: LevelName;
  readonly loggerName: string;
  readonly args: readonly unknown[];
  readonly datetime: Date;

  constructor(options: LogRecordOptions, timestamp: number = Date.now()) {
    this.msg = options.msg;
    this.args = options.args;
    this.level = options.level;
    this.levelName = getLevelName(options.level);
    this.loggerName = options.loggerName;
    this.datetime = new Date(timestamp);
  }
}

/** Makes the line of a record. */
export type FormatterFunction = (record: LogRecord) => string;

/** The options that every handler takes. */
export interface BaseHandlerOptions {
  formatter?: FormatterFunction;
}

/** Takes the records of its level and above, and gives each as a line to `log()`, which a subclass defines. */
export abstract class BaseHandler {
  readonly levelName: LevelName;
  readonly level: LogLevel;
  formatter: FormatterFunction;

  constructor(levelName: LevelName, options: BaseHandlerOptions = {}) {
    this.levelName = levelName;
    this.level = getLevelByName(levelName);
    this.formatter = options.formatter ?? ((record) => `${record.levelName} ${record.msg}`);
  }

  /** Writes the record if it is severe enough for this handler. */
  handle(record: LogRecord): void {
    if (record.level >= this.level) this.log(this.format(record));
  }

  /** The record's line. */
  format(record: LogRecord): string {
    return this.formatter(record);
  }

  /** Puts a line where this handler puts its lines. */
  abstract log(msg: string): void;
  /** Called by {@linkcode setup} before the first record. */
  setup(): void {}
  /** Called when another {@linkcode setup} replaces this handler. */
  destroy(): void {}
}

/** The options of a {@linkcode ConsoleHandler}. */
export interface ConsoleHandlerOptions extends BaseHandlerOptions {
  /** Colours each line by its level, unless the environment says `NO_COLOR`. */
  useColors?: boolean;
}

/** Writes to standard error. */
export class ConsoleHandler extends BaseHandler {
  readonly #useColors: boolean;

  constructor(levelName: LevelName, options: ConsoleHandlerOptions = {}) {
    super(levelName, options);
    this.#useColors = options.useColors ?? false;
  }

  override format(record: LogRecord): string {
    const line = super.format(record);
    return this.#useColors ? colour(line, record.level) : line;
  }

  override log(msg: string): void {
    console.error(msg);
  }
}

function colour(line: string, level: LogLevel): string {
  switch (level) {
    case LogLevels.INFO:
      return blue(line);
    case LogLevels.WARN:
      return yellow(line);
    case LogLevels.ERROR:
      return red(line);
    case LogLevels.CRITICAL:
      return bold(red(line));
    default:
      return line;
  }
}

/** How a log file is opened: to append, to begin anew, or only if there is none yet. */
export type LogMode = "a" | "w" | "x";

/** The options of a {@linkcode FileHandler}. */
export interface FileHandlerOptions extends BaseHandlerOptions {
  filename: string;
  /** @default {"a"} */
  mode?: LogMode;
}

/** Writes to a file, each line at once, so that a killed process leaves all that it had logged. */
export class FileHandler extends BaseHandler {
  readonly #options: FileHandlerOptions;
  #file: Deno.FsFile | undefined;

  constructor(levelName: LevelName, options: FileHandlerOptions) {
    super(levelName, options);
    this.#options = options;
  }

  override setup(): void {
    const mode = this.#options.mode ?? "a";
    this.#file = Deno.openSync(this.#options.filename, {
      append: mode === "a",
      write: mode !== "a",
      create: mode !== "x",
      truncate: mode === "w",
      createNew: mode === "x",
    });
  }

  override log(msg: string): void {
    let rest = new TextEncoder().encode(`${msg}\n`);
    while (this.#file !== undefined && rest.length > 0) {
      rest = rest.subarray(this.#file.writeSync(rest));
    }
  }

  override destroy(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

/** A record as one line of JSON: `{"level":"INFO","datetime":1702481922294,"message":"Hey"}`, and `args` if any. */
export function jsonFormatter(record: LogRecord): string {
  return JSON.stringify({
    level: record.levelName,
    datetime: record.datetime.getTime(),
    message: record.msg,
    args: record.args.length > 1 ? record.args : record.args[0],
  }, (_key, value) => {
    if (value instanceof Error) return value.stack;
    return typeof value === "bigint" ? String(value) : value;
  });
}

/** The formatters at hand. */
export const formatters: { readonly jsonFormatter: FormatterFunction } = { jsonFormatter };
