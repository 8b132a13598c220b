// An agent that lives in a program: a guest of the boxes that it talks to. It is the very agent that does so within a
// grid, so that what the simulator proves of that one holds here as well; around it there are links, and one timer.

import type { AgentEntry, Grid } from "../core/grid.ts";
import type { AnyMessage } from "../core/agent.ts";
import type { Json } from "../core/data.ts";
import type { AgentDefinition } from "../core/define.ts";
import type { Batch, Envelope } from "../core/envelope.ts";
import { messageOf } from "../core/error.ts";
import { Host } from "../core/host.ts";
import { type AgentId, agentId, type BoxId } from "../core/id.ts";
import { deriveSeed, seededRandom } from "../core/random.ts";
import type { Transport } from "../transport/transport.ts";
import { ClientLink } from "./link.ts";

/** What a guest is made with. */
export interface GuestOptions {
  readonly definition: AgentDefinition;
  readonly attrs: { readonly [name: string]: Json };
  /** Whom it talks to: their ids in the grid, and the addresses of their boxes. */
  readonly peers: Readonly<Record<string, string>>;
  /** The type of all of them. */
  readonly peerType: string;
  readonly transport: Transport;
  /** Takes what the agent says to the program. */
  readonly receive: (message: AnyMessage) => void;
  /** The agent has failed; nothing more comes. */
  readonly broken: (why: string) => void;
}

const here = "client" as BoxId;
const asker = agentId("asker");

/** See the top of this file. */
export class Guest {
  /** The name by which boxes know it: new for each, so that no two ever share a session. */
  readonly id: AgentId = agentId(`client-${crypto.randomUUID()}`);
  readonly #options: GuestOptions;
  readonly #host: Host;
  readonly #links = new Map<string, ClientLink>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the host wants its next step; infinite if it waits for mail alone. */
  #dueAt = Infinity;
  /** When `#timer` goes off; infinite while there is none. */
  #timerAt = Infinity;
  #closed = false;

  constructor(options: GuestOptions) {
    const { definition, peers, transport } = this.#options = options;
    const seed = crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n;
    this.#host = new Host({
      box: here,
      grid: gridOf(this.id, options),
      definitions: new Map([[definition.type, definition]]),
      seed,
      isGuest: (agent) => agent === asker,
    });
    for (const address of new Set(Object.values(peers))) {
      const link = new ClientLink({
        transport,
        address,
        client: this.id,
        random: seededRandom(deriveSeed(seed, address)),
        receive: (envelope) => this.#receive(address, envelope),
        up: () => {},
        down: () => {},
      });
      this.#links.set(address, link);
    }
    this.#carryOut(this.#host.boot(performance.now()));
  }

  /** Says something to the agent. */
  tell(message: AnyMessage): void {
    this.#step({ from: asker, to: this.id, message });
  }

  /** Ends the agent and its links. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await Promise.all(Array.from(this.#links.values(), (link) => link.close()));
  }

  // A box speaks for its own agents alone.
  #receive(address: string, envelope: Envelope): void {
    const { peers } = this.#options;
    if (envelope.to === this.id && peers[envelope.from] === address) this.#step(envelope);
  }

  #step(envelope?: Envelope): void {
    if (this.#closed) return;
    const inputs = envelope === undefined ? [] : [{ kind: "mail", envelope } as const];
    this.#carryOut(this.#host.step(performance.now(), inputs));
  }

  // Nothing here is durable: a program that crashes comes back as another client.
  #carryOut(batch: Batch): void {
    const [fault] = batch.faults;
    this.#dueAt = batch.busy ? 0 : batch.wakeAt ?? Infinity;
    for (const outgoing of batch.sends) {
      if (outgoing.box === here) this.#options.receive(outgoing.message);
      else this.#links.get(outgoing.box)?.send(outgoing);
    }
    // A fault of the agent is a fault of ours: whatever was asked may have happened.
    if (fault !== undefined) {
      this.#closed = true;
      clearTimeout(this.#timer);
      return this.#options.broken(messageOf(fault.error));
    }
    this.#arm();
  }

  // What is due moves away with every answer. One timer that goes off too early now and then, and finds nothing due,
  // costs less than one that is put off each time.
  #arm(): void {
    if (this.#closed || this.#dueAt >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = this.#dueAt;
    this.#timer = setTimeout(() => {
      this.#timerAt = Infinity;
      if (performance.now() < this.#dueAt) this.#arm();
      else this.#step();
    }, Math.ceil(Math.max(0, this.#dueAt - performance.now())));
  }
}

function gridOf(id: AgentId, { definition, attrs, peers, peerType }: GuestOptions): Grid {
  const entries = Object.entries(peers).map(([name, address]): AgentEntry => ({
    id: agentId(name),
    type: peerType,
    box: address as BoxId,
    attrs: {},
    routes: new Map(),
  }));
  const self = { id, type: definition.type, box: here, attrs, routes: new Map() };
  const agents = new Map([self, ...entries].map((entry) => [entry.id, entry]));
  return { file: "", agents, boxes: [here], plugins: new Map() };
}
