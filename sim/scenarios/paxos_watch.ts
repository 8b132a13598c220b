// Looks at every member of a group after every event that concerns it, and knows what the paper promises: one value a
// slot, promises that are kept, ballots that are used once, and leaders that give way to later ones alone.

import { type Ballot, ballotSchema, compareBallots } from "../../agents/paxos/ballot.ts";
import {
  type Configuration,
  type Leader,
  type PaxosState,
  recordSchema,
} from "../../agents/paxos/state.ts";
import { encodeData, type Json } from "../../core/data.ts";
import type { Note } from "../../core/envelope.ts";
import { agentId } from "../../core/id.ts";
import type { Count } from "../injector.ts";
import type { World } from "../world.ts";
import type { Mail, WorldEvent } from "../world_event.ts";
import { z } from "zod";
import { paxosProtocol } from "../../agents/paxos/protocol.ts";
import { PaxosReports } from "./paxos_reports.ts";
import { PaxosDisks, show } from "./paxos_disks.ts";

const stampSchema = z.object({ epoch: z.int(), ballot: ballotSchema });

/** See the top of this file. */
export class PaxosWatch {
  readonly #disks: PaxosDisks;
  readonly #reports: PaxosReports;
  readonly #agentOf: ReadonlyMap<string, string>;
  readonly #world: World;
  readonly #count: Count;
  readonly #violated: (what: string) => never;
  /** Each ballot that was adopted, and the latest of them. */
  readonly #adopted = new Set<string>();
  #latest: { epoch: number; ballot: Ballot | undefined } = { epoch: 0, ballot: undefined };
  readonly #leaders = new Set<string>();
  /** When the last decision was made that nobody knew before. */
  #decided = 0;
  #decidedAtUs = 0;
  /** Since when members that know less than others are known to be behind. */
  readonly #behind = new Map<string, number>();

  /** @param boxes The box of each member. */
  constructor(
    world: World,
    boxes: ReadonlyMap<string, string>,
    count: Count,
    violated: (what: string) => never,
  ) {
    this.#world = world;
    this.#agentOf = new Map([...boxes].map(([agent, box]) => [box, agent]));
    this.#count = count;
    this.#violated = violated;
    this.#disks = new PaxosDisks(count, violated);
    this.#reports = new PaxosReports(count, violated);
    world.observe((event) => this.#see(event));
  }

  /** The state of a member that runs. */
  member(agent: string): PaxosState | undefined {
    const inspected = this.#world.inspect(agent);
    return inspected?.status === "running" ? inspected.state as PaxosState : undefined;
  }

  /** All members and spares. */
  get agents(): readonly string[] {
    return [...this.#agentOf.values()];
  }

  #see(event: WorldEvent): void {
    if (event.kind === "mail") return this.#hear(event);
    const agent = "box" in event ? this.#agentOf.get(event.box) : undefined;
    if (agent === undefined) return;
    switch (event.kind) {
      case "crash":
        if (this.#leaders.delete(agent)) this.#count("crash.leader");
        this.#behind.delete(agent);
        return this.#disks.crashed(agent);
      case "disk":
        if (event.bytesMax === "lost") this.#disks.lost(agent, event.atUs);
        return;
      case "note":
        return this.#hearNote(agent, event.note, event.atUs);
      case "start": {
        const state = this.member(agent);
        if (state !== undefined) this.#disks.started(agent, state);
        break;
      }
      case "append":
        if (event.append.agent !== agent) return this.#disks.appended(agent, undefined);
        this.#disks.appended(agent, recordSchema.parse(JSON.parse(event.append.record)));
        break;
      case "sync":
        this.#disks.synced(agent, event.records);
    }
    this.#look(agent, event.atUs);
  }

  #look(agent: string, atUs: number): void {
    const state = this.member(agent);
    if (state === undefined) return;
    if (state.application !== undefined) this.#disks.configured(state.application.configuration);
    const { decided } = state;
    if (decided > this.#decided) {
      this.#decided = decided;
      this.#decidedAtUs = atUs;
    }
    if (state.leader === undefined || state.leader.scout !== undefined) this.#leaders.delete(agent);
    else {
      this.#leaders.add(agent);
      this.#judgeCommanders(agent, state.leader);
    }
  }

  /** Section 2.3: whoever a commander counts has accepted. */
  #judgeCommanders(agent: string, { ballot, commanders }: Leader): void {
    for (const [slot, { answered }] of commanders) {
      for (const acceptor of answered) {
        if (acceptor === agent || this.#disks.holds(acceptor, slot, ballot)) continue;
        this.#violated(
          `${agent} counts ${acceptor}, which has not accepted in slot ${slot} and ${show(ballot)}`,
        );
      }
    }
  }

