// Somebody who uses Gobby through a gobby_client: an agent that passes on what is typed, and an actor who types what a
// script wants, one thing after another, and begins anew when the box does.

import { z } from "zod";
import { gobbyClientProtocol } from "../../agents/gobby/protocol.ts";
import type { AskOutcome, WatchEnd } from "../../agents/gobby/protocol.ts";
import type { GobbyEvent } from "../../agents/gobby/machine_event.ts";
import { agentIdAttr } from "../../agents/vr/attrs.ts";
import type { Json } from "../../core/data.ts";
import { defineAgent } from "../../core/define.ts";
import type { World } from "../world.ts";
import type { WorldEvent } from "../world_event.ts";

const { ask, watch, unwatch } = gobbyClientProtocol;

const typed = z.discriminatedUnion("type", [
  ask.extend({ type: z.literal("ask") }),
  watch.extend({ type: z.literal("watch") }),
  unwatch.extend({ type: z.literal("unwatch") }),
]);

/** Takes messages for a gobby_client as JSON from its terminal, and prints what comes back, as JSON. */
export const gobbyAsker = defineAgent({
  type: "gobby_asker",
  version: 1,
  doc: "Passes on what is typed to a gobby_client, and prints what it says.",
  attrs: z.strictObject({ client: agentIdAttr }),
  protocol: gobbyClientProtocol,
  devices: ["terminal"],
  init: () => ({}),
  on: {
    answer: (_state, message, ctx) => ctx.output("terminal", print(message)),
    watching: (_state, message, ctx) => ctx.output("terminal", print(message)),
    events: (_state, message, ctx) => ctx.output("terminal", print(message)),
    watchEnded: (_state, message, ctx) => ctx.output("terminal", print(message)),
    session: (_state, message, ctx) => ctx.output("terminal", print(message)),
  },
  onDevice: {
    terminal(_state, event, ctx) {
      if (event.type === "line") ctx.sendTo(ctx.attrs.client, typed.parse(JSON.parse(event.text)));
    },
  },
});

function print(message: { readonly type: string }): { type: "print"; text: string } {
  return { type: "print", text: JSON.stringify(message) };
}

/** What a script wants next. It gets the outcome of what it asked. */
export type Move =
  | {
    readonly ask: { readonly [field: string]: Json };
    readonly session?: boolean;
    /** It may be so old. */
    readonly maxAgeMs?: number;
    readonly deadlineMs?: number;
  }
  | { readonly pauseMs: number };

/** What somebody does, from one start of the box to its crash. */
export type Script = Generator<Move, void, AskOutcome | undefined>;

/** What comes without being asked for. */
export type News =
  | { readonly type: "watching"; readonly id: number; readonly from: number }
  | {
    readonly type: "events";
    readonly id: number;
    readonly next: number;
    readonly events: GobbyEvent[];
  }
  | { readonly type: "watchEnded"; readonly id: number; readonly end: WatchEnd }
  | { readonly type: "session"; readonly state: string; readonly session: number };

/** What an actor does. */
export interface ActorOptions {
  readonly world: World;
  /** The gobby_asker. */
  readonly agent: string;
  readonly box: string;
  /** What it does, from each start on; and again when there is more to do. */
  readonly script: () => Script;
  readonly heard: (news: News) => void;
  /** What was asked and not answered is lost, and so is all that was watched. */
  readonly crashed: () => void;
}

/** See the top of this file. */
export class Actor {
  readonly #options: ActorOptions;
  #script: Script | undefined;
  #awaited: number | undefined;
  #ids = 0;
  /** Counts the crashes, so that what was planned before one means nothing after it. */
  #life = 0;
  #gone = false;

  constructor(options: ActorOptions) {
    this.#options = options;
    options.world.observe((event) => this.#see(event));
  }

  /** Whether it has nothing left to do. */
  get done(): boolean {
    return this.#gone || this.#script === undefined;
  }

  /** The box stays as it is for ever. */
  leave(): void {
    this.#gone = true;
  }

  /** There is more to do. */
  wake(): void {
    if (this.#script === undefined && this.#options.world.isUp(this.#options.box)) this.#begin();
  }

  /** Says something to which no answer is awaited. */
  say(message: { readonly type: string; readonly [field: string]: Json | undefined }): void {
    const { world, agent, box } = this.#options;
    if (world.isUp(box)) world.line(agent, JSON.stringify(message));
  }

  #see(event: WorldEvent): void {
    const { agent, box } = this.#options;
    if (event.kind === "start" && event.box === box) this.#begin();
    else if (event.kind === "crash" && event.box === box) {
      this.#life++;
      this.#script = this.#awaited = undefined;
      this.#options.crashed();
    } else if (event.kind === "output" && event.output.agent === agent) {
      const { output } = event.output.output;
      if (output.type === "print") this.#hear(JSON.parse(output.text));
    }
  }

  #hear(message: News | { type: "answer"; id: number; outcome: AskOutcome }): void {
    if (message.type !== "answer") return this.#options.heard(message);
    if (message.id !== this.#awaited) return;
    this.#awaited = undefined;
    this.#go(message.outcome);
  }

  #begin(): void {
    this.#script = this.#options.script();
    const life = this.#life;
    // Not while the box is still starting.
    this.#later(0, life, undefined);
  }

  #later(ms: number, life: number, outcome: AskOutcome | undefined): void {
    const { world } = this.#options;
    world.at(world.now + ms, () => {
      if (life === this.#life && !this.#gone) this.#go(outcome);
    });
  }

  #go(outcome: AskOutcome | undefined): void {
    const next = this.#script?.next(outcome);
    if (next === undefined) return;
    if (next.done === true) this.#script = undefined;
    else if ("pauseMs" in next.value) this.#later(next.value.pauseMs, this.#life, undefined);
    else {
      const { ask: operation, session, maxAgeMs, deadlineMs } = next.value;
      const id = this.#awaited = ++this.#ids;
      this.say({ type: "ask", id, operation, session, maxAgeMs, deadlineMs });
    }
  }
}
