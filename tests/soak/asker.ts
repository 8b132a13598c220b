// A program outside the grid, through the proxy as well: it has numbers kept, and asks in the end what has become of all.

import { ClientLink } from "../../client/link.ts";
import type { AnyMessage } from "../../core/agent.ts";
import type { Envelope } from "../../core/envelope.ts";
import { agentId } from "../../core/id.ts";
import { seededRandom } from "../../core/random.ts";
import { nativeTcp } from "../../transport/native_tcp.ts";

/** What a talker has heard. */
export interface TalkerReport {
  readonly heard: number;
  readonly lost: number;
  readonly disorder: number;
}

/** How many numbers may be on their way. */
const windowMax = 16;
const pumpEveryMs = 20;
/** After so many pumps without an answer all that is on its way is taken for lost. */
const patience = 10;

/** See the top of this file. */
export class Asker {
  readonly #id = agentId(`asker-${crypto.randomUUID()}`);
  readonly #links: ClientLink[];
  readonly #up: boolean[];
  readonly #reports = new Map<number, TalkerReport>();
  #kept: number | undefined;
  #answers = 0;

  constructor(addresses: readonly string[]) {
    this.#up = addresses.map(() => false);
    this.#links = addresses.map((address, index) =>
      new ClientLink({
        ...{ transport: nativeTcp, address, client: this.#id, random: seededRandom(1n) },
        receive: (envelope) => this.#receive(index, envelope),
        up: () => void (this.#up[index] = true),
        down: () => void (this.#up[index] = false),
      })
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.close()));
  }

  /** Resolves once every box has greeted. */
  linked(withinMs: number): Promise<void> {
    return until("every box is linked", () => this.#up.every((up) => up), withinMs);
  }

  /** Has numbers kept until `signal` aborts; how many were acknowledged. */
  async keep(signal: AbortSignal): Promise<number> {
    let sent = 0;
    let before = 0;
    let silent = 0;
    while (!signal.aborted) {
      const kept = this.#kept ?? 0;
      silent = kept > before || sent === kept ? 0 : silent + 1;
      before = kept;
      if (silent > patience) {
        sent = kept;
        silent = 0;
      }
      while (sent < kept + windowMax) this.#tell(0, "keeper", { type: "keep", number: ++sent });
      await pause(pumpEveryMs);
    }
    return this.#kept ?? 0;
  }

  /** What every talker has heard. */
  async reports(): Promise<TalkerReport[]> {
    this.#reports.clear();
    const all = () => this.#reports.size === this.#links.length;
    await until("every talker reports", () => {
      for (const index of this.#links.keys()) {
        if (!this.#reports.has(index)) this.#tell(index, `talker${index}`, { type: "report" });
      }
      return all();
    }, 30_000);
    return [...this.#reports.values()];
  }

  /** How many numbers the keeper has, asked until it answers: 0 is none that it would keep. */
  async found(): Promise<number> {
    const answers = this.#answers;
    await until("the keeper answers", () => {
      this.#tell(0, "keeper", { type: "keep", number: Number.MAX_SAFE_INTEGER });
      return this.#answers > answers;
    }, 30_000);
    return this.#kept ?? 0;
  }

  #tell(index: number, to: string, message: AnyMessage): void {
    this.#links[index]?.send({ from: this.#id, to: agentId(to), message });
  }

  #receive(index: number, { message }: Envelope): void {
    if (message.type === "kept" && typeof message.last === "number") {
      this.#answers++;
      this.#kept = message.last;
    } else if (message.type === "reported") {
      const { heard, lost, disorder } = message;
      const report = { heard: Number(heard), lost: Number(lost), disorder: Number(disorder) };
      this.#reports.set(index, report);
    }
  }
}

/** Looks for `condition` again and again, and fails with `what` after `withinMs`. */
async function until(what: string, condition: () => boolean, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Not within ${withinMs} ms: ${what}`);
    await pause(20);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
