// A box of a soak, as a process: a real box, but that it dials others where a proxy listens, and tells how large it is.

import { join } from "@std/path";
import { Box } from "../../box/box.ts";
import { openJournal } from "../../box/journal.ts";
import { memoryJournal } from "../../box/memory_journal.ts";
import { makeCollector } from "../../cli/collect.ts";
import { parseGrid } from "../../core/config/parse.ts";
import type { AgentDefinition } from "../../core/define.ts";
import type { BoxId } from "../../core/id.ts";
import { keeper, talker } from "./agents.ts";

/** What a box is told: the argument of this program, as JSON. */
export interface BoxCall {
  readonly box: string;
  /** Where it listens; its id is where the proxy does. */
  readonly listen: string;
  readonly gridFile: string;
  readonly data: string;
  readonly canary: string;
  readonly sampleMs: number;
}

/** A line on standard output. */
export interface Sample {
  readonly rss: number;
  /** Once all garbage is collected. */
  readonly heap: number;
}

async function run(call: BoxCall): Promise<void> {
  const { grid } = parseGrid(await Deno.readTextFile(call.gridFile), call.gridFile);
  if (grid === undefined) throw new Error("There is no grid");
  const log = {
    debug() {},
    info() {},
    warn: (text: string) => console.error(`warn ${text}`),
    error: (text: string) => console.error(`error ${text}`),
  };
  const collector = makeCollector();
  const box = await Box.start({
    box: call.box as BoxId,
    grid,
    definitions: new Map<string, AgentDefinition>([["keeper", keeper], ["talker", talker]]),
    // The canary: what is acknowledged is in memory alone.
    journal: call.canary === "loss"
      ? memoryJournal()
      : await openJournal(join(call.data, "journal")),
    addressOf: (id) => id === call.box ? call.listen : id,
    collector,
    log,
  });
  const leaked: Uint8Array[][] = [];
  const timer = setInterval(() => {
    if (call.canary === "leak") {
      leaked.push(Array.from({ length: 20_000 }, () => new Uint8Array(8)));
    }
    const { rss } = Deno.memoryUsage();
    collector.collect();
    const sample: Sample = { rss, heap: Deno.memoryUsage().heapUsed };
    console.log(JSON.stringify(sample));
  }, call.sampleMs);
  // Ends with the pipe of its parent, or by itself.
  const gone = (async () => {
    for await (const _ of Deno.stdin.readable);
  })();
  const end = await Promise.race([gone, box.ended]);
  clearInterval(timer);
  if (end?.why === "failed") console.error(`error this box must end: ${end.error}`);
  await box.close();
  Deno.exit(end === undefined ? 0 : 1);
}

if (import.meta.main) await run(JSON.parse(Deno.args[0] ?? "{}"));
