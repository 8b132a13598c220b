// What people write: scripts, lines at prompts, flags, seeds, transcripts; and the texts of GoOvid's agents.

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { commandText, parseCommand, parseReply, replyText } from "../../agents/kvs/command.ts";
import { findDifference } from "../../agents/paxos_chatroom/consistency.ts";
import * as paxos from "../../agents/paxos_chatroom/texts.ts";
import { parseOperation } from "../../agents/vr/tty.ts";
import { type Call, parseCall, UsageError } from "../../cli/command.ts";
import { findWord, splitWords } from "../../cli/gobby_words.ts";
import { command as simCommand } from "../../cli/sim.ts";
import { formatChanges, readChanges } from "../../cli/sim_call.ts";
import { formatControl, parseControl } from "../../cli/terminal.ts";
import { parseSeed } from "../../core/random.ts";
import { diffLines } from "../../master/diff.ts";
import { type Command, type Dialect, parseLine, recogniseDialect } from "../../master/script.ts";
import { kvsCast } from "../../sim/casts/kvs.ts";
import { retell } from "../../sim/golden.ts";
import { storyOf } from "../../sim/story.ts";
import { fuzz, type Reading, refusing, type Subject } from "./fuzz.ts";

const word = fc.stringMatching(/^[!-~]{1,8}$/);
const text = fc.stringMatching(/^[!-~]( ?[!-~]){0,9}$/);
const number = fc.nat({ max: 99 }).map(String);

function printCommand(command: Command): string {
  switch (command.kind) {
    case "exit":
      return "exit";
    case "sleep":
      return `sleep ${command.ms}`;
    case "start":
      return [command.box, "start", command.count, command.port].filter((each) =>
        each !== undefined
      ).join(" ");
    case "ask":
    case "broadcast":
      return `${command.box} ${command.text}`;
    case "crash":
      return `${command.box} crash`;
  }
}

function readScriptLine(line: string, dialect: Dialect): Reading {
  recogniseDialect(line);
  const command = parseLine(line, dialect);
  if (command === undefined) return { taken: undefined };
  if (command.kind === "malformed") return { refused: command.error };
  return { taken: command, printed: printCommand(command) };
}

const verbs = fc.constantFrom("get", "alive", "crash", "broadcast hello  there", "get json");
const scripts: Readonly<Record<Dialect, fc.Arbitrary<string>>> = {
  numeric: fc.oneof(
    fc.constantFrom("exit", "sleep 100", "sleep .5e3", ""),
    fc.tuple(number, number).map(([id, port]) => `${id} start 100 ${port}1`),
    fc.tuple(number, verbs).map((parts) => parts.join(" ")),
  ),
  box: fc.oneof(
    fc.constantFrom("exit", "sleep 100", "127.0.0.1:5000 start", "127.0.0.1:5000 start 10000"),
    verbs.map((verb) => `[::1]:5000 ${verb}`),
  ),
};

function optional<T>(taken: T | undefined, print: (taken: T) => string): Reading {
  return taken === undefined ? { refused: "undefined" } : { taken, printed: print(taken) };
}

function readReply(line: string): Reading {
  for (const type of ["put", "get"] as const) {
    const taken = parseReply(line, type);
    if (taken !== undefined) return { taken, printed: replyText(taken) };
  }
  return { refused: "undefined" };
}

function printOperation(operation: NonNullable<ReturnType<typeof parseOperation>>): string {
  switch (operation.kind) {
    case "get":
      return `GET ${operation.key}`;
    case "delete":
      return `DEL ${operation.key}`;
    case "put":
      return `SET ${operation.key} ${operation.value}`;
    case "cas":
      return `CAS ${operation.key} ${operation.expected} ${operation.value}`;
  }
}

