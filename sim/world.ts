// A simulated world: every box of a grid, the network between them and their disks, in virtual time, from one seed.
// The agents are the very definitions that real boxes run, and run through the same host.

import type { AgentDefinition } from "../core/define.ts";
import type { DeviceEvent } from "../core/devices.ts";
import { type Due, reach } from "./due.ts";
import { messageOf, OvidError } from "../core/error.ts";
import type { Grid } from "../core/grid.ts";
import type { Host } from "../core/host.ts";
import type { BoxId } from "../core/id.ts";
import { deriveSeed, type Random, seededRandom } from "../core/random.ts";
import { Boxes, type OneWay } from "./boxes.ts";
import { type Clock, driftPpmMax } from "./clock.ts";
import { Devices } from "./devices.ts";
import type { DiskCounters } from "./disk.ts";
import { Network, type NetworkCounters, type Packet } from "./network.ts";
import { observeProcesses } from "./processes.ts";
import { SimulatedBox } from "./simulated_box.ts";
import { Timeline, toUs } from "./timeline.ts";
import { type Observer, Transcript } from "./transcript.ts";
import { formatMs } from "./world_event.ts";
import {
  definitionsOf,
  type Failure,
  requireInRange,
  type RunUntilOptions,
  type WorldOptions,
} from "./world_options.ts";

/** More events than this without a step of time, and time is taken to stand still. */
const eventsAtOnceMax = 1_000_000;

/**
 * A whole grid in virtual time. Everything happens inside the calls that let time pass; nothing is asynchronous.
 *
 * @example An agent whose box crashes.
 * ```ts
 * import { defineAgent, plainGrid, World } from "ovid";
 * import { z } from "zod";
 *
 * const echo = defineAgent({
 *   type: "echo",
 *   version: 1,
 *   doc: "Prints what is typed.",
 *   attrs: z.object({}),
 *   protocol: {},
 *   devices: ["terminal"],
 *   init: () => ({}),
 *   on: {},
 *   onDevice: {
 *     terminal(_state, event, ctx) {
 *       if (event.type === "line") ctx.output("terminal", { type: "print", text: event.text });
 *     },
 *   },
 * });
 *
 * const grid = plainGrid({ echo: { type: "echo", box: "b1" } });
 * const world = new World({ grid, definitions: [echo], seed: 7n });
 * world.start();
 * world.at(20, () => world.crash("b1"));
 * world.at(30, () => world.restart("b1"));
 * world.at(40, () => world.line("echo", "hello"));
 * world.runUntil(() => world.printed("echo").length > 0, { withinMs: 100, what: "the echo" });
 * console.log(world.transcript.lines().join("\n"), world.transcript.hash);
 * ```
 */
export class World {
  readonly grid: Grid;
  readonly seed: bigint;
  /** For the test itself: independent of what the world draws. */
  readonly random: Random;
  readonly transcript: Transcript;
  /** Every agent that faulted, and when. */
  readonly failures: Failure[] = [];
  readonly #allowFaults: boolean;
  readonly #definitions: ReadonlyMap<string, AgentDefinition>;
  readonly #boxes: Boxes;
  readonly #network: Network;
  readonly #devices = new Devices();
  readonly #timeline = new Timeline<Due>();
  #failuresSeen = 0;

