// Who votes for a view promises to acknowledge nothing more in earlier ones: section 4.2. Whether that promise
// survives every crash can be seen from the mail, and from what the replica has on its disk by then, long before
// anything is lost by a promise that was forgotten.

import type { ReplicaState } from "../../agents/vr/state.ts";
import type { Mail } from "../world_event.ts";

interface Words {
  /** When the replica first voted for each view. */
  readonly votes: Map<number, number>;
  /** When it last acknowledged something in each view. */
  readonly acknowledgements: Map<number, number>;
}

/** Listens to what the replicas say. Mail is heard in another order than it is sent in. */
export class VrPromises {
  readonly #words = new Map<string, Words>();
  /** When the disk of a replica was lost: before that it was another one. */
  readonly #since = new Map<string, number>();
  readonly #replica: (agent: string) => ReplicaState | undefined;
  readonly #violated: (what: string) => never;

  constructor(
    replica: (agent: string) => ReplicaState | undefined,
    violated: (what: string) => never,
  ) {
    this.#replica = replica;
    this.#violated = violated;
  }

  forget(agent: string, atUs: number): void {
    this.#since.set(agent, atUs);
    for (const key of this.#words.keys()) {
      if (key.startsWith(`${agent} `)) this.#words.delete(key);
    }
  }

  hear({ envelope: { from, message }, sentAtUs, fate }: Mail): void {
    const { type, epoch, view } = message;
    if (type !== "doViewChange" && type !== "prepareOk") return;
    if (fate === "unsent" || sentAtUs <= (this.#since.get(from) ?? -1)) return;
    if (typeof view !== "number") return;
    const { votes, acknowledgements } = this.#wordsOf(`${from} ${epoch}`);
    if (type === "doViewChange") {
      const durable = this.#replica(from)?.durable;
      // Section 4.3, with a journal: a vote is on disk before anybody hears of it.
      if (durable !== undefined && durable.epoch === epoch && durable.view < view) {
        this.#violated(`${from} has voted for view ${view}, and its disk has view ${durable.view}`);
      }
      votes.set(view, Math.min(votes.get(view) ?? Infinity, sentAtUs));
      for (const [earlier, atUs] of acknowledgements) {
        if (earlier < view && atUs > sentAtUs) this.#break(from, earlier, view);
      }
    } else {
      acknowledgements.set(view, Math.max(acknowledgements.get(view) ?? 0, sentAtUs));
      for (const [later, atUs] of votes) {
        if (later > view && atUs < sentAtUs) this.#break(from, view, later);
      }
    }
  }

  #wordsOf(key: string): Words {
    let words = this.#words.get(key);
    if (words === undefined) {
      this.#words.set(key, words = { votes: new Map(), acknowledgements: new Map() });
    }
    return words;
  }

  #break(agent: string, view: number, voted: number): never {
    return this.#violated(
      `${agent} acknowledges in view ${view}, after it has voted for view ${voted}`,
    );
  }
}
