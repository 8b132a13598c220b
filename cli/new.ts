// `ovid new`: writes the beginning of something of your own.

import { relative } from "@std/path";
import { isBuilt } from "./built.ts";
import { type Command, exitCodes, unknownWord, UsageError } from "./command.ts";
import { templates, writeAgent, type WrittenAgent } from "./new_agent.ts";

/** `ovid new`. */
export const command: Command = {
  name: "new",
  synopsis: "agent NAME",
  summary: "Writes a small agent that works, with its grid, its simulation and its test.",
  doc:
    `Writes NAME.ts, NAME.json, NAME_invariant.ts and NAME_test.ts into this folder. Run from its sources, it writes a
deno.json that says where Ovid is, unless there is one; a single executable needs none. All of it passes as it is written: change it, and see what fails. With --typed, the
default, the agent is a counter that takes messages with schemas; with --text it speaks GoOvid's text at numbered
ports. Files that are there already are never overwritten: exit code 2.`,
  words: ["agent"],
  operands: [2, 2],
  flags: [
    { name: "typed", doc: "An agent that is asked by typed messages; the default" },
    { name: "text", doc: "An agent that speaks text at numbered ports" },
    { name: "into", value: "FOLDER", doc: "Writes there; default: this folder" },
  ],
  examples: [
    { line: "ovid new agent counter", doc: "A durable counter" },
    { line: "ovid new agent letters --text --into ./letters", doc: "Letters that all arrive" },
  ],
  async run(call) {
    const [what = "", name = ""] = call.operands;
    if (what !== "agent") throw new UsageError(unknownWord(what, what, [{ name: "agent" }]));
    if (call.has("typed") && call.has("text")) {
      throw new UsageError("Cannot use --typed and --text at once, want one of them");
    }
    const template = call.has("text") ? templates.text : templates.typed;
    const into = call.value("into") ?? ".";
    const written = await writeAgent(name, template, into);
    console.log(describe(name, into, written, template.boxFlags ?? ""));
    return exitCodes.fine;
  },
};

function describe(
  name: string,
  into: string,
  { folder, files, config }: WrittenAgent,
  boxFlags: string,
): string {
  const step = relative(Deno.cwd(), folder);
  return [
    ...files.map((file) => `wrote ${into === "." ? file : `${into.replace(/\/$/, "")}/${file}`}`),
    ...config === undefined ? [] : [`${config} says where "ovid" is found`],
    "",
    "Next:",
    ...step === "" ? [] : [`  cd ${into}`],
    isBuilt ? "  ovid test" : "  deno test -A",
    `  ovid sim ./${name}.json 1 --runs 200`,
    `  ovid box ./${name}.json${boxFlags}`,
    ...isBuilt ? [] : ["", "Without an ovid on the path: deno task ovid in its place"],
  ].join("\n");
}
