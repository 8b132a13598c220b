// Messages sent to agents, and their answers awaited, by clients that are put into the grid for it. A request may be
// lost, so a client has patience only so long; what it gave up may still happen, beside all that it asks later.

import { holesIn, type MailSettings } from "../../core/config/simulation.ts";
import type { AnyMessage } from "../../core/agent.ts";
import { randomInteger } from "../../core/random.ts";
import type { PlainAgent } from "../plain_grid.ts";
import type { Sizes, Stage } from "../scenario.ts";
import { paceOf } from "../scenarios/typist.ts";
import type { WorldEvent } from "../world_event.ts";
import { formatRequest, makeAsker, parseMessage } from "./asker.ts";
import { type Client, playOf } from "./client.ts";
import { type Answers, answersOf, drawHoles, fill, type Holes } from "./template.ts";
import type { Workload } from "./workload.ts";

type MailSizes = "clients" | "requests" | "keys";

/** How many requests of a client may come on top of its share, until one is answered after the faults. */
const extraRequests = 20;

const askerType = "simulation/asker";

interface Request {
  readonly message: { readonly type: string; readonly [field: string]: unknown };
  readonly operation: unknown;
  readonly answers: Answers;
  /** The field that tells which request an answer is to, if any does. */
  readonly idField: string | undefined;
}

interface Sent {
  readonly asker: string;
  readonly request: Request;
  readonly message: AnyMessage;
  readonly holes: Holes;
  readonly call: number;
}

/** The workload `mail`. */
export function mailWorkload(settings: MailSettings): Workload<MailSizes> {
  const { clients, requests, keys } = settings;
  const all = settings.messages.map(requestOf);
  return {
    sizes: { clients, requests, keys },
    definitions: [makeAsker(askerType, all.flatMap(({ answers }) => [...answers.keys()]))],
    agents: (sizes) => askersOf(sizes, all),
    play(stage) {
      const shared = { values: 0 };
      const asking = Array.from(
        { length: stage.sizes.clients },
        (_, index) => new MailClient(index + 1, settings, all, stage, shared),
      );
      stage.world.observe((event) => {
        for (const client of asking) client.see(event);
      });
      return playOf(asking);
    },
  };
}

function requestOf(
  { message, operation = message, answers }: MailSettings["messages"][number],
): Request {
  const idField = Object.keys(message).find((field) => holesIn(message[field]).includes("id"));
  return { message, operation, answers: answersOf(answers), idField };
}

function messageOf({ message }: Request, holes: Holes): AnyMessage {
  const fields = Object.entries(message).map(([field, part]) => [field, fill(part, holes)]);
  return { ...Object.fromEntries(fields), type: message.type };
}

/** Whether every answer says to which request it is. */
function haveIds(all: readonly Request[]): boolean {
  return all.every(({ idField }) => idField !== undefined);
}

function askerOf(client: number, request: number): string {
  return `client${client}/${request}`;
}

/**
 * The agents that ask. Without ids an answer could be to any earlier request of the same agent, asked in vain or
 * doubled on its way, so that each request has an agent of its own.
 */
function askersOf(
  { clients, requests }: Sizes<MailSizes>,
  all: readonly Request[],
): Record<string, PlainAgent> {
  const agents: Record<string, PlainAgent> = {};
  const each = haveIds(all) ? 1 : requests + extraRequests;
  for (let client = 1; client <= clients; client++) {
    for (let request = 1; request <= each; request++) {
      agents[askerOf(client, request)] = { type: askerType, box: `client${client}` };
    }
  }
  return agents;
}

class MailClient implements Client {
  committed = 0;
  readonly #number: number;
  readonly #settings: MailSettings;
  readonly #all: readonly Request[];
  readonly #stage: Stage<MailSizes>;
  readonly #shared: { values: number };
  readonly #think: () => number;
  #asked = 0;
  #owed = false;
  #finished = false;
  #lives = 0;
  #sent: Sent | undefined;

