// `ovid gobby`: keys, locks and elections of a Gobby that runs, by one command or by many.

import { createInterface } from "node:readline";
import process from "node:process";
import { GobbyClient } from "../client/gobby.ts";
import { OperationError } from "../client/group_client.ts";
import { messageOf } from "../core/error.ts";
import type { Grid } from "../core/grid.ts";
import {
  BadGridError,
  type Call,
  type Command,
  exitCodes,
  parseCall,
  UsageError,
} from "./command.ts";
import { findWord, splitWords, type Spoken, words } from "./gobby_words.ts";
import { gridFlags, requireGrid } from "./grid_file.ts";
import { readLines, standardInput } from "./terminal.ts";

const wordsText = words.map(({ usage, doc }) => `  ${usage.padEnd(43)}${doc}`).join("\n");

const beside = ["ovid box examples/gobby/grid.json --new"];
/** Waits until the boxes have chosen a master. */
const ready = "ovid gobby --timeout 120000 examples/gobby/grid.json put ready yes";

/** `ovid gobby`. */
export const command: Command = {
  name: "gobby",
  synopsis: "GRID [COMMAND...]",
  summary: "Uses the keys, locks and elections of a Gobby whose boxes run.",
  doc:
    `It finds the servers in the grid, all agents of type gobby_server, and talks to their boxes. Without a command it takes
one in each line of its standard input. What begins with a dash stands behind --.

Commands:
${wordsText}

The command of lock and elect has OVID_LOCK and OVID_TOKEN in its environment, and its exit code passes through. When it
is in doubt whether the lock is still held, the command is told to end (TERM), and is killed if it has not after a
while: it alone, so that a shell should exec what it runs. Ends with 0 if all went well, 1 if something failed, was
refused or is not there, 2 if it was called wrongly, 3 if the grid is wrong.`,
  operands: [1, Infinity],
  flags: [
    { name: "json", doc: "Prints JSON, a line for each result or event" },
    { name: "timeout", value: "MS", doc: "How long an operation may take; default 10000" },
    {
      name: "session",
      value: "MS",
      doc: "How long the program may be silent before its locks are gone; default 10000",
    },
    {
      name: "wait",
      value: "MS",
      doc: "How long lock and elect wait, 0 for not at all; default as long as it takes",
    },
    {
      name: "grace",
      value: "MS",
      doc: "How long a command may take to end; default 5000, at most a quarter of --session",
    },
    { name: "from", value: "REVISION", doc: "Where watch begins; default with what is to come" },
    { name: "count", value: "N", doc: "After how many events watch ends; default never" },
    { name: "stale", doc: "Lets get and range tell what any server has, and how old that is" },
    { name: "force", doc: "Lets restore write into a store that has keys" },
    ...gridFlags,
  ],
  examples: [
    {
      line: "ovid gobby examples/gobby/grid.json put colour blue",
      doc: "Puts a key",
      after: [ready],
      beside,
    },
    {
      line: "ovid gobby examples/gobby/grid.json watch jobs/ --from 1 --count 1",
      doc: "The first change there ever was",
      after: [ready, "ovid gobby examples/gobby/grid.json put jobs/1 mow"],
      beside,
    },
    {
      line: "ovid gobby examples/gobby/grid.json lock backup --wait 0 -- ./backup.sh",
      doc: "Runs a command unless another one has the lock",
      after: [ready],
      beside,
    },
    {
      line: "ovid gobby examples/gobby/grid_with_spares.json members replace r3 r4",
      doc: "Lets a spare keep the data in the place of a replica that is gone",
      after: [ready.replace("grid", "grid_with_spares")],
      beside: ["ovid box examples/gobby/grid_with_spares.json --new"],
    },
    {
      line: "ovid gobby examples/gobby/grid.json",
      doc: "A prompt that takes the same commands",
      input: ["put colour blue", "get colour"],
      after: [ready],
      beside,
    },
  ],
  async run(call) {
    const [path = "", ...spoken] = call.operands;
    // A command that is wrong is so whether the grid is right or not.
    if (spoken.length > 0) findWord(spoken);
    const { grid } = await requireGrid(path, call);
    const servers = serversOf(grid, path);
    const replicas = replicasOf(grid);
    const sessionTtlMs = call.integer("session", 100, 3_600_000) ?? 10_000;
    const deadlineMs = call.integer("timeout", 1, 3_600_000) ?? 10_000;
    await using gobby = new GobbyClient({ servers, replicas, sessionTtlMs, deadlineMs });
    const options = optionsOf(call, sessionTtlMs);
    if (spoken.length > 0) {
      const [word, operands] = findWord(spoken);
      const { signal } = new AbortController();
      try {
        return await word.run({ gobby, operands, signal, ...options });
      } catch (error) {
        throw explained(error, servers, options.stale);
      }
    }
    return await converse(gobby, servers, call, sessionTtlMs);
  },
};