  /**
   * @throws {RangeError} if an option is out of range.
   * @throws {TypeError} if a definition is missing; `start` throws the same if attrs are not what a type wants.
   */
  constructor(options: WorldOptions) {
    const { grid, seed } = options;
    requireInRange(options);
    this.grid = grid;
    this.seed = seed;
    this.random = seededRandom(deriveSeed(seed, "test"));
    this.transcript = new Transcript(options.transcriptLines);
    this.#allowFaults = options.allowFaults ?? false;
    this.#definitions = definitionsOf(options);
    this.#network = new Network(deriveSeed(seed, "network"), {
      addressee: (box) => this.#boxes.get("send to", box),
      timeline: this.#timeline,
      transcript: this.transcript,
    }, options.network);
    this.#boxes = new Boxes(grid, (box) => this.#makeBox(box, options));
    observeProcesses(this, this.#definitions, {
      start: (box, loss) => this.#boxes.get("start", box).start(loss),
      tell: (agent, event) => this.tell(agent, { device: "process", event }),
    });
  }

  #makeBox(box: BoxId, options: WorldOptions): SimulatedBox {
    return new SimulatedBox({
      box,
      grid: this.grid,
      laterGrid: options.laterGrid ?? this.grid,
      definitions: this.#definitions,
      seed: this.seed,
      checks: options.checks ?? true,
      loss: options.loss ?? 0,
      disk: options.disk ?? {},
      sendBeforeSync: options.sendBeforeSync ?? false,
      timeline: this.#timeline,
      network: this.#network,
      output: (output) => this.#devices.take(this.#timeline.nowUs, box, output),
      transcript: this.transcript,
      fault: (fault) => this.failures.push({ atMs: this.now, box, fault }),
      crashed: () => this.#takeBack(box),
    });
  }

  /** Virtual milliseconds since the world was made, to the microsecond. */
  get now(): number {
    return this.#timeline.nowUs / 1000;
  }

  /** How many messages met which fate. */
  get mail(): Readonly<NetworkCounters> {
    return this.#network.counters;
  }

  /** Starts the boxes that are named, or all that are down. */
  start(...boxes: string[]): void {
    const named = boxes.length > 0
      ? boxes.map((box) => this.#boxes.get("start", box))
      : [...this.#boxes.all()].filter((box) => !box.up);
    for (const box of named) {
      if (box.up) throw new Error(`Cannot start box "${box.id}": it is up`);
      box.start();
    }
  }

  /**
   * Ends a box at once, with all that it has in memory and all that its disk has not synced; with `kept` as "written"
   * its disk keeps all that was written, as it does when a process is killed and its machine goes on.
   */
  crash(box: string, kept: "synced" | "written" = "synced"): void {
    const why = kept === "written" ? "killed" : "its power fails";
    this.#boxes.up("crash", box).crash(why, kept);
  }

  /** Starts a box anew with what its disk holds; if it is up, it crashes first. */
  restart(box: string): void {
    if (this.#boxes.get("restart", box).up) this.crash(box);
    this.start(box);
  }

  /** Lets a box stand still while time goes on, until {@linkcode resume}. */
  pause(box: string): void {
    const pausing = this.#boxes.up("pause", box);
    if (pausing.paused) throw new Error(`Cannot pause box "${box}": it stands still`);
    pausing.pause();
  }

  resume(box: string): void {
    const resuming = this.#boxes.up("resume", box);
    if (!resuming.paused) throw new Error(`Cannot resume box "${box}": it does not stand still`);
    resuming.resume();
  }

  /** Lets each step of a box take `stepMs`, 0 for none, and each sync so many times longer. */
  slow(box: string, stepMs: number, diskSlowness = 1): void {
    this.#boxes.get("slow down", box).slow(toUs(stepMs), diskSlowness);
  }

  /** Moves the clock of a box forward at once. */
  jumpClock(box: string, ms: number): void {
    this.#boxes.get("set the clock of", box).setClock(toUs(ms));
  }

  /** Lets the clock of a box be too fast by so many millionths, or too slow. */
  driftClock(box: string, ppm: number): void {
    if (!Number.isInteger(ppm) || Math.abs(ppm) > driftPpmMax) {
      throw new RangeError(`Cannot drift by ${ppm} ppm, want -${driftPpmMax} to ${driftPpmMax}`);
    }
    this.#boxes.get("set the clock of", box).setClock(0, ppm);
  }

  /** The clock of a box, to look at: what it shows at a moment of the world in microseconds, and when it shows what. */
  clock(box: string): Pick<Clock, "now" | "reaches"> {
    return this.#boxes.get("look at", box).clock;
  }

  /** What the disk of a box has done. */
  disk(box: string): Readonly<DiskCounters> {
    return this.#boxes.get("look at", box).disk.counters;
  }

  /**
   * Lets the journal of a box grow by so many bytes and no further, Infinity for no limit: the write that would need
   * more ends the box.
   */
  limitDisk(box: string, moreBytes: number): void {
    this.#boxes.get("limit", box).limitDisk(moreBytes);
  }

  /** Puts an empty disk in the place of that of a box, which must be down. */
  loseDisk(box: string): void {
    const losing = this.#boxes.get("lose the disk of", box);
    losing.loseDisk();
    this.#devices.lose(losing.id);
  }

  isUp(box: string): boolean {
    return this.#boxes.get("look at", box).up;
  }

  isPaused(box: string): boolean {
    return this.#boxes.get("look at", box).paused;
  }

  /** Lets no mail pass between two boxes; with `oneWay` none from `a` to `b`, while `b` still reaches `a`. */
  cut(a: string, b: string, options: OneWay = {}): void {
    for (const [from, to] of this.#boxes.links("cut off", a, b, options)) {
      this.#network.cut(this.#timeline.nowUs, from, to);
    }
  }

  /** Mends both directions between two boxes; with `oneWay` that from `a` to `b`; without names all that was cut. */
  heal(a?: string, b?: string, options: OneWay = {}): void {
    for (const [from, to] of this.#boxes.links("heal", a, b, options)) {
      this.#network.heal(this.#timeline.nowUs, from, to);
    }
  }

  /** Lets mail from `a` to `b` pass one message after the other, `intervalMs` apart; 0 for all at once again. */
  clog(a: string, b: string, intervalMs: number): void {
    for (const [from, to] of this.#boxes.links("clog", a, b, { oneWay: true })) {
      this.#network.clog(this.#timeline.nowUs, from, to, toUs(intervalMs));
    }
  }

  /** Loses the next messages of a type from `a` to `b`, so many of them. */
  drop(a: string, b: string, type: string, count = 1): void {
    for (const [from, to] of this.#boxes.links("drop mail of", a, b, { oneWay: true })) {
      this.#network.drop(from, to, type, count);
    }
  }

  /** From now on chance does no harm to mail from `a` to `b`: it is quick and not lost. A cut stays a cut. */
  calm(a: string, b: string): void {
    for (const [from, to] of this.#boxes.links("calm", a, b, { oneWay: true })) {
      this.#network.calm(from, to);
    }
  }

  /** Types a line at the terminal of an agent. It arrives when time passes. */
  line(agent: string, text: string): void {
    this.tell(agent, { device: "terminal", event: { type: "line", text } });
  }

  /** Ends the input of an agent's terminal. */
  eof(agent: string): void {
    this.tell(agent, { device: "terminal", event: { type: "eof" } });
  }

  /** The lines that an agent has printed so far, oldest first; they outlive crashes. */
  printed(agent: string): readonly string[] {
    return this.#devices.printed(this.#boxes.entry(agent).id);
  }

  /** The text of a file that agents of a box have written; undefined if nobody has. */
  file(box: string, path: string): string | undefined {
    return this.#devices.file(this.#boxes.get("read a file of", box).id, path);
  }

  /** The state of an agent, to look at and not to change; undefined while its box is down. */
  inspect(agent: string): ReturnType<Host["inspect"]> {
    const { id, box } = this.#boxes.entry(agent);
    return this.#boxes.get("inspect", box).inspect(id);
  }

  /** Shows `observer` every event from now on. */
  observe(observer: Observer): void {
    this.transcript.observe(observer);
  }

  /** Does `act` at a moment of virtual time, in milliseconds since the world was made. */
  at(ms: number, act: () => void): void {
    const atUs = toUs(ms);
    if (!(atUs >= this.#timeline.nowUs)) {
      throw new RangeError(`Cannot act at ${ms} ms: it is ${this.now} ms already`);
    }
    this.#timeline.schedule(atUs, { kind: "action", act });
  }

  /**
   * Lets the next event happen. Whether there was one.
   *
   * @throws {OvidError} `sim.safety` if an agent faulted and faults are not allowed.
   */
  step(): boolean {
    return this.#advance(Infinity);
  }

  /** Lets time pass. */
  runFor(ms: number): void {
    const endUs = this.#timeline.nowUs + toUs(ms);
    while (this.#advance(endUs));
    this.#timeline.pass(endUs);
  }

  /**
   * Lets time pass until `reached`, which is asked after every event.
   *
   * @throws {OvidError} `sim.liveness` if that does not happen in time; the message ends with the transcript's end.
   */
  runUntil(reached: () => boolean, options: RunUntilOptions = {}): void {
    const { withinMs = 60_000 } = options;
    const endUs = this.#timeline.nowUs + toUs(withinMs);
    while (!reached()) {
      if (this.#advance(endUs)) continue;
      this.#timeline.pass(endUs);
      if (reached()) return;
      // Asked for only now, so that it can say what is missing.
      const { what = "what was asked" } = options;
      throw this.#error("sim.liveness", `Waited ${withinMs} virtual ms in vain for ${what}`);
    }
  }

  /** Lets the next event happen that means anything, if it is due by `endUs`. */
  #advance(endUs: number): boolean {
    // What a box does while it starts may have failed as well.
    this.#requireNoFailure();
    for (
      let due = this.#timeline.next(endUs);
      due !== undefined;
      due = this.#timeline.next(endUs)
    ) {
      if (this.#timeline.eventsAtOnce > eventsAtOnceMax) {
        throw this.#error("sim.liveness", `Time stands still: ${eventsAtOnceMax} events at once`);
      }
      const meant = this.#happen(due);
      this.#requireNoFailure();
      if (meant) return true;
    }
    return false;
  }

  /** Whether the event meant anything; timers that were replaced do not. */
  #happen(due: Due): boolean {
    if (due.kind === "action") {
      due.act();
      return true;
    }
    const box = due.kind === "mail" ? due.link.addressee : due.box;
    if (!box.waits || due.kind === "ready") return reach(due, this.#network, this.#timeline);
    box.defer(() => reach(due, this.#network, this.#timeline));
    return due.kind === "input";
  }

  /** A crash takes with it what a box has not handed over to the network. */
  #takeBack(box: BoxId): void {
    const packets: Packet[] = [];
    for (const due of this.#timeline.pending()) if (due.kind === "mail") packets.push(due);
    this.#network.takeBack(this.#timeline.nowUs, box, packets);
  }

  /** Lets a device tell an agent something. It arrives when time passes. */
  tell(agent: string, event: DeviceEvent): void {
    const { id, type, box: home } = this.#boxes.entry(agent);
    if (!this.#definitions.get(type)?.devices?.includes(event.device)) {
      throw new Error(`Cannot type to agent "${agent}": its type ${type} has no ${event.device}`);
    }
    const box = this.#boxes.get("type to", home);
    this.#timeline.schedule(this.#timeline.nowUs, { kind: "input", box, agent: id, event });
  }

  #requireNoFailure(): void {
    if (this.failures.length === this.#failuresSeen) return;
    const failure = this.failures[this.#failuresSeen];
    if (failure === undefined) return;
    this.#failuresSeen = this.failures.length;
    if (this.#allowFaults) return;
    const { agent, error } = failure.fault;
    throw this.#error("sim.safety", `Agent "${agent}" faulted: ${messageOf(error)}`, error);
  }

  #error(code: "sim.safety" | "sim.liveness", what: string, cause?: unknown): OvidError {
    const place = `seed ${this.seed}, at ${formatMs(this.#timeline.nowUs)} ms`;
    return new OvidError(code, `${what} (${place}); ${this.transcript.story(40)}`, { cause });
  }
}