  constructor(
    number: number,
    settings: MailSettings,
    all: readonly Request[],
    stage: Stage<MailSizes>,
    shared: { values: number },
  ) {
    this.#number = number;
    this.#settings = settings;
    this.#all = all;
    this.#stage = stage;
    this.#shared = shared;
    this.#think = paceOf(stage.random, stage.sizes.requests, stage.safetyMs);
    this.#plan();
  }

  get done(): boolean {
    return this.#finished && this.#sent === undefined;
  }

  get waitsFor(): string | undefined {
    if (this.done) return undefined;
    const request = this.#sent === undefined ? "anything" : JSON.stringify(this.#sent.message);
    return `client${this.#number} has no answer to ${request}`;
  }

  heal(): void {
    this.#owed = true;
    if (!this.#finished) return;
    this.#finished = false;
    if (this.#sent === undefined) this.#plan();
  }

  see(event: WorldEvent): void {
    if (this.#sent === undefined || event.kind !== "output") return;
    const { agent, output: { output } } = event.output;
    if (agent !== this.#sent.asker || output.type !== "print") return;
    this.#take(this.#sent, parseMessage(output.text));
  }

  #nowUs(): number {
    return Math.round(1000 * this.#stage.world.now);
  }

  #plan(): void {
    const { world } = this.#stage;
    world.at(world.now + this.#think(), () => this.#ask());
  }

  #ask(): void {
    const { random, sizes, history } = this.#stage;
    if (this.#asked >= sizes.requests && !this.#owed) {
      this.#finished = true;
      return;
    }
    const request = this.#all[randomInteger(random, 0, this.#all.length - 1)];
    if (request === undefined) return;
    this.#asked++;
    const holes = drawHoles(random, sizes.keys, ++this.#shared.values).set("id", this.#asked);
    const message = messageOf(request, holes);
    const operation = fill(request.operation, holes);
    const call = history.invoke(`client${this.#number}.${this.#lives}`, operation, this.#nowUs());
    const asker = askerOf(this.#number, haveIds(this.#all) ? 1 : this.#asked);
    const sent = { asker, request, message, holes, call };
    this.#sent = sent;
    this.#send(sent);
    if (this.#mayGiveUp()) this.#later(this.#settings.patienceMs, () => this.#giveUp(sent));
  }

  /** The last agent that is left to ask has all the patience there is. */
  #mayGiveUp(): boolean {
    return haveIds(this.#all) || this.#asked < this.#stage.sizes.requests + extraRequests;
  }

  #send(sent: Sent): void {
    if (sent !== this.#sent) return;
    const { world, random } = this.#stage;
    const { to, retryMs } = this.#settings;
    const targets = typeof to === "string" ? [to] : to;
    const target = targets[randomInteger(random, 0, targets.length - 1)] ?? "";
    world.line(sent.asker, formatRequest(target, sent.message));
    if (retryMs !== undefined) this.#later(retryMs, () => this.#send(sent));
  }

  #later(ms: number, act: () => void): void {
    const { world } = this.#stage;
    world.at(world.now + ms, act);
  }

  #giveUp(sent: Sent): void {
    if (sent !== this.#sent) return;
    this.#sent = undefined;
    this.#lives++;
    this.#stage.count("requests given up");
    this.#plan();
  }

  #take({ request: { answers, idField }, message, holes, call }: Sent, reply: AnyMessage): void {
    const fields = new Map(Object.entries(reply).map(([f, v]) => [f, v ?? null] as const));
    const { type } = reply;
    if (!answers.has(type)) return;
    if (idField !== undefined && fields.get(idField) !== message[idField]) {
      return;
    }
    const all = new Map([...holes, ...[...fields].map(([f, v]) => [`reply.${f}`, v] as const)]);
    const result = answers.get(type);
    this.#sent = undefined;
    this.committed++;
    this.#owed = false;
    this.#stage.history.answer(
      call,
      result === undefined ? Object.fromEntries(fields) : fill(result, all),
      this.#nowUs(),
    );
    this.#plan();
  }
}
