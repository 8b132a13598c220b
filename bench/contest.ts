// A benchmark: what Ovid does beside a ceiling that does only what cannot be left out, written with the same care. Both
// stand all the time and are measured in turn, so that whatever else the machine does slows both alike; what counts is
// the ratio within a round.

import { median, quantile } from "./statistics.ts";

/** Something that can be measured again and again. */
export interface Contender extends AsyncDisposable {
  /** One round, in the contest's unit. */
  measure(): Promise<number>;
}

/** What is compared, and what is wanted of it. */
export interface Contest {
  readonly name: string;
  /** What Ovid does, in a line. */
  readonly title: string;
  /** What the ceiling does, in a line. */
  readonly ceilingTitle: string;
  readonly unit: string;
  /** Whether more of the unit is better, as of a rate; else less is, as of a time. */
  readonly more: boolean;
  /** The ratio of Ovid's figure to the ceiling's that is wanted: at least, or at most if less is better. */
  readonly wanted: number;
  /**
   * What the ceiling does, or `fitness` where there is one, on a machine of this kind with nothing else to do. Less than
   * half of that, or more than twice a time, says that the machine was not fit to measure on.
   */
  readonly reference: number;
  /** Something simpler than the ceiling whose figure is well known; measured after each round. */
  readonly fitness?: () => Promise<number>;
  readonly rounds: number;
  ovid(): Promise<Contender>;
  ceiling(): Promise<Contender>;
}

/** Figures of several rounds. */
export interface Spread {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
}

/** What a contest came to. */
export interface Outcome {
  readonly name: string;
  readonly unit: string;
  readonly rounds: number;
  readonly ovid: Spread;
  readonly ceiling: Spread;
  readonly ratio: Spread;
  readonly wanted: number;
  readonly more: boolean;
  /** What says whether the machine was fit, and what it is on an idle one. */
  readonly fitness: number;
  readonly reference: number;
  /** `void` if the machine was not fit for the figures to mean anything. */
  readonly verdict: "met" | "missed" | "void";
}

/** Measures both sides in turn. */
export async function runContest(
  contest: Contest,
  round: (done: number) => void,
): Promise<Outcome> {
  await using ovid = await contest.ovid();
  await using ceiling = await contest.ceiling();
  // The first of each warms up.
  await ovid.measure();
  await ceiling.measure();
  const ours: number[] = [];
  const theirs: number[] = [];
  const fitness: number[] = [];
  for (let count = 0; count < contest.rounds; count++) {
    // Every second round backwards, so that none has always the better half of a busy moment.
    const turns = [
      async () => ours.push(await ovid.measure()),
      async () => theirs.push(await ceiling.measure()),
    ];
    for (const turn of count % 2 === 0 ? turns : turns.toReversed()) await turn();
    if (contest.fitness !== undefined) fitness.push(await contest.fitness());
    round(count + 1);
  }
  return judge(contest, ours, theirs, fitness.length > 0 ? fitness : theirs);
}

/** What figures that were measured in pairs say. */
export function judge(
  contest: Pick<Contest, "name" | "unit" | "more" | "wanted" | "reference">,
  ours: readonly number[],
  theirs: readonly number[],
  fitnesses: readonly number[] = theirs,
): Outcome {
  const { name, unit, more, wanted, reference } = contest;
  const ratio = spreadOf(ours.map((figure, index) => figure / (theirs[index] ?? 0)));
  const fitness = median(fitnesses);
  const isFit = more ? fitness >= reference / 2 : fitness <= reference * 2;
  const isMet = more ? ratio.median >= wanted : ratio.median <= wanted;
  const verdict = !isFit ? "void" : isMet ? "met" : "missed";
  return {
    ...{ name, unit, more, wanted, rounds: ours.length },
    ...{ ovid: spreadOf(ours), ceiling: spreadOf(theirs), ratio },
    ...{ fitness, reference, verdict },
  };
}

function spreadOf(values: readonly number[]): Spread {
  return {
    median: median(values),
    lowerQuartile: quantile(values, 0.25),
    upperQuartile: quantile(values, 0.75),
  };
}

/** Lets time pass. */
export function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