  #hear({ envelope: { from, message }, sentAtUs, fate }: Mail): void {
    if (fate === "unsent" || (message.type !== "p1b" && message.type !== "p2b")) return;
    const { epoch, ballot } = stampSchema.parse(message);
    this.#disks.heardPromise(from, epoch, ballot, sentAtUs);
    if (message.type === "p1b" && fate === "delivered") {
      this.#reports.heard(paxosProtocol.p1b.parse(message));
    }
  }

  #hearNote(agent: string, { event, detail }: Note, atUs: number): void {
    switch (event) {
      case "paxos.reconfigured":
        return this.#disks.configured(detail as unknown as Configuration);
      case "paxos.leads":
        return this.#judgeLeader(agent, detail as { epoch: number; round: number });
      case "paxos.preempted":
        return this.#judgePreemption(agent, detail as { round: number; by: Json });
      case "paxos.lease_read":
        return this.#judgeRead(agent);
      case "paxos.behind":
        this.#behind.set(agent, atUs);
        return;
      case "paxos.caught_up":
        if (this.#decidedAtUs < (this.#behind.get(agent) ?? 0)) {
          this.#count("caught up without a later decision");
        }
        this.#behind.delete(agent);
    }
  }

  #judgeLeader(agent: string, { epoch, round }: { epoch: number; round: number }): void {
    const ballot = { round, leader: agentId(agent) };
    const key = `${show(ballot)} of epoch ${epoch}`;
    // Who is alone adopts a ballot in memory, which a crash may take back before anybody knows.
    if (this.#disks.configuration(epoch)?.members.length === 1) return;
    if (this.#adopted.has(key)) this.#violated(`${agent} has ${key} adopted a second time`);
    this.#adopted.add(key);
    const latest = this.#latest;
    if (latest.ballot !== undefined && latest.ballot.leader !== agent) {
      this.#count("leader changed");
    }
    const state = this.member(agent);
    if (state !== undefined) this.#reports.judge(agent, state, this.#disks.acceptedBy(agent));
    const isLater = epoch > latest.epoch || latest.ballot === undefined ||
      (epoch === latest.epoch && compareBallots(ballot, latest.ballot) > 0);
    if (isLater) this.#latest = { epoch, ballot };
  }

  /** Section 2.2: a leader gives way to later ballots alone. */
  #judgePreemption(agent: string, { round, by }: { round: number; by: Json }): void {
    const own = { round, leader: agentId(agent) };
    const later = ballotSchema.parse(by);
    if (compareBallots(later, own) > 0) return;
    this.#violated(`${agent} gives up ${show(own)}, having heard of ${show(later)}`);
  }

  /** Section 4.5: while a leader may read alone, no later ballot is adopted. In true time, which no member knows. */
  #judgeRead(agent: string): void {
    const state = this.member(agent);
    const { epoch, ballot } = this.#latest;
    if (state?.application === undefined || ballot === undefined) return;
    const own = state.application.configuration.epoch;
    if (epoch < own || (epoch === own && compareBallots(ballot, state.ballot) <= 0)) return;
    this.#violated(
      `${agent} answers a read alone in ${show(state.ballot)} of epoch ${own}, but ` +
        `${show(ballot)} of epoch ${epoch} was adopted`,
    );
  }

  /** The configuration of the latest epoch that anybody up knows, without those that have lost the disk since. */
  members(): readonly string[] {
    return this.#latestConfiguration()?.members.filter(({ agent, incarnation }) =>
      (this.member(agent)?.durable.incarnation ?? incarnation) === incarnation
    ).map(({ agent }) => agent) ?? [];
  }

  #latestConfiguration(): Configuration | undefined {
    let latest: Configuration | undefined;
    for (const agent of this.agents) {
      const configuration = this.member(agent)?.application?.configuration;
      if (configuration === undefined) continue;
      if (configuration.epoch >= (latest?.epoch ?? 0)) latest = configuration;
    }
    return latest;
  }

  /** Whether these members know the same decisions, one of them leads, and nothing is under way. */
  agree(agents: readonly string[]): boolean {
    const states = agents.map((agent) => this.member(agent));
    const [first] = states;
    if (first === undefined) return false;
    const { decided } = first;
    const { epoch } = this.#latestConfiguration() ?? {};
    return states.every((state) =>
      state !== undefined && state.decided === decided &&
      state.application?.configuration.epoch === epoch
    ) && states.some((state) => state?.leader?.scout === undefined && state?.leader !== undefined);
  }

  /** Fails unless these members have the same replicated state. */
  requireEqual(agents: readonly string[]): void {
    const [first, ...others] = agents.map((agent) => encodeData(this.member(agent)?.application));
    const index = others.findIndex((state) => state !== first);
    if (index < 0) return;
    const other = agents[index + 1];
    this.#violated(`${agents[0]} and ${other} know the same decisions, and have different states`);
  }

  /**
   * Whether the group can do without the disk of an agent: a majority of the latest configuration has begun it, and no
   * other is on its way. What a box that is down has on its disk cannot be seen, so all must be up.
   */
  mayLose(agent: string): boolean {
    const states = new Map(this.agents.map((each) => [each, this.member(each)]));
    const latest = this.#latestConfiguration();
    if (latest === undefined) return false;
    for (const state of states.values()) {
      if (state === undefined || state.application?.next !== null) return false;
      if (state.queue.some(({ entry }) => entry.command.kind === "reconfigure")) return false;
      for (const { value } of state.durable.accepted.values()) {
        if (value.some(({ command }) => command.kind === "reconfigure")) return false;
      }
    }
    const whole = latest.members.filter((member) => {
      const state = states.get(member.agent);
      return member.agent !== agent && state?.durable.incarnation === member.incarnation &&
        state.application?.configuration.epoch === latest.epoch;
    });
    return 2 * whole.length > latest.members.length;
  }
}
