// A round trip between agents in two boxes, beside one between two bare sockets.

import { bareCommand } from "./bare_command.ts";
import { Boxes } from "./boxes.ts";
import { type Contender, type Contest, rest } from "./contest.ts";
import { Process, type Self } from "./process.ts";
import { median } from "./statistics.ts";

const sliceMs = 600;

/** The median of the round trips of one slice, in microseconds. */
async function rally(player: Process): Promise<number> {
  await player.say("go");
  await rest(sliceMs);
  const times: number[] = JSON.parse(await player.ask("stop"));
  if (times.length === 0) throw new Error("Not one ball came back");
  return 1000 * median(times);
}

async function twoBoxes(self: Self): Promise<Contender> {
  const boxes = new Boxes(self, [
    [{ id: "server", type: "load_player", routes: { partner: ["partner"] } }],
    [{ id: "partner", type: "load_player", routes: { partner: ["server"] } }],
  ]);
  const [server] = boxes.processes;
  if (server === undefined) throw new Error("There are no boxes");
  // It answers only when the boxes are linked.
  await server.ask("stop");
  return {
    measure: () => rally(server),
    [Symbol.asyncDispose]: () => boxes[Symbol.asyncDispose](),
  };
}

async function bareSocket(self: Self): Promise<Contender> {
  const echo = new Process(bareCommand(self, ["echo"]));
  const player = new Process(bareCommand(self, ["player", await echo.hear()]));
  return {
    measure: () => rally(player),
    async [Symbol.asyncDispose]() {
      await player[Symbol.asyncDispose]();
      await echo[Symbol.asyncDispose]();
    },
  };
}

/** `ovid bench round-trip`. */
export function roundTripContest(self: Self, rounds: number): Contest {
  return {
    name: "round-trip",
    title: "a text from an agent to one in another box, and back",
    ceilingTitle: "the same line through a bare socket, and back",
    unit: "µs in the median",
    more: false,
    wanted: 2,
    reference: 50,
    rounds,
    ovid: () => twoBoxes(self),
    ceiling: () => bareSocket(self),
  };
}
