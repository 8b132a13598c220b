// The guests of a box: programs that are no agents of the grid, and talk to agents of this box under names of their
// own, from within this program or over a link.

import type { AnyMessage } from "../core/agent.ts";
import { copyJson } from "../core/data.ts";
import type { Envelope } from "../core/envelope.ts";
import type { Grid } from "../core/grid.ts";
import type { AgentId, BoxId } from "../core/id.ts";
import type { BoxLog, Guest } from "./box_options.ts";

/** What takes the mail for a guest. */
export type Receive = (from: AgentId, message: AnyMessage) => void;

/** What guests need of their box. */
export interface GuestsOptions {
  readonly box: BoxId;
  readonly grid: Grid;
  readonly log: BoxLog;
  /** Mail for an agent of this box. */
  readonly deliver: (envelope: Envelope) => void;
}

/** The guests of one box. */
export class Guests {
  readonly #options: GuestsOptions;
  readonly #receivers = new Map<AgentId, Receive>();

  constructor(options: GuestsOptions) {
    this.#options = options;
  }

  has(id: AgentId): boolean {
    return this.#receivers.has(id);
  }

  /** Lets in a guest; why not, if its name is taken. */
  enter(id: AgentId, receive: Receive): string | undefined {
    if (this.#options.grid.agents.has(id) || this.#receivers.has(id)) {
      return `its name ${JSON.stringify(id)} is taken`;
    }
    this.#receivers.set(id, receive);
    return undefined;
  }

  leave(id: AgentId): void {
    this.#receivers.delete(id);
  }

  /** Mail from a guest, for an agent of this box or else for nobody. */
  hear(envelope: Envelope): void {
    const { grid, box, log, deliver } = this.#options;
    if (grid.agents.get(envelope.to)?.box === box) return deliver(envelope);
    log.info(`dropped mail of client ${envelope.from} for ${envelope.to}, which is not here`);
  }

  /** Mail for a guest, if it is still here. */
  tell({ from, to, message }: Envelope): void {
    this.#receivers.get(to)?.(from, message);
  }

  /**
   * A guest of this very program.
   *
   * @throws {RangeError} if an agent of the grid or another guest is called so.
   */
  add(id: AgentId, receive: Receive): Guest {
    const { grid, box, deliver } = this.#options;
    if (this.enter(id, receive) !== undefined) {
      throw new RangeError(`Cannot be a guest as ${id}, want an id that nobody in the grid has`);
    }
    return {
      id,
      send: (to, message) => {
        if (grid.agents.get(to)?.box !== box) {
          throw new RangeError(`Cannot send to ${to}, want an agent of box ${box}`);
        }
        deliver({ from: id, to, message: copyJson(message) });
      },
      leave: () => this.leave(id),
    };
  }
}
