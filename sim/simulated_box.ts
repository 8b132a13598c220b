// The driver of a simulated box. It keeps the three duties of every driver: sync what a batch appends, only then let
// out what it sends and shows, and keep one wake-up for the next timer.

import type { AgentDefinition } from "../core/define.ts";
import type { DeviceEvent } from "../core/devices.ts";
import type { Batch, Fault, Input, MailInput, Output } from "../core/envelope.ts";
import type { Grid } from "../core/grid.ts";
import { OvidError } from "../core/error.ts";
import { Host } from "../core/host.ts";
import type { AgentId, BoxId } from "../core/id.ts";
import { deriveSeed, seededRandom } from "../core/random.ts";
import { Clock } from "./clock.ts";
import { Disk, type DiskOptions } from "./disk.ts";
import { HeldBatches } from "./held_batches.ts";
import type { Links, Network } from "./network.ts";
import type { Timeline } from "./timeline.ts";
import type { WorldEvent } from "./world_event.ts";

/** Something that a box has asked its world to tell it later. */
export interface BoxAlarm {
  /** `ready`: the step before is over, and what came meanwhile has its turn. */
  readonly kind: "wake" | "synced" | "ready";
  readonly box: SimulatedBox;
  readonly atUs: number;
  /** Which start of the box asked: a later one is not concerned. */
  readonly life: number;
}

/** The time of the world, in whole microseconds, and what it has still to come. */
type SimulatedTime = Pick<Timeline<BoxAlarm>, "nowUs" | "schedule">;

/** What a simulated box is made of, and the world around it. */
export interface SimulatedBoxOptions {
  readonly box: BoxId;
  readonly grid: Grid;
  /** What every start but the first goes by. */
  readonly laterGrid: Grid;
  readonly definitions: ReadonlyMap<string, AgentDefinition>;
  readonly seed: bigint;
  readonly checks: boolean;
  readonly loss: number;
  readonly disk: DiskOptions;
  readonly sendBeforeSync: boolean;
  readonly timeline: SimulatedTime;
  readonly network: Network;
  readonly output: (output: Output) => void;
  readonly transcript: { record(event: WorldEvent): void };
  readonly fault: (fault: Fault) => void;
  readonly crashed: () => void;
}

/** How many events may wait for a box that is slow or stands still. */
const backlogMax = 200_000;

/** How a box goes down. */
export type CrashReason = "killed" | "its power fails" | "its disk is full";

/** A box of a simulated world: a host while it is up, and a disk always. */
export class SimulatedBox {
  readonly id: BoxId;
  readonly disk: Disk;
  readonly #options: SimulatedBoxOptions;
  readonly #time: SimulatedTime;
  readonly #network: Network;
  readonly #links: Links;
  readonly #transcript: SimulatedBoxOptions["transcript"];
  #host: Host | undefined;
  #clock: Clock;
  #life = 0;
  #paused = false;
  /** How long each step takes. */
  #stepUs = 0;
  #busyUntilUs = 0;
  /** What came while the box stood still or was busy. */
  #backlog: (() => void)[] = [];
  #driftPpm = 0;
  readonly #held = new HeldBatches();
  /** How many records of this life were appended, written by the sync under way, and made durable. */
  #appended = 0;
  #written = 0;
  #synced = 0;
  /** When the next step is due, and the earliest wake-up in the queue of the world. */
  #wakeAtUs = Infinity;
  #alarmAtUs = Infinity;
  /** When the next step is due by the clock of the box, if that is what it waits for. */
  #wakeAt: number | undefined;

  constructor(options: SimulatedBoxOptions) {
    this.#options = options;
    this.#time = options.timeline;
    this.#network = options.network;
    this.#links = options.network.linksFrom(options.box);
    this.#transcript = options.transcript;
    this.id = options.box;
    const random = seededRandom(deriveSeed(options.seed, `${options.box} disk`));
    this.disk = new Disk(random, options.disk);
    this.#clock = new Clock(random, 0);
  }

