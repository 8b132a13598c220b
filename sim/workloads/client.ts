// Who asks in a simulation, as the play sees it, whatever the way by which a request goes.

import type { Play } from "../scenario.ts";

/** Somebody who makes one request after the other. */
export interface Client {
  /** How many of its requests were answered. */
  readonly committed: number;
  /** Whether it waits for nothing, and will not ask again. */
  readonly done: boolean;
  /** What it waits for, in words; undefined if for nothing. */
  readonly waitsFor: string | undefined;
  /** The faults are over for the boxes of `core`. */
  heal(core: readonly string[]): void;
}

/** The play of clients who go on until each has been answered after the faults. */
export function playOf(clients: readonly Client[]): Play {
  let over = false;
  return {
    committed: () => clients.reduce((sum, { committed }) => sum + committed, 0),
    done: () => over && clients.every(({ done }) => done),
    waitsFor: () => clients.map(({ waitsFor }) => waitsFor).find((each) => each !== undefined),
    healed(core) {
      over = true;
      for (const client of clients) client.heal(core);
    },
  };
}
