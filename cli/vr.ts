// `ovid vr`: a replicated key-value server and its client, with go-vsr's commands and flags.

import { createInterface } from "node:readline";
import process from "node:process";
import { join } from "@std/path";
import { GroupClient, OperationError } from "../client/group_client.ts";
import { isLoopback, parseBox } from "../core/config/address.ts";
import type { Json } from "../core/data.ts";
import { crc32c } from "../core/journal_format.ts";
import type { AgentEntry, Grid } from "../core/grid.ts";
import { type AgentId, agentId, type BoxId, compareBytes } from "../core/id.ts";
import { messageOf } from "../core/error.ts";
import { builtIns } from "../agents/registry.ts";
import { parseOperation } from "../agents/vr/tty.ts";
import { openJournal } from "../box/journal.ts";
import { type Call, type Command, exitCodes, unknownWord, UsageError } from "./command.ts";
import { openLog } from "./log.ts";
import { runBox } from "./one_box.ts";
import { readLines, standardInput } from "./terminal.ts";

/** `ovid vr`. */
export const command: Command = {
  name: "vr",
  synopsis: "server|client --members A,B,C [--id N --port PORT]",
  summary: "Runs a replica of a key-value store, or a client of one.",
  doc:
    `The members are the addresses of all replicas, in one order everywhere. A server keeps its data in .ovid/vr/
unless --data says otherwise. A client takes GET KEY, SET KEY VALUE, DEL KEY and CAS KEY OLD NEW, and prints results
as JSON. DEBUG=1 logs more.`,
  words: ["server", "client"],
  operands: [1, 1],
  flags: [
    { name: "members", value: "A,B,C", doc: "The addresses of all replicas" },
    { name: "id", value: "N", doc: "Which of the members this server is, from 0" },
    { name: "port", value: "PORT", doc: "Its port, which must be that of the member" },
    { name: "data", value: "FOLDER", doc: "Keeps the server's data there" },
    {
      name: "new",
      doc: "Lets it begin with an empty disk: for the first start of the group, and never again",
    },
    {
      name: "timeout",
      value: "MS",
      doc: "How long an operation of the client may take; default 10000",
    },
    {
      name: "insecure",
      doc: "Allows addresses that other machines can reach, without any protection",
    },
    {
      name: "via",
      value: "A=B,C=D",
      doc: "Reaches member A at address B, and C at D, as behind a proxy",
      hidden: true,
    },
    { name: "supervised", doc: "Ends with standard input", hidden: true },
  ],
  examples: [
    {
      line:
        "ovid vr server --members 127.0.0.1:10000,127.0.0.1:10001,127.0.0.1:10002 --id 0 --port 10000",
      doc: "The first of three replicas",
      serves: "replica 0 of 3",
    },
    {
      line: "ovid vr client --members 127.0.0.1:10000,127.0.0.1:10001,127.0.0.1:10002",
      doc: "A client",
      input: ["SET abc 123", "GET abc"],
      beside: [0, 1, 2].map((id) =>
        "ovid vr server --members 127.0.0.1:10000,127.0.0.1:10001,127.0.0.1:10002 " +
        `--id ${id} --port ${10000 + id}`
      ),
    },
  ],
  run(call) {
    const [what = ""] = call.operands;
    if (what !== "server" && what !== "client") {
      throw new UsageError(unknownWord(what, what, [{ name: "server" }, { name: "client" }]));
    }
    const members = readMembers(call);
    return what === "server" ? runServer(members, call) : runClient(members, call);
  },
};

function readMembers(call: Call): BoxId[] {
  const text = call.value("members");
  if (text === undefined) {
    throw new UsageError("Cannot run without --members A,B,C, the addresses of all replicas");
  }
  try {
    const members = text.split(",").map((address) => parseBox(address.trim()));
    if (new Set(members).size < members.length) throw new SyntaxError("a member is named twice");
    const open = members.find((member) => !isLoopback(member));
    if (open !== undefined && !call.has("insecure")) {
      throw new SyntaxError(`${open} is not a loopback address, want one, or --insecure`);
    }
    return members;
  } catch (error) {
    throw new UsageError(`Cannot use --members ${text}: ${messageOf(error)}`);
  }
}

/** At which other addresses members are dialled. */
function readDetours(members: readonly BoxId[], call: Call): ReadonlyMap<BoxId, string> {
  const text = call.value("via");
  const detours = new Map<BoxId, string>();
  for (const part of text?.split(",") ?? []) {
    const [member, address = "", ...rest] = part.split("=");
    const box = members.find((each) => each === member);
    try {
      if (box === undefined || rest.length > 0) throw new SyntaxError("want MEMBER=ADDRESS");
      detours.set(box, parseBox(address));
    } catch (error) {
      throw new UsageError(`Cannot use --via ${text}: ${messageOf(error)}`);
    }
  }
  return detours;
}

