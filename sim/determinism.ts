// Runs a seed twice and finds the first event that differs: the agent that it names has looked at a clock, at a
// source of chance that is nobody's, or at what an earlier run has left behind.

import { HashWords } from "./hash_words.ts";
import { type Result, type RunOptions, runScenario } from "./run.ts";
import { RunningHash } from "./running_hash.ts";
import type { Scenario } from "./scenario.ts";
import { formatEvent, hashEvent, type WorldEvent } from "./world_event.ts";

interface Difference {
  /** From 1. */
  readonly step: number;
  readonly first: WorldEvent | undefined;
  readonly second: WorldEvent | undefined;
}

/** Runs a scenario twice. The result of the first run, or one with verdict `determinism` if the second was another. */
export function checkDeterminism(
  scenario: Scenario,
  seed: bigint,
  options: RunOptions = {},
): Result {
  const words = new HashWords();
  const events: WorldEvent[] = [];
  const hashes: string[] = [];
  const result = runScenario(scenario, seed, {
    ...options,
    observer(event) {
      // Hashed at once: an event that is changed later would hide what it was.
      events.push(event);
      hashes.push(hashOf(event, words));
      options.observer?.(event);
    },
  });
  let difference: Difference | undefined;
  let step = 0;
  const again = runScenario(scenario, seed, {
    ...options,
    observer(event) {
      step++;
      if (difference !== undefined || hashes[step - 1] === hashOf(event, words)) return;
      difference = { step, first: events[step - 1], second: event };
    },
  });
  if (difference === undefined && step < events.length) {
    difference = { step: step + 1, first: events[step], second: undefined };
  }
  if (difference !== undefined) return { ...result, ...tell(difference) };
  if (result.hash === again.hash && result.failure === again.failure) return result;
  return {
    ...result,
    verdict: "determinism",
    failure: "Two runs with equal events end differently",
  };
}

function hashOf(event: WorldEvent, words: HashWords): string {
  const hash = new RunningHash(words);
  hashEvent(hash, event);
  return hash.digest();
}

function tell({ step, first, second }: Difference): Pick<Result, "verdict" | "failure" | "story"> {
  const line = (event: WorldEvent | undefined) =>
    event === undefined ? "(the end)" : formatEvent(event);
  const who = actorOf(first) ?? actorOf(second) ?? "the world";
  return {
    verdict: "determinism",
    failure: `Two runs differ at step ${step}, by ${who}`,
    story: [`first:  ${line(first)}`, `second: ${line(second)}`],
  };
}

/** Whose doing an event is. */
function actorOf(event: WorldEvent | undefined): string | undefined {
  if (event === undefined) return undefined;
  switch (event.kind) {
    case "mail":
      return `agent "${event.envelope.from}"`;
    case "append":
      return `agent "${event.append.agent}"`;
    case "output":
      return `agent "${event.output.agent}"`;
    case "fault":
      return `agent "${event.fault.agent}"`;
    case "note":
      return event.note.agent === undefined ? `box "${event.box}"` : `agent "${event.note.agent}"`;
    case "end":
    case "input":
      return `agent "${event.agent}"`;
    case "cut":
    case "heal":
    case "clog":
      return `the link "${event.from}" -> "${event.to}"`;
    default:
      return `box "${event.box}"`;
  }
}
