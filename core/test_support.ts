// What the tests of core and of the agents share: grids written as their files are, without a file, and an agent
// that does what a test tells it.

import { z } from "zod";
import type { AnyMessage, Context, Done, StartReason } from "./agent.ts";
import type { Data, DeepReadonly, Json } from "./data.ts";
import { type AgentDefinition, defineAgent } from "./define.ts";
import type { DeviceEvent } from "./devices.ts";
import type { Input, MailInput } from "./envelope.ts";
import type { AgentEntry, Grid, Target } from "./grid.ts";
import { Host } from "./host.ts";
import type { HostOptions } from "./host_options.ts";
import { agentId, type BoxId, compareBytes, type VirtualId, virtualId } from "./id.ts";
import { text } from "./text.ts";

/** An agent as a grid file has it; the parts that are left out are empty, and the box is {@linkcode boxA}. */
export interface AgentLine {
  readonly type: string;
  readonly box?: BoxId;
  readonly attrs?: { readonly [name: string]: Json };
  readonly routes?: { readonly [virtual: string]: { readonly [agent: string]: number } };
}

export type AgentLines = { readonly [id: string]: AgentLine };

export const boxA = "127.0.0.1:5000" as BoxId;
export const boxB = "127.0.0.1:5001" as BoxId;

/** A grid of these agents. */
export function makeGrid(lines: AgentLines): Grid {
  const entries = Object.entries(lines).map(([id, line]): AgentEntry => ({
    id: agentId(id),
    type: line.type,
    box: line.box ?? boxA,
    attrs: line.attrs ?? {},
    routes: makeRoutes(line.routes ?? {}),
  }));
  return {
    file: "",
    agents: new Map(entries.map((entry) => [entry.id, entry])),
    boxes: [...new Set(entries.map((entry) => entry.box))].sort(compareBytes),
    plugins: new Map(),
  };
}

function makeRoutes(routes: NonNullable<AgentLine["routes"]>): Map<VirtualId, Target[]> {
  return new Map(
    Object.entries(routes).map(([virtual, targets]) => [
      virtualId(virtual),
      Object.entries(targets).map(([agent, port]) => ({ agent: agentId(agent), port })),
    ]),
  );
}

/** A host of {@linkcode boxA} with all checks on. */
export function makeHost(
  lines: AgentLines,
  definitions: Iterable<AgentDefinition>,
  options: Partial<HostOptions> = {},
): Host {
  return new Host({
    box: boxA,
    grid: makeGrid(lines),
    definitions: new Map(Array.from(definitions, (each) => [each.type, each])),
    seed: 1n,
    checks: true,
    ...options,
  });
}

/** Mail as an input. */
export function mail(from: string, to: string, message: AnyMessage): MailInput {
  return { kind: "mail", envelope: { from: agentId(from), to: agentId(to), message } };
}

/** What a device tells an agent, as an input. */
export function deviceInput(agent: string, event: DeviceEvent): Input {
  return { kind: "device", agent: agentId(agent), event };
}

const puppetProtocol = {
  text,
  go: z.object({ act: z.string().optional() }),
  list: z.object({ list: z.array(z.number()) }),
  /** Sent, and taken by nobody. */
  shout: z.object({}),
};

export type PuppetContext = Context<
  unknown,
  typeof puppetProtocol,
  "one" | "both" | "none" | "lost",
  "tick" | "tock",
  { line: string },
  "console" | "terminal"
>;

export interface PuppetState {
  /** All mail, as `<from> <JSON>`. */
  readonly seen: string[];
  list: readonly number[];
  readonly durable: DeepReadonly<{ lines: string[] }>;
}

/** What a puppet does at each event; nothing where it is left out. */
export interface PuppetActs {
  readonly type?: string;
  readonly version?: number;
  start?(state: PuppetState, ctx: PuppetContext, why: StartReason): Done;
  go?(state: PuppetState, ctx: PuppetContext, act: string): Done;
  timer?(state: PuppetState, ctx: PuppetContext, timer: string, key: string | undefined): Done;
  line?(state: PuppetState, ctx: PuppetContext, line: string): Done;
  apply?(durable: { lines: string[] }, line: string): Done;
  check?(state: PuppetState): Done;
  upgrade?(durable: Data, from: number): { lines: string[] };
}

/** An agent that writes down what it gets and does what `acts` say. */
export function puppet(acts: PuppetActs = {}): AgentDefinition {
  const definition = defineAgent({
    type: acts.type ?? "puppet",
    version: acts.version ?? 1,
    doc: "Does what a test says.",
    attrs: z.object({ size: z.int().optional() }),
    protocol: puppetProtocol,
    routes: ["one", "both", "none", "lost"],
    timers: ["tick", "tock"],
    devices: ["console", "terminal"],
    record: z.object({ line: z.string().max(100) }),
    durable: () => ({ lines: [] as string[] }),
    apply(durable, { line }) {
      if (acts.apply === undefined) durable.lines.push(line);
      else acts.apply(durable, line);
    },
    init: () => ({ seen: [] as string[], list: [] as readonly number[] }),
    start: (state, ctx, why) => acts.start?.(state, ctx, why),
    on: {
      text(state, message, ctx) {
        state.seen.push(`${ctx.from} ${JSON.stringify(message)}`);
      },
      list(state, message, ctx) {
        state.seen.push(`${ctx.from} ${JSON.stringify(message)}`);
        state.list = message.list;
      },
      go: (state, message, ctx) => acts.go?.(state, ctx, message.act ?? ""),
    },
    onTimer: {
      tick: (state, ctx, key) => acts.timer?.(state, ctx, "tick", key),
      tock: (state, ctx, key) => acts.timer?.(state, ctx, "tock", key),
    },
    onDevice: {
      terminal(state, event, ctx) {
        acts.line?.(state, ctx, event.type === "line" ? event.text : "(eof)");
      },
    },
    check: (state) => acts.check?.(state),
  });
  const { upgrade } = acts;
  return upgrade === undefined ? definition : Object.freeze({ ...definition, upgrade });
}

/** The state of an agent that is a puppet. */
export function puppetState(host: Host, agent: string): PuppetState {
  const found = host.inspect(agentId(agent));
  if (found === undefined) throw new Error(`There is no agent ${agent}`);
  return found.state as PuppetState;
}

/** What a host of a test may be given besides. */
export type HostExtras = Parameters<typeof makeHost>[2];

/** A host of puppets that has started. */
export function bootPuppets(lines: AgentLines, acts: PuppetActs, options: HostExtras = {}): Host {
  const host = makeHost(lines, [puppet(acts)], options);
  host.boot(0);
  return host;
}

/** What a puppet has seen. */
export function seen(host: Host, agent: string): string[] {
  return puppetState(host, agent).seen;
}

/** Mail that lets puppet `a` do something. */
export const go = (act = ""): MailInput => mail("b", "a", { type: "go", act });