const replicaName = (index: number): AgentId => agentId(`r${index}`);

function groupGrid(members: readonly BoxId[], bootstrap: boolean): Grid {
  const attrs = {
    replicas: members.map((_, index) => replicaName(index)),
    machine: "kv",
    bootstrap,
  };
  const agents = new Map<AgentId, AgentEntry>();
  members.forEach((box, index) => {
    const id = replicaName(index);
    agents.set(id, { id, type: "vr_replica", box, attrs, routes: new Map() });
  });
  return { file: "", agents, boxes: [...members].sort(compareBytes), plugins: new Map() };
}

async function runServer(members: readonly BoxId[], call: Call): Promise<number> {
  const id = call.integer("id", 0, members.length - 1);
  const box = id === undefined ? undefined : members[id];
  if (id === undefined || box === undefined) {
    throw new UsageError(`Cannot run a server without --id, want 0 to ${members.length - 1}`);
  }
  const port = call.integer("port", 1, 65535);
  if (port !== undefined && !box.endsWith(`:${port}`)) {
    throw new UsageError(`Cannot listen at --port ${port} as member ${id}, which is ${box}`);
  }
  const detours = readDetours(members, call);
  const home = join(
    ".ovid",
    "vr",
    crc32c(new TextEncoder().encode(members.join())).toString(16).padStart(8, "0"),
  );
  const folder = call.value("data") ?? join(home, String(id));
  const debug = Deno.env.get("DEBUG") === "1";
  using log = openLog({ debug });
  const bootstrap = call.has("new") || await isFirstStart(folder);
  if (bootstrap) log.info("first start: this replica may begin with an empty disk");
  const journal = await openJournal(join(folder, "journal"));
  await Deno.writeTextFile(
    `${folder}.founded`,
    "This replica has been started; its data are beside this file.\n",
  );
  return await runBox({
    box,
    grid: groupGrid(members, bootstrap),
    definitions: builtIns,
    addressOf: (member) => (member === box ? undefined : detours.get(member)) ?? member,
    journal,
    log,
    debug,
  }, {
    supervised: call.has("supervised"),
    attached: undefined,
    about: `replica ${id} of ${members.length}, data in ${folder}`,
  });
}

/**
 * Whether a replica was never here. Its mark stands beside its data, not among them: a replica whose data are gone
 * has lost its disk, and must not come back as if it had never promised anything.
 */
async function isFirstStart(folder: string): Promise<boolean> {
  const there = (path: string) => Deno.stat(path).then(() => true, () => false);
  const [data, mark] = await Promise.all([there(folder), there(`${folder}.founded`)]);
  if (mark && !data) {
    throw new Error(
      `The data of this replica are gone: there is ${folder}.founded, but no ${folder}. It must not come back as ` +
        `itself; let another take its place, or use --new if the whole group is new`,
    );
  }
  return !data;
}

async function runClient(members: readonly BoxId[], call: Call): Promise<number> {
  const replicas = Object.fromEntries(
    members.map((address, index) => [replicaName(index), address]),
  );
  const deadlineMs = call.integer("timeout", 1, 3_600_000) ?? 10_000;
  await using group = new GroupClient({ replicas, deadlineMs });
  const interactive = Deno.stdin.isTerminal();
  let failed = false;
  for await (const line of interactive ? typedLines() : readLines(standardInput())) {
    if (line.trim() === "") continue;
    const result = await answer(group, line.trim());
    failed ||= typeof result === "object" && result !== null && "kind" in result &&
      result.kind === "failed";
    console.log(`${interactive ? "server=> " : ""}${JSON.stringify(result)}`);
  }
  return failed && !interactive ? exitCodes.failure : exitCodes.fine;
}

// The machine's result as it is, or why there is none.
async function answer(group: GroupClient, line: string): Promise<Json> {
  const operation = parseOperation(line);
  if (operation === undefined) {
    return {
      kind: "failed",
      certain: true,
      why: "want GET KEY, SET KEY VALUE, DEL KEY or CAS KEY OLD NEW",
    };
  }
  try {
    return await group.invoke(operation);
  } catch (error) {
    const certain = error instanceof OperationError && error.certain;
    return { kind: "failed", certain, why: messageOf(error) };
  }
}

async function* typedLines() {
  const terminal = createInterface({
    input: process.stdin,
    output: process.stdout,
    prompt: "client=> ",
  });
  terminal.prompt();
  try {
    for await (const line of terminal) {
      yield line;
      terminal.prompt();
    }
  } finally {
    terminal.close();
  }
}
