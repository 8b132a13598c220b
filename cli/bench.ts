// `ovid bench`: how fast Ovid is on this machine, beside ceilings that are measured in the same run.

import type { Contest, Outcome } from "../bench/contest.ts";
import { type Call, type Command, exitCodes, unknownWord, UsageError } from "./command.ts";
import { selfCommand } from "./self.ts";
import { Progress } from "./sim_report.ts";

const contests = ["text", "typed", "round-trip", "puts", "start", "memory"] as const;
const names = [...contests, "scale"] as const;
const roundsDefault = 9;

/** How a benchmark may end, by what the machine does today. */
const any = [exitCodes.fine, exitCodes.failure];

/** `ovid bench`. */
export const command: Command = {
  name: "bench",
  synopsis: "[NAME]",
  summary: "Measures messages, round trips, puts and starts beside bare sockets.",
  doc: `NAME is one of

  text        texts of 64 bytes from an agent in one box to an agent in another
  typed       typed messages, each checked, beside what reading and checking them takes
  round-trip  a message to an agent in another box, and back
  puts        durable puts of 64 clients to a key-value store
  start       16 boxes, until each sees all others alive
  memory      what those have
  scale       messages a second for 1, 10 and 100 agents a box, and for 2, 4, 8 and 16 boxes

and all but the last without one. Each is measured beside a ceiling: a program of bare sockets that does only what
cannot be left out. Both are put under load in turn, and what counts is the ratio within a round, since other work on
the machine slows both. If the ceiling, or for puts the bare disk, does less than half of what it does on an idle
machine with two cores, the figures mean nothing, and the verdict is "void".

Exit codes: 0 all is as wanted, 1 something is missed or void, 2 wrong usage.`,
  operands: [0, 3],
  flags: [
    {
      name: "rounds",
      value: "N",
      doc: `How often each side is measured; default: ${roundsDefault}`,
    },
    { name: "json", doc: "Prints the results as JSON, a line each" },
    { name: "svg", value: "FILE", doc: "Draws what `scale` measures" },
    { name: "bare", doc: "Plays a part of a ceiling", hidden: true },
  ],
  examples: [
    { line: "ovid bench round-trip --rounds 1", doc: "One round, to see what there is", code: any },
    { line: "ovid bench", doc: "Everything but `scale`, some minutes", code: any },
    { line: "ovid bench scale --svg scale.svg", doc: "How the cost grows, as a picture" },
  ],
  async run(call) {
    if (call.has("bare")) {
      const { runBare } = await import("../bench/bare.ts");
      const [role = "", ...args] = call.operands;
      await runBare(role, args);
      return exitCodes.fine;
    }
    const [name, tooMuch] = call.operands;
    if (tooMuch !== undefined) throw new UsageError(`Cannot use ${tooMuch}, want one NAME`);
    if (name !== undefined && !names.some((each) => each === name)) {
      throw new UsageError(unknownWord(`benchmark ${name}`, name, names.map((name) => ({ name }))));
    }
    const rounds = call.integer("rounds", 1, 1000);
    if (name === "scale") return await scale(call, rounds ?? 3);
    if (call.value("svg") !== undefined) {
      throw new UsageError("Cannot draw this, want ovid bench scale --svg FILE");
    }
    return await compare(await choose(name, rounds ?? roundsDefault), call);
  },
};

async function choose(name: string | undefined, rounds: number): Promise<Contest[]> {
  const { textContest, typedContest } = await import("../bench/streams.ts");
  const { roundTripContest } = await import("../bench/round_trip.ts");
  const { putsContest } = await import("../bench/puts.ts");
  const { startContest, memoryContest } = await import("../bench/start.ts");
  const few = Math.min(rounds, 5);
  return [
    textContest(selfCommand, rounds),
    typedContest(selfCommand, rounds),
    roundTripContest(selfCommand, rounds),
    putsContest(selfCommand, rounds),
    startContest(selfCommand, few),
    memoryContest(selfCommand, few),
  ].filter((contest) =>
    name === undefined
      // Memory is what Linux says of processes.
      ? contest.name !== "memory" || Deno.build.os === "linux"
      : contest.name === name
  );
}

async function compare(chosen: readonly Contest[], call: Call): Promise<number> {
  const { runContest } = await import("../bench/contest.ts");
  let isFine = true;
  for (const contest of chosen) {
    const progress = new Progress();
    const outcome = await runContest(
      contest,
      (done) => progress.show(() => `${contest.name}: round ${done} of ${contest.rounds}`),
    );
    progress.end();
    isFine &&= outcome.verdict === "met";
    console.log(call.has("json") ? JSON.stringify(outcome) : formatOutcome(contest, outcome));
  }
  return isFine ? exitCodes.fine : exitCodes.failure;
}

async function scale(call: Call, rounds: number): Promise<number> {
  const { formatScale, runScale } = await import("../bench/scale.ts");
  const progress = new Progress();
  const series = await runScale(selfCommand, rounds, (what) => progress.show(() => what));
  progress.end();
  console.log(call.has("json") ? JSON.stringify(series) : formatScale(series));
  const file = call.value("svg");
  if (file !== undefined) {
    const { chartSvg } = await import("../bench/chart.ts");
    await Deno.writeTextFile(file, chartSvg(series));
  }
  return exitCodes.fine;
}

const figure = (value: number) =>
  value >= 1000 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);

/** An outcome for people: both sides, the ratio with its quartiles, and what was wanted. */
function formatOutcome(contest: Contest, outcome: Outcome): string {
  const { ovid, ceiling, ratio, wanted, more, unit, verdict, rounds } = outcome;
  const side = ({ median, lowerQuartile, upperQuartile }: Outcome["ovid"], title: string) =>
    `  ${figure(median).padStart(10)}  (${figure(lowerQuartile)} to ${
      figure(upperQuartile)
    })  ${title}`;
  const words = {
    met: "met",
    missed: "MISSED",
    void: `VOID: ${figure(outcome.fitness)} of the ${
      figure(outcome.reference)
    } that an idle machine shows; measure again on one`,
  };
  return [
    `${contest.name}, ${unit}: the median (and quartiles) of ${rounds} rounds`,
    side(ovid, contest.title),
    side(ceiling, contest.ceilingTitle),
    `  ${ratio.median.toFixed(2).padStart(10)}  (${ratio.lowerQuartile.toFixed(2)} to ${
      ratio.upperQuartile.toFixed(2)
    })  the ratio, wanted at ${more ? "least" : "most"} ${wanted}: ${words[verdict]}`,
  ].join("\n");
}
