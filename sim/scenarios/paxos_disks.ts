// What the disks of a group's members hold, from what they append and what of that is synced: the acceptors of the paper,
// without anything that a crash could take back. From that follows which value was chosen in a slot, whoever knows.

import type { Count } from "../injector.ts";
import { type Ballot, bottom, compareBallots } from "../../agents/paxos/ballot.ts";
import type { Value } from "../../agents/paxos/protocol.ts";
import {
  type Configuration,
  logEnd,
  type PaxosRecord,
  type PaxosState,
} from "../../agents/paxos/state.ts";

interface Accepted {
  readonly ballot: Ballot;
  readonly value: string;
}

/** A disk, and what was appended and may not be on it. */
interface Disk {
  incarnation: number;
  starts: number;
  readonly accepted: Map<number, Accepted>;
  decided: number;
  /** Undefined for a record of another agent on the box, which is synced with the others. */
  pending: (PaxosRecord | undefined)[];
  /** It has crashed: what of the pending records it kept shows when it starts. */
  crashed: boolean;
}

const textOf = (value: Value) => JSON.stringify(value);

/** See the top of this file. */
export class PaxosDisks {
  /** By slot: the one value that a quorum has accepted in one ballot. */
  readonly chosen = new Map<number, { readonly value: string; readonly ballot: Ballot }>();
  readonly #configurations = new Map<number, Configuration>();
  /** The last slot that anybody has accepted anything in, by configuration. */
  readonly #ends = new Map<number, number>();
  readonly #disks = new Map<string, Disk>();
  /** By epoch, slot and ballot: what was proposed, and who has accepted it. */
  readonly #accepted = new Map<string, { readonly value: string; readonly by: Set<string> }>();
  /** By agent, incarnation and epoch. */
  readonly #promises = new Map<string, Ballot>();
  /** Agents, as they were before their disks were lost. */
  readonly #lost = new Set<string>();
  readonly #lostAtUs = new Map<string, number>();
  /** By slot: what was proposed in it last. */
  readonly #proposed = new Map<number, string>();
  readonly #count: Count;
  readonly #violated: (what: string) => never;

  constructor(count: Count, violated: (what: string) => never) {
    this.#count = count;
    this.#violated = violated;
  }

  configuration(epoch: number): Configuration | undefined {
    return this.#configurations.get(epoch);
  }

  configured(configuration: Configuration): void {
    const { epoch, start } = configuration;
    if (this.#configurations.get(epoch)?.start === start) return;
    this.#configurations.set(epoch, configuration);
    this.#judgeEnd(epoch - 1);
  }

  /** Section 2.1: a configuration begins where the one before has never proposed anything. */
  #judgeEnd(epoch: number): void {
    const next = this.#configurations.get(epoch + 1);
    const end = this.#ends.get(epoch) ?? 0;
    if (next === undefined || end < next.start) return;
    // Who is alone decides in memory when the next one begins, which a crash may take back.
    if (this.#configurations.get(epoch)?.members.length === 1) return;
    this.#violated(
      `Configuration ${next.epoch} begins with slot ${next.start}, and the one before has proposed in ${end}`,
    );
  }

  /** By slot: what an acceptor has accepted, and does not know to be decided. */
  acceptedBy(agent: string): ReadonlyMap<number, Accepted> {
    return this.#disk(agent).accepted;
  }

  /** Whether the disk of an acceptor shows that it has accepted in a ballot, or knows what was decided there. */
  holds(agent: string, slot: number, ballot: Ballot): boolean {
    const { accepted, decided } = this.#disk(agent);
    if (decided >= slot || this.#lostAtUs.has(agent)) return true;
    return compareBallots(accepted.get(slot)?.ballot ?? bottom, ballot) >= 0;
  }

  /** Something was appended on an agent's box: a record of its own, or another agent's. */
  appended(agent: string, record: PaxosRecord | undefined): void {
    this.#disk(agent).pending.push(record);
  }

  synced(agent: string, records: number): void {
    const { pending } = this.#disk(agent);
    for (const record of pending.splice(0, records)) {
      if (record !== undefined) this.#keep(agent, record);
    }
  }

  crashed(agent: string): void {
    this.#disk(agent).crashed = true;
  }

  /** Its disk is another one, which is empty. */
  lost(agent: string, atUs: number): void {
    const disk = this.#disk(agent);
    if (disk.incarnation >= 0) this.#lost.add(`${agent} ${disk.incarnation}`);
    this.#lostAtUs.set(agent, atUs);
    this.#disks.delete(agent);
  }

  /** It has started with this: some of what it had appended before it crashed may have been kept. */
  started(agent: string, { durable }: PaxosState): void {
    const disk = this.#disk(agent);
    if (!disk.crashed) return;
    const decided = logEnd(durable);
    let kept = 0;
    // What it would have come to, had it kept all.
    let { starts, decided: known } = disk;
    for (const [index, record] of disk.pending.entries()) {
      if (record === undefined) continue;
      if (record.kind === "start") starts++;
      if (record.kind === "decided") known = record.to;
      if (record.kind === "learned") known += record.values.length;
      if (record.kind === "snapshot") known = record.slot;
      if (isKept(record)) kept = index + 1;
    }
    for (const record of disk.pending.slice(0, kept)) {
      if (record !== undefined) this.#keep(agent, record);
    }
    disk.pending = [];
    disk.crashed = false;

    function isKept(record: PaxosRecord): boolean {
      switch (record.kind) {
        case "start":
          return durable.starts > starts;
        case "promise":
          return durable.promise.epoch === record.epoch &&
            compareBallots(durable.promise.ballot, record.ballot) === 0;
        case "accept": {
          const accepted = durable.accepted.get(record.slot)?.ballot ?? bottom;
          return decided >= record.slot || compareBallots(accepted, record.ballot) === 0;
        }
        case "decided":
        case "learned":
        case "snapshot":
          return decided >= known;
        case "checkpoint":
          return durable.checkpoint.slot >= record.slot;
      }
    }
  }

  /** Section 4.3: an acceptor has told a leader that it promises a ballot. It is on its disk by then. */
  heardPromise(agent: string, epoch: number, ballot: Ballot, sentAtUs: number): void {
    if (sentAtUs <= (this.#lostAtUs.get(agent) ?? -1)) return;
    const promised = this.#promised(agent, epoch);
    if (compareBallots(promised, ballot) >= 0) return;
    this.#violated(
      `${agent} has promised ${show(ballot)}, and its disk knows of ${show(promised)} only`,
    );
  }

  #disk(agent: string): Disk {
    let disk = this.#disks.get(agent);
    if (disk === undefined) {
      disk = {
        incarnation: -1,
        starts: 0,
        accepted: new Map(),
        decided: 0,
        pending: [],
        crashed: false,
      };
      this.#disks.set(agent, disk);
    }
    return disk;
  }

  #promised(agent: string, epoch: number): Ballot {
    return this.#promises.get(`${agent} ${this.#disk(agent).incarnation} ${epoch}`) ?? bottom;
  }

