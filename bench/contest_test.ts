import { assert, assertEquals } from "@std/assert";
import { chartSvg } from "./chart.ts";
import { type Contest, judge, runContest } from "./contest.ts";
import { formatScale } from "./scale.ts";

const rate = { name: "n", unit: "u", more: true, wanted: 0.5, reference: 100 };
const time = { ...rate, more: false, wanted: 2 };

Deno.test("judge compares within rounds: the median of the ratios, not the ratio of medians", () => {
  const { ratio, verdict } = judge(rate, [60, 30, 90], [100, 50, 150]);
  assertEquals([ratio.median, verdict], [0.6, "met"]);
});

Deno.test("judge finds what is too slow, whether more or less is better", () => {
  assertEquals(judge(rate, [49], [100]).verdict, "missed");
  assertEquals(judge(time, [201], [100]).verdict, "missed");
  assertEquals(judge(time, [199], [100]).verdict, "met");
});

Deno.test("judge takes no figures of a machine that is not fit", () => {
  assertEquals(judge(rate, [49], [49]).verdict, "void");
  assertEquals(judge(time, [199], [201]).verdict, "void");
  // What says so may be something else than the ceiling.
  assertEquals(judge(rate, [49], [49], [80]).verdict, "met");
});

Deno.test("runContest measures both sides in turn, the first of each not counted, and ends both", async () => {
  const turns: string[] = [];
  const side = (name: string, figure: number) => () =>
    Promise.resolve({
      measure() {
        turns.push(name);
        return Promise.resolve(figure);
      },
      [Symbol.asyncDispose]() {
        turns.push(`${name} ends`);
        return Promise.resolve();
      },
    });
  const contest: Contest = {
    ...{ ...rate, title: "", ceilingTitle: "", rounds: 2 },
    ovid: side("ovid", 60),
    ceiling: side("ceiling", 100),
  };
  const { ratio, rounds } = await runContest(contest, () => {});
  assertEquals([ratio.median, rounds], [0.6, 2]);
  assertEquals(turns.join(" "), "ovid ceiling ovid ceiling ceiling ovid ceiling ends ovid ends");
});

const series = [{
  name: "a < b",
  of: "boxes",
  points: [{ size: 2, rates: [1000, 3000, 2000] }, { size: 4, rates: [150_000] }],
}];

Deno.test("chartSvg draws every size, and escapes names", () => {
  const svg = chartSvg(series);
  assertEquals(svg.match(/<circle/g)?.length, 2);
  assert(svg.includes("a &lt; b") && !svg.includes("NaN"));
});

Deno.test("formatScale shows the median of each size", () => {
  assert(/ 2 +2,000 messages a second\n +4 +150,000 messages/.test(formatScale(series)));
});