/** A word in quotes, if there are any that it has not got. */
function quoted(word: string): string {
  return word.split(/(")/).map((part) => part === '"' ? `'"'` : `"${part}"`).join("");
}

function readWords(line: string): Reading {
  return refusing([UsageError], () => {
    const words = splitWords(line);
    const [{ name }, operands] = findWord(words);
    return { taken: [name, ...operands], printed: words.map(quoted).join(" ") };
  });
}

/** Words between which a shell would have parted. */
function callOf(line: string): Call | undefined {
  return parseCall(simCommand, line.split(" ").filter((each) => each !== ""));
}

function readCall(line: string): Reading {
  return refusing([UsageError], () => {
    const call = callOf(line);
    if (call === undefined) return { taken: "help", printed: "--help" };
    const runs = call.integer("runs", 1, 1000);
    const changes = readChanges(call);
    const flags = [...formatChanges(changes), ...runs === undefined ? [] : [`--runs=${runs}`]];
    const { operands } = call;
    return {
      taken: { operands, runs, changes },
      printed: [...flags, ...operands.length === 0 ? [] : ["--", ...operands]].join(" "),
    };
  });
}

// Only what it is told happens: a story of its own would take milliseconds.
const echo = () => {
  let told: string[] = [];
  return {
    tell(command: string) {
      if (command.includes("!")) throw new Error("it is not to be told");
      told.push(`told ${command}`);
    },
    take() {
      const lines = told;
      told = [];
      return lines;
    },
  };
};

function readTranscript(text: string): Reading {
  return refusing([SyntaxError], () => {
    const printed = retell(text, { file: "f", teller: echo() });
    return { taken: printed, printed };
  });
}

const story = [
  "grid kvs seed=1",
  "start",
  "client c1 put color blue",
  "stabilize",
  "restart store",
  "client c1 get color",
  "stabilize",
].join("\n");

function readStory(commands: string): Reading {
  // A story may have to wait, and whoever runs one waits with it: these are about what is understood.
  const lines = commands.split("\n").filter((line) =>
    !/^\s*(run|until|repeat)\b|clients=|\d{4}/.test(line)
  );
  return refusing([SyntaxError], () => {
    const teller = storyOf([kvsCast]);
    return { taken: retell(`${lines.slice(0, 12).join("\n")}\n----\n`, { file: "f", teller }) };
  });
}

const dump = fc.array(fc.constantFrom("hole", "c1, 1 : 'a'", "c2, 1 : 'b'"), { maxLength: 6 });

/** The first half against the second. */
function readDumps(text: string): Reading {
  const [first = "", second = ""] = text.split("====\n");
  const difference = findDifference([{ name: "a", text: first }, { name: "b", text: second }]);
  const backward = findDifference([{ name: "b", text: second }, { name: "a", text: first }]);
  assertEquals(difference?.line, backward?.line);
  if (difference === undefined) return { taken: "the same" };
  const { line } = difference;
  const lines = [first, second].map((each) => each.split(/\r?\n/)[line - 1]);
  assertEquals(lines, [difference.first.text, difference.second.text]);
  return { refused: `line ${line}` };
}

/** An expected output and an actual one: by the difference each can be had from the other. */
function readOutputs(text: string): Reading {
  const [expected = "", actual = ""] = text.split("====\n");
  const lines = diffLines(expected, actual);
  const side = (of: "expected" | "actual") =>
    lines.filter((each) => each.side === "both" || each.side === of).map(({ line }) => line).join(
      "\n",
    );
  assertEquals([side("expected"), side("actual")], [expected, actual]);
  return { taken: lines };
}

const subjects: readonly Subject[] = [
  ...(["numeric", "box"] as const).map((dialect): Subject => ({
    name: `lines of ${dialect} scripts`,
    valid: scripts[dialect],
    pieces: [
      " start ",
      " get",
      " alive",
      " broadcast ",
      "sleep ",
      "exit",
      "127.0.0.1:1",
      "-1",
      "+1",
    ],
    refusal: /^Cannot .*, want /s,
    read: (line) => readScriptLine(line, dialect),
  })),
  {
    name: "commands of the key-value store",
    valid: fc.oneof(
      fc.tuple(word, text).map(([key, value]) => `put ${key} ${value}`),
      word.map((key) => `get ${key}`),
    ),
    pieces: ["put ", "get ", "\u3000"],
    read: (line) => optional(parseCommand(line), commandText),
  },
  {
    name: "replies of the key-value store",
    valid: fc.oneof(
      fc.constantFrom("putok", "getbad", "error: no"),
      text.map((value) => `getok ${value}`),
    ),
    pieces: ["putok", "getok", "getbad", "error:"],
    read: readReply,
  },
  {
    name: "lines at the terminal of a replicated store",
    valid: fc.oneof(
      fc.tuple(fc.constantFrom("GET", "del"), word).map((parts) => parts.join(" ")),
      fc.tuple(word, text).map(([key, value]) => `set ${key} ${value}`),
      fc.tuple(word, word, word).map((parts) => `cas ${parts.join(" ")}`),
    ),
    pieces: ["GET ", "SET ", "DEL ", "CAS "],
    read: (line) => optional(parseOperation(line), printOperation),
  },
  {
    name: "commands of the paxos chatroom",
    valid: fc.tuple(word, number, text).map((parts) => parts.join(" ")),
    read: (line) => optional(paxos.parseCommand(line), paxos.commandText),
  },
  {
    name: "answers of the paxos chatroom",
    valid: fc.tuple(word, number).map(([client, request]) => `committed ${client} ${request}`),
    pieces: ["committed "],
    read: (line) => optional(paxos.parseCommitted(line), paxos.committedText),
  },
  {
    name: "lines at the prompt of Gobby",
    valid: fc.oneof(
      fc.tuple(word, word).map(([key, value]) => `put ${quoted(key)} ${quoted(value)}`),
      word.map((key) => `get ${quoted(key)}`),
      fc.constantFrom("status", "range ''", 'cas a 0 "b c"', "lock a echo hi"),
    ),
    pieces: ["put ", "get ", "'", '"', "''", '""'],
    refusal: /, want |did you mean/,
    read: readWords,
  },
  {
    name: "flags of ovid sim",
    valid: fc.constantFrom(
      "vr 1 --runs 20",
      "vr --set=clients=2,replicas=3 --without=loss,kill",
      "vr 7 --steps=1,2,3 -runs=5",
      "--steps=none kvs",
      "kvs -- 7",
    ),
    pieces: ["--set=", "--without=", "--steps", " ", "=", "--", "-h", "loss"],
    refusal: /, want |did you mean/,
    read: readCall,
  },
  {
    name: "seeds",
    valid: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
    pieces: ["n", "0x", "18446744073709551616"],
    refusal: /^Cannot use ".*" as a seed, want /s,
    read: (text) =>
      refusing([SyntaxError], () => {
        const taken = parseSeed(text);
        return { taken, printed: String(taken) };
      }),
  },
  {
    name: "what a parent says to its boxes",
    valid: fc.oneof(fc.constant('{"eof":true}'), text.map((line) => JSON.stringify({ line }))),
    pieces: ['"line"', '"eof"', "{}"],
    read: (line) =>
      refusing([SyntaxError], () => {
        const taken = parseControl(line);
        return { taken, printed: formatControl(taken) };
      }),
  },
  {
    name: "golden transcripts",
    valid: fc.array(
      fc.constantFrom("# A comment.\n\n", "one\n----\n\n", "# Why.\none\ntwo\n----\nold\n\n"),
      { minLength: 1, maxLength: 4 },
    ).map((blocks) => `${blocks.join("")}last\n----\n`),
    pieces: ["----", "\n----\n", "#", "\n\n", "!"],
    refusal: /^f:\d+: |^Cannot tell f: /,
    read: readTranscript,
  },
  {
    name: "stories",
    valid: fc.nat({ max: 7 }).map((end) => story.split("\n").slice(0, Math.max(1, end)).join("\n")),
    pieces: [
      "store",
      "c1",
      "cut ",
      "heal",
      "restart ",
      "state ",
      "show ",
      "kill ",
      "->",
      "quietly",
      "=",
      "seed=2",
    ],
    refusal: /^f:\d+: /,
    cost: 10,
    read: readStory,
  },
  {
    name: "dumps of replicas",
    valid: fc.tuple(dump, dump).map((both) =>
      both.map((lines) => lines.join("\n")).join("\n====\n")
    )
      .filter((text) => "taken" in readDumps(text)),
    pieces: ["====\n", "hole", "\r\n"],
    read: readDumps,
  },
  {
    name: "expected and actual outputs",
    valid: fc.tuple(dump, dump).map((both) =>
      both.map((lines) => lines.join("\n")).join("\n====\n")
    ),
    pieces: ["====\n", "hole", "\r\n"],
    takesAll: true,
    read: readOutputs,
  },
];

fuzz(subjects);

Deno.test("fuzz: a story that is told is one that the readers above are fed with", () => {
  assert("taken" in readStory(story));
});
