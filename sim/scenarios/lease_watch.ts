// Looks at every node of a lease after every event that concerns it, and judges in true time, which no node knows: who
// believes to own the lease by its own clock, whether a majority stands behind it for as long, and whether an acceptor
// breaks what it has promised.

import type { Ballot } from "../../agents/lease/protocol.ts";
import { isHigher, isSameProposer, type LeaseState } from "../../agents/lease/state.ts";
import { leaseRules } from "../../agents/lease/rules.ts";
import type { Count } from "../injector.ts";
import type { World } from "../world.ts";
import type { Mail, WorldEvent } from "../world_event.ts";

/** A node that believes to own the lease. */
interface Belief {
  readonly agent: string;
  readonly ballot: Ballot;
  /** The moment of the world at which its clock tells it that the lease is over. */
  readonly endUs: number;
}

/** What an acceptor has said about a ballot, and when. */
interface Word {
  readonly ballot: Ballot;
  readonly atUs: number;
}

interface Words {
  readonly open: Word[];
  readonly accepted: Word[];
}

/** What a {@linkcode LeaseWatch} looks at. */
export interface LeaseWatchOptions {
  readonly world: World;
  /** The nodes by their boxes. */
  readonly agents: ReadonlyMap<string, string>;
  readonly count: Count;
  readonly violated: (what: string) => never;
  /** Judges nothing but that there is one owner: to see what that alone finds. */
  readonly ownersOnly: boolean;
}

/** See the top of this file. */
export class LeaseWatch {
  readonly #options: LeaseWatchOptions;
  /** By box. A node believes nothing new between two events, and what it believes can only end. */
  readonly #beliefs = new Map<string, Belief>();
  readonly #starts = new Map<string, number[]>();
  readonly #cut = new Set<string>();
  readonly #words = new Map<string, Words>();
  /** How often the lease has got an owner, and was renewed. */
  acquired = 0;
  renewed = 0;

  constructor(options: LeaseWatchOptions) {
    this.#options = options;
    options.world.observe((event) => this.#see(event));
  }

  /** What a node knows of the lease; undefined while its box is down. */
  lease(agent: string): LeaseState | undefined {
    const inspected = this.#options.world.inspect(agent);
    const state: unknown = inspected?.status === "running" ? inspected.state : undefined;
    return state === undefined ? undefined : (state as { readonly lease: LeaseState }).lease;
  }

  /** The one of these nodes that owns the lease at this moment of the world. */
  owner(among: readonly string[]): string | undefined {
    const nowUs = Math.round(1000 * this.#options.world.now);
    return [...this.#beliefs.values()].find(({ agent, endUs }) =>
      nowUs < endUs && among.includes(agent)
    )?.agent;
  }

  /** Whether the acceptor of a node has accepted a lease since its start. */
  takesPart(agent: string): boolean {
    return this.lease(agent)?.acceptor.accepted !== undefined;
  }

  #see(event: WorldEvent): void {
    if (event.kind === "cut" || event.kind === "heal") {
      const key = `${event.from} ${event.to}`;
      if (event.kind === "cut") this.#cut.add(key);
      else this.#cut.delete(key);
      return this.#countMinority(event.atUs);
    }
    if (event.kind === "mail") return this.#hear(event);
    if (!("box" in event)) return;
    const agent = this.#options.agents.get(event.box);
    if (agent === undefined) return;
    if (event.kind === "start") this.#startsOf(event.box).push(event.atUs);
    if (event.kind === "crash") {
      if ((this.#beliefs.get(event.box)?.endUs ?? 0) > event.atUs) this.#count("owner killed");
      this.#beliefs.delete(event.box);
    } else this.#look(event.box, agent, event.atUs);
    if (!this.#options.ownersOnly) this.#judgeSupport(event.atUs);
    if (event.kind !== "note") return;
    if (event.note.event === "lease.acquired") this.acquired++;
    if (event.note.event === "lease.renewed") this.renewed++;
  }

  #count(mark: string): void {
    this.#options.count(mark);
  }

  #startsOf(box: string): number[] {
    const starts = this.#starts.get(box) ?? [];
    this.#starts.set(box, starts);
    return starts;
  }

  /** At most one owner at any true time. */
  #look(box: string, agent: string, nowUs: number): void {
    const owned = this.lease(agent)?.proposer.owned;
    // What the state calls owned is owned only until the node's own clock says that it is over.
    const endUs = owned === undefined ? 0 : this.#options.world.clock(box).reaches(owned.until);
    if (owned === undefined || endUs <= nowUs) {
      this.#beliefs.delete(box);
      return;
    }
    this.#beliefs.set(box, { agent, ballot: owned.ballot, endUs });
    for (const [other, belief] of this.#beliefs) {
      if (other === box || belief.endUs <= nowUs) continue;
      this.#options.violated(
        `${belief.agent} owns the lease for another ${(belief.endUs - nowUs) / 1000} ms, and ` +
          `${agent} for another ${(endUs - nowUs) / 1000} ms`,
      );
    }
  }

