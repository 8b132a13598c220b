// The rules of the protocol that need nothing but their arguments, one function each. A replica is made with a set of
// them, so that a test can break a single rule and see whether anybody notices.

import type { DeepReadonly } from "../../core/data.ts";
import type { AgentId } from "../../core/id.ts";
import { judge, type Mark, remember, type Sessions } from "../machine/sessions.ts";
import type { Entry, Member, Vr } from "./protocol.ts";
import type { Durable, VrRecord } from "./state.ts";

/** The rules that a replica is made with. */
export type VrRules = typeof vrRules;

/** What a new primary knows of a replica's log. */
export type Vote = Pick<Vr<"doViewChange">, "lastNormal" | "op">;

/** The rules of the protocol. */
export const vrRules = {
  /**
   * Section 2.1: any two quorums of a group share a replica. With 2f + 1 replicas that takes f + 1; with an even
   * number it takes one more than half, and the group survives no more failures than with one replica less.
   */
  quorum(size: number): number {
    return Math.floor(size / 2) + 1;
  },

  /** Section 4: the primary follows from the view and the configuration alone, so that nobody need be asked. */
  primaryOf(replicas: readonly DeepReadonly<Member>[], view: number): AgentId | undefined {
    return replicas[view % replicas.length]?.agent;
  },

  /** Section 4.1: whether a request was executed before, by the client table. */
  judge,

  /** Section 4.1: the client table gets the request that was executed, and its result. */
  remember,

  /**
   * Section 4.1: under which name it is kept who waits for the reply to a request, from its coming until its
   * execution. A client awaits one answer at a time.
   */
  replyKey({ client }: Mark): string {
    return client;
  },

  /**
   * Sections 4.1 and 5.2: entries fit at the end of a log only if they begin right after it. What came twice is cut
   * off; what would leave a gap is refused.
   */
  fitting(op: number, { after, entries }: Pick<Vr<"prepare">, "after" | "entries">) {
    return after > op ? undefined : entries.slice(op - after);
  },

  /**
   * Section 4.1: an operation is committed once a quorum holds it, and all before it. `held` says how far each
   * replica's log of this view reaches; one acknowledgement stands for all earlier ones.
   */
  committedOp(held: readonly number[], quorum: number): number {
    return [...held].sort((a, b) => b - a)[quorum - 1] ?? 0;
  },

  /**
   * Section 4.2: a vote for a view forbids to take part in all earlier ones, also after a crash; so it is on disk
   * before anybody hears of it.
   */
  voteRecord(view: number): VrRecord | undefined {
    return { kind: "view", view };
  },

  /**
   * Section 4.2: v' of DOVIEWCHANGE is the latest view in which the status was normal. A view that was voted for and
   * never began has no log, and a vote for it makes no log newer.
   */
  lastNormalAfterVote(lastNormal: number, _view: number): number {
    return lastNormal;
  },

  /**
   * Section 4.2, step 3: the log with the largest v', and of those the one with the largest n. A longer log of an
   * older view may hold operations that a later view has replaced.
   */
  chooseLog(votes: ReadonlyMap<AgentId, Vote>): AgentId | undefined {
    let best: (Vote & { readonly from: AgentId }) | undefined;
    for (const [from, { lastNormal, op }] of votes) {
      const better = best === undefined || lastNormal > best.lastNormal ||
        (lastNormal === best.lastNormal && op > best.op);
      if (better) best = { from, lastNormal, op };
    }
    return best?.from;
  },

  /**
   * Section 4.2, step 5: what of the own log stays when that of a view replaces it. `after` counts from the very
   * first operation, and the log begins after `base`.
   */
  cutLog(log: readonly DeepReadonly<Entry>[], base: number, after: number): DeepReadonly<Entry>[] {
    return log.slice(0, Math.max(0, after - base));
  },

  /**
   * Section 4.2, step 5, brings the client table up to date with the log: it follows from what was executed, and no
   * view change may touch that.
   */
  sessionsAfterViewChange(sessions: Sessions): Sessions {
    return sessions;
  },

  /**
   * Section 4.3, step 3: the view with which a recovering replica goes on, by its own and the answers. Its own vote
   * counts: that is what the journal is for.
   */
  recoveredView(own: number, answers: Iterable<number>): number {
    return Math.max(own, ...answers);
  },

  /**
   * Section 5.2: a replica that has heard of a later view asks for the log of that view. Nobody answers for one that
   * is over.
   */
  requestedView(view: number, _lastNormal: number): number {
    return view;
  },

  /**
   * Section 6.3.1: the primary may answer a read alone while a quorum, itself included, will vote for no other
   * primary. `grants` are the others', by the primary's own clock.
   */
  holdsLease(grants: Iterable<number>, now: number, quorum: number): boolean {
    let others = 0;
    for (const until of grants) if (now < until) others++;
    return others >= quorum - 1;
  },

  /**
   * Section 7.1.1: whether a log holds all that the epoch before has committed, by the viewstamp of the entry that
   * ended it. Entries with equal viewstamps come after equal logs; an entry that merely stands at the same op-number
   * may be a relic of a view that was replaced.
   */
  isComplete(
    { base, log }: DeepReadonly<Pick<Durable, "base" | "log">>,
    { op, view, epoch }: Pick<Vr<"startEpoch">, "op" | "view" | "epoch">,
  ): boolean {
    const entry = log[op - base - 1];
    return entry?.view === view && entry.command.kind === "reconfigure" &&
      entry.command.epoch === epoch - 1;
  },

  /**
   * The incarnation of a replica at its very first start, with an empty disk. Only a founder may take itself for the
   * replica that the configuration names: any other empty disk may be one that was lost, whose votes and entries
   * the others count on.
   */
  firstIncarnation(bootstrap: boolean, drawn: number): number {
    return bootstrap ? 0 : drawn;
  },
};