type Options = Omit<Spoken, "gobby" | "operands" | "signal">;

function optionsOf(call: Call, sessionTtlMs: number): Options {
  const json = call.has("json");
  // From the first doubt on a third of the session's time is left: the command must have ended by then.
  const graceMs = Math.min(call.integer("grace", 0, 3_600_000) ?? 5000, sessionTtlMs / 4);
  return {
    json,
    print: (text) => console.log(text),
    graceMs,
    force: call.has("force"),
    waitMs: call.integer("wait", 0, 86_400_000),
    from: call.integer("from", 1, Number.MAX_SAFE_INTEGER),
    count: call.integer("count", 1, Number.MAX_SAFE_INTEGER),
    stale: call.has("stale"),
  };
}

function serversOf(grid: Grid, path: string): Record<string, string> {
  const servers = [...grid.agents.values()].filter(({ type }) => type === "gobby_server");
  if (servers.length === 0) {
    throw new BadGridError(
      `Cannot use Gobby by grid ${JSON.stringify(path)}: it has no agents of type gobby_server`,
    );
  }
  return Object.fromEntries(servers.map(({ id, box }) => [id, box]));
}

const replicaTypes: ReadonlySet<string> = new Set(["paxos_member", "vr_replica"]);

/** Whatever in a grid keeps Gobby's data, or could. */
function replicasOf({ agents }: Grid): Record<string, string> {
  const replicas = [...agents.values()].filter(({ type, attrs }) =>
    replicaTypes.has(type) && attrs.machine === "gobby_service"
  );
  return Object.fromEntries(replicas.map(({ id, box }) => [id, box]));
}

// A line that fails does not end the conversation, but a script is told.
async function converse(
  gobby: GobbyClient,
  servers: Readonly<Record<string, string>>,
  outer: Call,
  sessionTtlMs: number,
): Promise<number> {
  const interactive = Deno.stdin.isTerminal();
  const json = outer.has("json");
  let failed = false;
  let underWay: AbortController | undefined;
  const interrupt = () => underWay?.abort();
  const lines = interactive ? typedLines(interrupt) : readLines(standardInput());
  for await (const line of lines) {
    const said = splitWords(line);
    if (said.length === 0) continue;
    if (said[0] === "exit" || said[0] === "quit") break;
    try {
      const call = parseCall(command, ["GRID", ...said]);
      if (call === undefined || said[0] === "help") {
        console.log(wordsText);
        continue;
      }
      refuseOuter(call);
      const [word, operands] = findWord(call.operands.slice(1));
      const options = optionsOf(call, sessionTtlMs);
      const { signal } = underWay = new AbortController();
      const spoken = { gobby, operands, signal, ...options, json: json || options.json };
      const code = await word.run(spoken);
      if (code !== exitCodes.fine) failed = true;
    } catch (error) {
      failed = true;
      const why = messageOf(explained(error, servers, said.includes("--stale")));
      if (json) console.log(JSON.stringify({ failed: why }));
      else console.error(why);
    } finally {
      underWay = undefined;
    }
  }
  return failed && !interactive ? exitCodes.failure : exitCodes.fine;
}

// The client that the prompt talks through has been made with them.
function refuseOuter(call: Call): void {
  for (const flag of ["timeout", "session"]) {
    if (call.value(flag) !== undefined) {
      throw new UsageError(`Cannot use --${flag} at the prompt, want ovid gobby GRID --${flag} MS`);
    }
  }
}

// Whoever gets no answer has mostly started nothing yet, or killed too much.
function explained(
  error: unknown,
  servers: Readonly<Record<string, string>>,
  stale: boolean,
): unknown {
  if (!(error instanceof OperationError) || !error.message.startsWith("there was no answer")) {
    return error;
  }
  const boxes = [...new Set(Object.values(servers))].join(", ");
  const wanted = stale ? "one" : "more than half";
  return new Error(`${error.message}; want ${wanted} of the boxes ${boxes} running`, {
    cause: error,
  });
}

// Ctrl-C ends what is under way, Ctrl-D the conversation.
async function* typedLines(interrupt: () => void) {
  const { stdin: input, stdout: output } = process;
  const terminal = createInterface({ input, output, prompt: "gobby> " });
  terminal.on("SIGINT", interrupt);
  // Ctrl-D may come while something is under way, and then there is nothing to prompt at.
  let open = true;
  terminal.on("close", () => open = false);
  terminal.prompt();
  try {
    for await (const line of terminal) {
      yield line;
      if (open) terminal.prompt();
    }
  } finally {
    terminal.close();
  }
}
