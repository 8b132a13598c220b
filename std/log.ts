// The names of the standard library's log module, standing on LogTape: loggers by name, handlers by name, and
// `setup()` that joins them. Two things differ from the library's own: nothing is logged before `setup()`, and
// the console is standard error, in colour only where `useColors` asks for it, because standard output belongs
// to the agents.

import { configureSync, getLogger as getTape, type LogLevel as TapeLevel } from "@logtape/logtape";
import type { Logger as Tape, LogRecord as TapeRecord } from "@logtape/logtape";
import {
  type BaseHandler,
  type LevelName,
  LogLevelNames,
  LogLevels,
  LogRecord,
} from "./log_handlers.ts";

export * from "./log_handlers.ts";

const TAPE_LEVELS: Readonly<Record<LevelName, TapeLevel>> = {
  NOTSET: "trace",
  DEBUG: "debug",
  INFO: "info",
  WARN: "warning",
  ERROR: "error",
  CRITICAL: "fatal",
};

/**
 * A named source of records. A message that is a function is only called if its record would be logged.
 * What stands after the message are the record's `args`, which only some formatters show.
 */
export class Logger {
  readonly loggerName: string;
  readonly #tape: Tape;

  constructor(loggerName: string) {
    this.loggerName = loggerName;
    this.#tape = getTape(category(loggerName));
  }

  /** What is of use only to who looks for a fault. */
  debug(msg: unknown, ...args: unknown[]): void {
    this.#log("DEBUG", msg, args);
  }

  /** What went as it should. */
  info(msg: unknown, ...args: unknown[]): void {
    this.#log("INFO", msg, args);
  }

  /** What went wrong and was made good. */
  warn(msg: unknown, ...args: unknown[]): void {
    this.#log("WARN", msg, args);
  }

  /** What went wrong. */
  error(msg: unknown, ...args: unknown[]): void {
    this.#log("ERROR", msg, args);
  }

  /** What ends the process. */
  critical(msg: unknown, ...args: unknown[]): void {
    this.#log("CRITICAL", msg, args);
  }

  #log(levelName: LevelName, msg: unknown, args: readonly unknown[]): void {
    const level = TAPE_LEVELS[levelName];
    if (!this.#tape.isEnabledFor(level)) return;
    const text = asText(typeof msg === "function" ? msg() : msg);
    const timestamp = Date.now();
    this.#tape.emit({ level, timestamp, message: [text], rawMessage: text, properties: { args } });
  }
}

function category(loggerName: string): [string, string] {
  return ["ovid", loggerName];
}

function asText(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Error) return value.stack ?? value.message;
  return Deno.inspect(value, { breakLength: Infinity });
}

/** The logger called `name`. It logs nothing unless {@linkcode setup} has named it. */
export function getLogger(name = "default"): Logger {
  return new Logger(name);
}

/** What a logger lets through, and to which handlers, by their names. */
export interface LoggerConfig {
  /** @default {"INFO"} */
  level?: LevelName;
  handlers?: readonly string[];
}

/** All handlers and loggers. */
export interface LogConfig {
  handlers?: Readonly<Record<string, BaseHandler>>;
  loggers?: Readonly<Record<string, LoggerConfig>>;
}

// LogTape keeps one configuration for the process, so the handlers to destroy are one list as well.
let installed: readonly BaseHandler[] = [];

/**
 * Replaces all handlers and loggers by those of `config`.
 *
 * @example
 * ```ts
 * import { ConsoleHandler, formatters, getLogger, setup } from "@std/log";
 *
 * setup({
 *   handlers: { console: new ConsoleHandler("DEBUG", { formatter: formatters.jsonFormatter }) },
 *   loggers: { default: { level: "INFO", handlers: ["console"] } },
 * });
 * getLogger().info("listening", { port: 5000 });
 * ```
 */
export function setup(config: LogConfig): void {
  const handlers = Object.entries(config.handlers ?? {});
  const names = handlers.map(([name]) => name);
  const loggers = Object.entries(config.loggers ?? {}).map(([name, logger]) => {
    const unknown = logger.handlers?.find((handler) => !names.includes(handler));
    if (unknown !== undefined) {
      const place = `loggers.${name}.handlers`;
      throw new TypeError(
        `Cannot set up logs: ${place} has "${unknown}", want one of ${names.join(", ") || "none"}`,
      );
    }
    return {
      category: category(name),
      sinks: [...logger.handlers ?? []],
      lowestLevel: TAPE_LEVELS[logger.level ?? "INFO"],
    };
  });
  for (const handler of installed) handler.destroy();
  installed = [];
  for (const [, handler] of handlers) {
    handler.setup();
    installed = [...installed, handler];
  }
  configureSync({
    reset: true,
    sinks: Object.fromEntries(
      handlers.map(([name, handler]) => [name, (record) => handler.handle(fromTape(record))]),
    ),
    // LogTape reports a handler that throws to its own logger, and leaves that handler out of the report.
    loggers: [...loggers, {
      category: ["logtape", "meta"],
      sinks: names,
      lowestLevel: "warning",
    }],
  });
}

function fromTape(record: TapeRecord): LogRecord {
  const levelName = LogLevelNames.find((name) => TAPE_LEVELS[name] === record.level) ?? "NOTSET";
  const { args } = record.properties;
  return new LogRecord({
    msg: record.message.map(asText).join(""),
    args: Array.isArray(args) ? args : [],
    level: LogLevels[levelName],
    loggerName: record.category.slice(1).join("."),
  }, record.timestamp);
}

/** Logs to the default logger. */
export function debug(msg: unknown, ...args: unknown[]): void {
  getLogger().debug(msg, ...args);
}

/** Logs to the default logger. */
export function info(msg: unknown, ...args: unknown[]): void {
  getLogger().info(msg, ...args);
}

/** Logs to the default logger. */
export function warn(msg: unknown, ...args: unknown[]): void {
  getLogger().warn(msg, ...args);
}

/** Logs to the default logger. */
export function error(msg: unknown, ...args: unknown[]): void {
  getLogger().error(msg, ...args);
}

/** Logs to the default logger. */
export function critical(msg: unknown, ...args: unknown[]): void {
  getLogger().critical(msg, ...args);
}
