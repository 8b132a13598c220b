// `ovid trace`: the mail of a running grid, as it reaches its agents.

import { cyan, dim } from "@std/fmt/colors";
import { type TraceFilter, traceQueueMax } from "../box/tracing.ts";
import { ClientLink } from "../client/link.ts";
import type { Envelope } from "../core/envelope.ts";
import type { Grid } from "../core/grid.ts";
import { agentId, type BoxId } from "../core/id.ts";
import { seededRandom } from "../core/random.ts";
import { tcp } from "../transport/tcp.ts";
import { type Call, type Command, exitCodes, unknownWord, UsageError } from "./command.ts";
import { gridFlags, readGridFile, refused } from "./grid_file.ts";
import { wantsColour } from "./log.ts";
import { onStopSignals } from "./signals.ts";

/** `ovid trace`. */
export const command: Command = {
  name: "trace",
  synopsis: "GRID",
  summary: "Follows the mail of a running grid, a line a message.",
  doc:
    `Joins each box of the grid as a guest and prints what reaches its agents and its clients: when (UTC), from whom to
whom, of what type, and the rest as JSON, shortened. Flags together narrow it down. Boxes that do not run yet are
waited for. A box never waits for a tracer: one that reads too slowly misses mail and says how much (${
      traceQueueMax >> 10
    } KiB
may wait for it). Only boxes that run on this machine can be traced, and boxes of GoOvid's cannot.`,
  operands: [1, 1],
  flags: [
    { name: "agent", value: "AGENT", doc: "Only mail from or to this agent" },
    { name: "type", value: "TYPE", doc: "Only mail of this type; text is of type text" },
    { name: "text", value: "TEXT", doc: "Only mail with this in its JSON" },
    { name: "count", value: "N", doc: "Ends after N lines" },
    { name: "json", doc: "Prints JSON lines, the body in full as far as boxes tell it" },
    ...gridFlags,
  ],
  examples: [
    {
      line: "ovid trace examples/gobby/grid.json --agent s1",
      doc: "What the first of Gobby's servers says and hears",
      serves: "traces 127.0.0.1:",
      beside: ["ovid box examples/gobby/grid.json --new"],
    },
    {
      line: "ovid trace examples/chat/grid.json --agent 10 --json",
      doc: "All that alice says and hears",
      serves: "traces 127.0.0.1:",
      beside: ["ovid box examples/chat/grid.json --attach 10"],
    },
  ],
  async run(call) {
    const [path = ""] = call.operands;
    const { grid, problems } = await readGridFile(path, call, false);
    if (grid === undefined) throw refused("trace", path, problems);
    return await follow(grid, readFilter(grid, call), call);
  },
};

function readFilter(grid: Grid, call: Call): TraceFilter {
  const [agent, type, text] = ["agent", "type", "text"].map((flag) => call.value(flag));
  if (agent !== undefined && ![...grid.agents.keys()].some((id) => id === agent)) {
    const known = Array.from(grid.agents.keys(), (name) => ({ name }));
    throw new UsageError(unknownWord(`agent ${agent}`, agent, known));
  }
  return {
    ...agent === undefined ? {} : { agent },
    ...type === undefined ? {} : { type },
    ...text === undefined ? {} : { text },
  };
}

async function follow(grid: Grid, filter: TraceFilter, call: Call): Promise<number> {
  let left = call.integer("count", 1, Number.MAX_SAFE_INTEGER) ?? Infinity;
  const show = call.has("json") ? asJson : asLine;
  const ending = Promise.withResolvers<number>();
  using _signals = onStopSignals(ending.resolve);
  const tell = (box: BoxId, { message }: Envelope) => {
    const traced = readTraced(message);
    if (traced === undefined || left <= 0) return;
    const words = show(box, traced);
    if (words !== undefined) console.log(words);
    if (traced.kind === "missed") console.error(`ovid: missed ${traced.count} lines of ${box}`);
    else if (--left <= 0) ending.resolve(exitCodes.fine);
  };
  const links = grid.boxes.map((box) => traceBox(box, filter, (envelope) => tell(box, envelope)));
  const code = await ending.promise;
  await Promise.all(links.map((link) => link.close()));
  return code;
}

function traceBox(
  box: BoxId,
  filter: TraceFilter,
  receive: (envelope: Envelope) => void,
): ClientLink {
  let state = "";
  const say = (words: string) => {
    // A box that is not there is dialled again and again; once is enough to say so.
    if (words !== state) console.error(`ovid: ${words}`);
    state = words;
  };
  return new ClientLink({
    transport: tcp,
    address: box,
    client: agentId(`trace-${crypto.randomUUID()}`),
    hello: { trace: { ...filter } },
    random: seededRandom(crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n),
    receive,
    up: () => say(`traces ${box}`),
    down: (reason) => say(`does not trace ${box} now: ${reason}`),
  });
}

type Traced =
  | {
    readonly kind: "mail";
    readonly at: number;
    readonly from: string;
    readonly to: string;
    readonly mail: string;
    readonly body: string;
    readonly cut: boolean;
  }
  | { readonly kind: "missed"; readonly count: number };

// What a box says is checked as everything from a wire is.
function readTraced(message: { readonly [key: string]: unknown }): Traced | undefined {
  const { type, at, from, to, mail, body, cut, count } = message;
  if (type === "trace_missed" && typeof count === "number") return { kind: "missed", count };
  const whole = type === "trace" && typeof at === "number" && typeof from === "string" &&
    typeof to === "string" && typeof mail === "string" && typeof body === "string";
  return whole ? { kind: "mail", at, from, to, mail, body, cut: cut === true } : undefined;
}

const bodyColumnsMax = 160;
const unprintable = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

function asLine(_box: BoxId, traced: Traced): string | undefined {
  if (traced.kind === "missed") return undefined;
  const { at, from, to, mail, body } = traced;
  const time = new Date(at).toISOString().slice(11, 23);
  const [grey, blue] = wantsColour(Deno.stdout) ? [dim, cyan] : [String, String];
  // The type stands in front of it.
  const rest = body.replace(/^\{"type":"(?:[^"\\]|\\.)*",?/, "{").replace(unprintable, " ");
  const shown = rest.length > bodyColumnsMax ? `${rest.slice(0, bodyColumnsMax)}...` : rest;
  return `${grey(time)}  ${from} -> ${to}  ${blue(mail)}${shown === "{}" ? "" : `  ${shown}`}`;
}

function asJson(box: BoxId, traced: Traced): string {
  if (traced.kind === "missed") return JSON.stringify({ box, missed: traced.count });
  const { at, from, to, mail: type, body, cut } = traced;
  const message = cut ? { cut: body } : { message: JSON.parse(body) };
  return JSON.stringify({ at: new Date(at).toISOString(), box, from, to, type, ...message });
}
