// Messages one way, from an agent in one process to an agent in another: text beside lines on a bare socket, and typed
// messages beside what coding and checking them takes.

import { loadMessage, loadProtocol } from "../agents/load/protocol.ts";
import { validate } from "../core/schema.ts";
import { bareCommand } from "./bare_command.ts";
import { Boxes } from "./boxes.ts";
import { type Contender, type Contest, rest } from "./contest.ts";
import { Process, type Self } from "./process.ts";

const textLength = 64;
const leadMs = 200;
const sliceMs = 800;

interface Counted {
  readonly taken: number;
  readonly now: number;
}

/** Messages a second that arrive while a source runs. */
async function flow(source: Process, sink: Process): Promise<number> {
  await source.say("go");
  await rest(leadMs);
  const before: Counted = JSON.parse(await sink.ask("count"));
  await rest(sliceMs);
  const after: Counted = JSON.parse(await sink.ask("count"));
  await source.say("stop");
  return (after.taken - before.taken) / (after.now - before.now) * 1000;
}

/** Two boxes: a source in the first, its sink in the second. */
async function twoBoxes(self: Self, kind: "text" | "order"): Promise<Contender> {
  const attrs = { kind, length: textLength };
  const boxes = new Boxes(self, [
    [{ id: "source", type: "load_source", attrs, routes: { sink: ["sink"] } }],
    [{ id: "sink", type: "load_sink" }],
  ]);
  const [source, sink] = boxes.processes;
  if (source === undefined || sink === undefined) throw new Error("There are no boxes");
  // Both answer only when they are linked.
  await sink.ask("count");
  return {
    measure: () => flow(source, sink),
    [Symbol.asyncDispose]: () => boxes[Symbol.asyncDispose](),
  };
}

/** Two processes with a socket between. */
async function bareSocket(self: Self): Promise<Contender> {
  const sink = new Process(bareCommand(self, ["sink"]));
  const port = await sink.hear();
  const source = new Process(bareCommand(self, ["source", port, String(textLength)]));
  return {
    measure: () => flow(source, sink),
    async [Symbol.asyncDispose]() {
      await source[Symbol.asyncDispose]();
      await sink[Symbol.asyncDispose]();
    },
  };
}

/** How often a message is read and checked in a second: what the receiving end cannot do without. */
function readingAlone(): Contender {
  const lines = Array.from(
    { length: 1000 },
    (_, index) => JSON.stringify(loadMessage("order", index, 0)),
  );
  return {
    measure() {
      const began = performance.now();
      let count = 0;
      for (; performance.now() - began < sliceMs; count += lines.length) {
        for (const line of lines) {
          const { type: _type, ...body } = JSON.parse(line);
          if (!validate(loadProtocol.order, body).ok) throw new Error(`Cannot read ${line}`);
        }
      }
      return Promise.resolve(count / (performance.now() - began) * 1000);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** `ovid bench text`. */
export function textContest(self: Self, rounds: number): Contest {
  return {
    name: "text",
    title: `texts of ${textLength} bytes from an agent in one box to an agent in another`,
    ceilingTitle: "the same lines through a bare socket, written by one loop and split by another",
    unit: "messages a second",
    more: true,
    wanted: 0.25,
    reference: 2_200_000,
    rounds,
    ovid: () => twoBoxes(self, "text"),
    ceiling: () => bareSocket(self),
  };
}

/** `ovid bench typed`. */
export function typedContest(self: Self, rounds: number): Contest {
  return {
    name: "typed",
    title: "typed messages from an agent in one box to an agent in another, each checked",
    ceilingTitle: "reading the same messages from JSON and checking them, without any link",
    unit: "messages a second",
    more: true,
    wanted: 0.5,
    reference: 400_000,
    rounds,
    ovid: () => twoBoxes(self, "order"),
    ceiling: () => Promise.resolve(readingAlone()),
  };
}