  /** A record is on the disk for good. */
  #keep(agent: string, record: PaxosRecord): void {
    const disk = this.#disk(agent);
    switch (record.kind) {
      case "start":
        disk.incarnation = record.incarnation;
        disk.starts++;
        return;
      case "promise":
        return this.#promise(agent, record.epoch, record.ballot);
      case "accept":
        this.#promise(agent, record.epoch, record.ballot);
        return this.#accept(agent, record);
      case "decided":
        while (disk.decided < record.to) {
          const slot = disk.decided + 1;
          this.#decide(agent, slot, disk.accepted.get(slot)?.value ?? "nothing");
        }
        return;
      case "learned":
        for (const value of record.values) this.#decide(agent, disk.decided + 1, textOf(value));
        return;
      case "snapshot":
        disk.decided = record.slot;
        for (const slot of disk.accepted.keys()) {
          if (slot <= record.slot) disk.accepted.delete(slot);
        }
    }
  }

  /** Section 2.2: an acceptor's ballot number never falls, whatever happens to it. */
  #promise(agent: string, epoch: number, ballot: Ballot): void {
    const identity = `${agent} ${this.#disk(agent).incarnation}`;
    if (this.#lost.has(identity)) {
      this.#violated(`${agent} votes for ${show(ballot)}, as if its disk had not been lost`);
    }
    const promised = this.#promised(agent, epoch);
    if (compareBallots(ballot, promised) < 0) {
      this.#violated(`${agent} votes for ${show(ballot)}, and has promised ${show(promised)}`);
    }
    this.#promises.set(`${identity} ${epoch}`, ballot);
  }

  #accept(
    agent: string,
    { epoch, slot, ballot, value }: Extract<PaxosRecord, { kind: "accept" }>,
  ): void {
    const disk = this.#disk(agent);
    const text = textOf(value);
    disk.accepted.set(slot, { ballot, value: text });
    this.#ends.set(epoch, Math.max(slot, this.#ends.get(epoch) ?? 0));
    this.#judgeEnd(epoch);
    const members = this.#configurations.get(epoch)?.members ?? [];
    const isMember = members.some((member) =>
      member.agent === agent && member.incarnation === disk.incarnation
    );
    if (!isMember) this.#violated(`${agent} accepts in configuration ${epoch}, and is not in it`);
    const key = `${epoch} ${slot} ${show(ballot)}`;
    const accepted = this.#accepted.get(key) ?? { value: text, by: new Set() };
    this.#accepted.set(key, accepted);
    if (accepted.value !== text) {
      this.#violated(
        `${agent} accepts ${text} in slot ${slot} and ${show(ballot)}, another ${accepted.value}`,
      );
    }
    accepted.by.add(agent);
    if ((this.#proposed.get(slot) ?? text) !== text) this.#count("two values accepted in a slot");
    this.#proposed.set(slot, text);
    const chosen = this.chosen.get(slot);
    // Section 2.2: what was chosen is what every later ballot proposes.
    if (
      chosen !== undefined && chosen.value !== text && compareBallots(ballot, chosen.ballot) > 0
    ) {
      this.#violated(
        `${show(ballot)} proposes ${text} in slot ${slot}, where ${chosen.value} was chosen`,
      );
    }
    if (2 * accepted.by.size > members.length) this.#choose(slot, text, ballot);
  }

  /** Section 2.2: at most one value is ever chosen in a slot. */
  #choose(slot: number, value: string, ballot: Ballot): void {
    const known = this.chosen.get(slot);
    if (known === undefined) this.chosen.set(slot, { value, ballot });
    else if (known.value !== value) {
      this.#violated(
        `${show(ballot)} chooses ${value} in slot ${slot}, where ${known.value} was chosen`,
      );
    } else if (compareBallots(ballot, known.ballot) < 0) this.chosen.set(slot, { value, ballot });
  }

  /** Section 2.1: nothing is decided but what was chosen. */
  #decide(agent: string, slot: number, value: string): void {
    const disk = this.#disk(agent);
    disk.decided = slot;
    disk.accepted.delete(slot);
    const chosen = this.chosen.get(slot)?.value;
    if (chosen === value) return;
    this.#violated(
      `${agent} takes ${value} for decided in slot ${slot}, where ${
        chosen ?? "nothing"
      } was chosen`,
    );
  }
}

/** A ballot in words. */
export function show({ round, leader }: Ballot): string {
  return `ballot ${round} of ${leader}`;
}
