// The program: reads the subcommand, runs it, and ends the process.

import { BadGridError, exitCodes, helpOf, parseCall, unknownWord, UsageError } from "./command.ts";
import { commands } from "./commands.ts";
import { leave } from "./leave.ts";
import { restoreEnvironment } from "./self.ts";
import { version } from "./version.ts";

/**
 * Runs the program and gives its exit code.
 *
 * @param args What the user wrote behind `ovid`.
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await dispatch(args);
  } catch (error) {
    if (error instanceof UsageError) return complain(error.message, exitCodes.usage);
    if (error instanceof BadGridError) return complain(error.message, exitCodes.badGrid);
    return complain(error instanceof Error ? error.message : String(error), exitCodes.failure);
  }
}

async function dispatch(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args;
  if (first === undefined || first === "help" || first === "--help" || first === "-h") {
    return await help(rest);
  }
  if (first === "version" || first === "--version" || first === "-V") {
    console.log(`ovid ${version}`);
    return exitCodes.fine;
  }
  const entry = commands.find((each) => each.name === first);
  if (entry !== undefined) return await run(entry.name, rest);
  // GoOvid's own form: flags, then a config file and a box.
  const isFlag = first.startsWith("-") || args.length === 2;
  if (isFlag && args.at(-2)?.endsWith(".json")) {
    return await run("box", goOvidArgs(args));
  }
  throw new UsageError(unknownWord(`command ${first}`, first, commands));
}

// There -log takes no value, and writes where GoOvid wrote.
function goOvidArgs(args: readonly string[]): string[] {
  const box = args.at(-1);
  return args.map((arg) => /^--?log$/.test(arg) ? `--log=tmp/box_${box}.log` : arg);
}

async function run(name: string, args: readonly string[]): Promise<number> {
  const command = await commands.find((each) => each.name === name)?.load();
  if (command === undefined) throw new UsageError(unknownWord(`command ${name}`, name, commands));
  const call = parseCall(command, args);
  if (call === undefined) {
    console.log(helpOf(command));
    return exitCodes.fine;
  }
  return await command.run(call);
}

async function help([topic]: readonly string[]): Promise<number> {
  if (topic !== undefined && topic !== "help") {
    const entry = commands.find((each) => each.name === topic);
    if (entry === undefined) throw new UsageError(unknownWord(`command ${topic}`, topic, commands));
    console.log(helpOf(await entry.load()));
    return exitCodes.fine;
  }
  const width = Math.max(...commands.map((each) => each.name.length));
  console.log([
    `ovid ${version}: distributed services made of agents`,
    "",
    "Usage: ovid COMMAND [ARGS...]",
    "",
    "Commands:",
    ...commands.map((each) => `  ${each.name.padEnd(width)}  ${each.summary}`),
    "",
    "`ovid help COMMAND` says more about one. `ovid box` alone runs a key-value store in two boxes.",
  ].join("\n"));
  return exitCodes.fine;
}

function complain(message: string, code: number): number {
  console.error(`ovid: ${message}`);
  return code;
}

if (import.meta.main) {
  restoreEnvironment();
  await leave(await main(Deno.args));
}
