// Who in a box has come to its end, and who waits for that.

import type { AgentId } from "../core/id.ts";

/** The ends of agents, which may be awaited before they come. */
export class AgentEnds {
  readonly #ends = new Map<AgentId, PromiseWithResolvers<void>>();

  /** The agent has ended. */
  end(agent: AgentId): void {
    this.#of(agent).resolve();
  }

  /** Resolves once the agent has ended. */
  of(agent: AgentId): Promise<void> {
    return this.#of(agent).promise;
  }

  #of(agent: AgentId): PromiseWithResolvers<void> {
    let end = this.#ends.get(agent);
    if (end === undefined) this.#ends.set(agent, end = Promise.withResolvers());
    return end;
  }
}