  /**
   * Why there cannot be two: as long as one owns the lease, a majority of acceptors holds it for that node, or is silent.
   * Long before there is a second owner this tells that there could be one.
   */
  #judgeSupport(nowUs: number): void {
    const { agents, violated } = this.#options;
    for (const belief of this.#beliefs.values()) {
      if (belief.endUs <= nowUs) continue;
      const support = [...agents].filter(([box, agent]) => this.#supports(box, agent, belief));
      if (support.length >= leaseRules.majority(agents.size)) continue;
      violated(
        `${belief.agent} owns the lease for another ${
          (belief.endUs - nowUs) / 1000
        } ms, and only ` +
          `${support.length} of ${agents.size} acceptors hold it for as long`,
      );
    }
  }

  #supports(box: string, agent: string, { ballot, endUs }: Belief): boolean {
    const acceptor = this.lease(agent)?.acceptor;
    // Who is down will be silent when it has started, and is judged then.
    if (acceptor === undefined) return true;
    const { votesAt, accepted } = acceptor;
    const isHeld = accepted !== undefined && isSameProposer(accepted.ballot, ballot);
    const untilMs = Math.max(votesAt, isHeld ? accepted.until : 0);
    return this.#options.world.clock(box).reaches(untilMs) >= endUs;
  }

  /** Counts owners that cannot be renewed, being on the smaller side of a cut. */
  #countMinority(nowUs: number): void {
    const { agents } = this.#options;
    for (const [box, { endUs }] of this.#beliefs) {
      if (endUs <= nowUs) continue;
      const reached = [...agents.keys()].filter((other) =>
        !this.#cut.has(`${box} ${other}`) && !this.#cut.has(`${other} ${box}`)
      );
      if (reached.length < leaseRules.majority(agents.size)) this.#count("owner in the minority");
    }
  }

  #hear({ envelope: { from, message }, from: box, to, sentAtUs, atUs, fate }: Mail): void {
    if (fate === "delivered" && message.type === "proposeRequest") this.#countSilence(to, atUs);
    if (fate === "unsent") return;
    if (this.#options.ownersOnly) return;
    const { ballot, answer, accepted } = message;
    const isOpen = Reflect.get(Object(answer), "kind") === "open";
    if (!isOpen && accepted !== true) return;
    // A message that a lease_node sent, and its schema let out.
    const word: Word = { ballot: ballot as Ballot, atUs: sentAtUs };
    const life = this.#startsOf(box).filter((startUs) => startUs <= sentAtUs).length;
    const key = `${from} ${life}`;
    const words = this.#words.get(key) ?? { open: [], accepted: [] };
    this.#words.set(key, words);
    (isOpen ? words.open : words.accepted).push(word);
    for (const later of isOpen ? words.accepted : [word]) {
      for (const earlier of isOpen ? [word] : words.open) this.#compare(from, earlier, later);
    }
  }

  /** Section 3, step 2: who has answered that it is open for a ballot accepts no lower one after that, in the same life. */
  #compare(acceptor: string, open: Word, accepted: Word): void {
    if (accepted.atUs <= open.atUs || !isHigher(open.ballot, accepted.ballot)) return;
    this.#options.violated(
      `${acceptor} accepts ballot ${describe(accepted.ballot)}, and has promised ` +
        describe(open.ballot),
    );
  }

  /** Counts proposals that an acceptor ignores, since it may have forgotten what it accepted before it crashed. */
  #countSilence(box: string, atUs: number): void {
    const { agents, world } = this.#options;
    const agent = agents.get(box);
    if (agent === undefined || this.#startsOf(box).length < 2) return;
    const votesAt = this.lease(agent)?.acceptor.votesAt ?? 0;
    if (world.clock(box).now(atUs) < votesAt) this.#count("restarted acceptor sat out");
  }
}

function describe({ number, node }: Ballot): string {
  return `${number} of ${node}`;
}