  get up(): boolean {
    return this.#host !== undefined;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Whether what comes now has to wait. */
  get waits(): boolean {
    return this.#paused || this.#backlog.length > 0 || this.#busyUntilUs > this.#time.nowUs;
  }

  /** What its agents take for the time, for checkers, which know what time it is. */
  get clock(): Pick<Clock, "now" | "reaches"> {
    return this.#clock;
  }

  /** What the box's agents are made of, for checkers; undefined while it is down. */
  inspect(agent: AgentId): ReturnType<Host["inspect"]> {
    return this.#host?.inspect(agent);
  }

  /** Starts the box with what its disk holds; `loss` is that of this life. */
  start(loss = this.#options.loss): void {
    const { box, definitions, checks, seed } = this.#options;
    const atUs = this.#time.nowUs;
    const grid = this.#life === 0 ? this.#options.grid : this.#options.laterGrid;
    this.#life++;
    // A seed of its own for each life: a nonce that was drawn before the crash must not come again.
    const lifeSeed = deriveSeed(seed, `${box} life ${this.#life}`);
    const host = new Host({
      box,
      grid,
      definitions,
      seed: lifeSeed,
      checks,
      loss,
      reuseBatch: true,
    });
    this.#clock = new Clock(seededRandom(lifeSeed), atUs, this.#driftPpm);
    const { images, records, tornBytes } = this.disk.open();
    const batch = host.boot(this.#clock.now(atUs), images);
    this.#host = host;
    this.#transcript.record({ kind: "start", atUs, box, records, tornBytes });
    this.#carryOut(batch);
  }

  /** Ends the box at once: its memory is gone, and what its disk had not synced, or not even written. */
  crash(why: CrashReason, kept: "synced" | "written" = "synced"): void {
    this.#host = undefined;
    this.#life++;
    this.#paused = false;
    this.#busyUntilUs = 0;
    const backlog = this.#backlog;
    this.#backlog = [];
    this.#held.clear();
    this.#appended = this.#written = this.#synced = 0;
    this.#wakeAtUs = this.#alarmAtUs = Infinity;
    this.#wakeAt = undefined;
    this.disk.crash(kept);
    this.#transcript.record({ kind: "crash", atUs: this.#time.nowUs, box: this.id, why });
    this.#options.crashed();
    // Whoever waits in the backlog finds the box down.
    for (const event of backlog) event();
  }

  /** Lets the box stand still, while time goes on: what comes for it waits. */
  pause(): void {
    this.#paused = true;
    this.#transcript.record({ kind: "pause", atUs: this.#time.nowUs, box: this.id });
  }

  resume(): void {
    this.#paused = false;
    this.#transcript.record({ kind: "resume", atUs: this.#time.nowUs, box: this.id });
    this.#catchUp();
  }

  /** From now on each step takes so long, and each sync so many times longer. */
  slow(stepUs: number, diskSlowness: number): void {
    this.disk.slowness = diskSlowness;
    if (this.#stepUs === stepUs) return;
    this.#stepUs = stepUs;
    this.#transcript.record({ kind: "slow", atUs: this.#time.nowUs, box: this.id, stepUs });
  }

  /** Lets the journal grow by so many bytes and no further. */
  limitDisk(moreBytes: number): void {
    const before = this.disk.bytesMax;
    const bytesMax = this.disk.limit(moreBytes);
    if (bytesMax === before) return;
    this.#transcript.record({ kind: "disk", atUs: this.#time.nowUs, box: this.id, bytesMax });
  }

  /** @throws {Error} if the box is up. */
  loseDisk(): void {
    if (this.up) throw new Error(`Cannot lose the disk of box "${this.id}": it is up`);
    this.disk.lose();
    const atUs = this.#time.nowUs;
    this.#transcript.record({ kind: "disk", atUs, box: this.id, bytesMax: "lost" });
  }

  /** Moves the clock forward, and sets the rate by which it is too fast, in this life and all later ones. */
  setClock(jumpUs: number, driftPpm = this.#driftPpm): void {
    const atUs = this.#time.nowUs;
    this.#driftPpm = driftPpm;
    this.#clock.jump(atUs, jumpUs);
    this.#clock.drift(atUs, driftPpm);
    this.#transcript.record({ kind: "clock", atUs, box: this.id, jumpUs, driftPpm });
    if (this.#wakeAt !== undefined) this.#setWake(this.#clock.reaches(this.#wakeAt));
  }

  /** Puts `event` off until a box that {@linkcode waits} goes on. */
  defer(event: () => void): void {
    if (this.#backlog.length >= backlogMax) {
      throw new OvidError(
        "sim.liveness",
        `Cannot simulate more: ${backlogMax} events wait for box "${this.id}"`,
      );
    }
    this.#backlog.push(event);
    // The first to wait behind a step that takes its time; the others follow it.
    if (!this.#paused && this.#backlog.length === 1) this.#callBack();
  }

  #callBack(): void {
    const atUs = Math.max(this.#busyUntilUs, this.#time.nowUs);
    this.#time.schedule(atUs, { kind: "ready", box: this, atUs, life: this.#life });
  }

  /** Takes what has waited, one after the other, as long as the box is not busy. */
  #catchUp(): void {
    while (!this.#paused && this.#busyUntilUs <= this.#time.nowUs) {
      const event = this.#backlog.shift();
      if (event === undefined) return;
      event();
    }
    if (!this.#paused && this.#backlog.length > 0) this.#callBack();
  }

  takeMail(mail: MailInput): void {
    const host = this.#host;
    if (host === undefined) return;
    this.#carryOut(host.deliver(this.#beginStep(), mail));
  }

  takeInput(agent: AgentId, event: DeviceEvent): void {
    if (this.#host === undefined) return;
    const atUs = this.#time.nowUs;
    this.#transcript.record({ kind: "input", atUs, box: this.id, agent, event });
    this.#step([{ kind: "device", agent, event }]);
  }

  /** Something the box has asked for is due. Whether it meant anything. */
  takeAlarm(alarm: BoxAlarm): boolean {
    if (alarm.life !== this.#life) return false;
    if (alarm.kind === "ready") {
      this.#catchUp();
      return true;
    }
    return alarm.kind === "wake" ? this.#wake(alarm) : this.#endSync();
  }

  #wake(alarm: BoxAlarm): boolean {
    // An earlier wake-up was asked for after this one.
    if (alarm.atUs !== this.#alarmAtUs) return false;
    this.#alarmAtUs = Infinity;
    const atUs = this.#time.nowUs;
    if (this.#wakeAtUs > atUs) {
      this.#setAlarm();
      return false;
    }
    this.#transcript.record({ kind: "wake", atUs, box: this.id });
    this.#step([]);
    return true;
  }

  #step(inputs: readonly Input[]): void {
    const host = this.#host;
    if (host === undefined) return;
    this.#carryOut(host.step(this.#beginStep(), inputs));
  }

  /** The time of a step by the clock of the box, which is busy from now on if it is slow. */
  #beginStep(): number {
    const { nowUs } = this.#time;
    if (this.#stepUs > 0) this.#busyUntilUs = nowUs + this.#stepUs;
    return this.#clock.now(nowUs);
  }

  #carryOut(batch: Batch): void {
    const { sendBeforeSync } = this.#options;
    if (batch.notes.length > 0 || batch.faults.length > 0) this.#tell(batch);
    if (batch.appends.length > 0) this.#append(batch.appends);
    this.#arm(batch);
    if (sendBeforeSync) this.#letOut(batch);
    // Also what needs no sync waits behind what does.
    if (this.#synced < this.#appended) {
      this.#held.hold(this.#appended, batch);
      return this.#startSync();
    }
    if (!sendBeforeSync) this.#letOut(batch);
    if (batch.faults.length > 0) this.#revive(batch);
  }

  #tell({ notes, faults }: Batch): void {
    const { fault: fail } = this.#options;
    const atUs = this.#time.nowUs;
    for (const note of notes) this.#transcript.record({ kind: "note", atUs, box: this.id, note });
    for (const fault of faults) {
      this.#transcript.record({ kind: "fault", atUs, box: this.id, fault });
      fail(fault);
    }
  }

  #append(appends: Batch["appends"]): void {
    const atUs = this.#time.nowUs;
    for (const append of appends) {
      this.#transcript.record({ kind: "append", atUs, box: this.id, append });
    }
    this.disk.append(appends);
    this.#appended += appends.length;
  }

  /** Rebuilds the agents that faulted in a batch, once their records are on the disk. */
  #revive({ faults }: Batch): void {
    // A copy, since the host uses its batch again for each that it revives.
    for (const { agent } of [...faults]) {
      const host = this.#host;
      // What follows the rebuilding of another agent may have ended the box.
      if (host === undefined) return;
      const now = this.#clock.now(this.#time.nowUs);
      this.#carryOut(host.revive(now, agent, this.disk.image(agent)));
    }
  }

  #letOut({ sends, outputs, endings }: Batch): void {
    const atUs = this.#time.nowUs;
    for (const outgoing of sends) {
      this.#network.send(atUs, this.#links.to(outgoing.box), outgoing);
    }
    for (const shown of outputs) {
      this.#transcript.record({ kind: "output", atUs, box: this.id, output: shown });
      this.#options.output(shown);
    }
    for (const agent of endings) {
      this.#transcript.record({ kind: "end", atUs, box: this.id, agent });
    }
  }

  #startSync(): void {
    const host = this.#host;
    const syncing = this.#written > this.#synced;
    if (host === undefined || syncing || this.#appended === this.#written) return;
    const durationUs = this.disk.startSync(() => host.snapshot());
    // Its state is ahead of its disk now, and must not be seen by anybody.
    if (durationUs === undefined) return this.crash("its disk is full");
    this.#written = this.#appended;
    const atUs = this.#time.nowUs + durationUs;
    this.#time.schedule(atUs, { kind: "synced", box: this, atUs, life: this.#life });
  }

  #endSync(): true {
    const compacted = this.disk.endSync();
    const records = this.#written - this.#synced;
    this.#synced = this.#written;
    const atUs = this.#time.nowUs;
    this.#transcript.record({ kind: "sync", atUs, box: this.id, records, compacted });
    const released = this.#held.release(this.#synced);
    if (!this.#options.sendBeforeSync) { for (const batch of released) this.#letOut(batch); }
    // Only now, since what agents do when they start again comes behind all that was held.
    for (const batch of released) this.#revive(batch);
    this.#startSync();
    return true;
  }

  #arm({ busy, wakeAt }: Batch): void {
    const before = this.#wakeAt;
    this.#wakeAt = busy ? undefined : wakeAt;
    if (busy) this.#setWake(this.#time.nowUs);
    else if (wakeAt === undefined) this.#setWake(Infinity);
    // Most steps leave the next timer as it is, and the clock needs not be asked anew.
    else this.#setWake(wakeAt === before ? this.#wakeAtUs : this.#clock.reaches(wakeAt));
  }

  #setWake(atUs: number): void {
    this.#wakeAtUs = atUs;
    this.#setAlarm();
  }

  // An alarm that comes too early is set anew when it rings: cheaper than one for each time that a timer is re-armed.
  #setAlarm(): void {
    if (this.#wakeAtUs >= this.#alarmAtUs) return;
    // What is overdue is due now; the timeline would say so too, but the alarm must know its time.
    const atUs = Math.max(this.#wakeAtUs, this.#time.nowUs);
    this.#alarmAtUs = atUs;
    this.#time.schedule(atUs, { kind: "wake", box: this, atUs, life: this.#life });
  }
}
