// The simulated device `http`: a test makes requests of the agents of a world, and sees what they answer. What frames
// requests is not simulated, and what a test sends is whole; deadlines, and who has gone, are as in a real box.

import {
  type DeviceEvent,
  type HttpAnswer,
  type HttpEvent,
  httpHeaders,
  httpLimits,
  type HttpOutput,
  type HttpRequest,
} from "../core/devices.ts";
import type { Observer } from "./transcript.ts";

/** What the device uses of its world. */
export interface HttpWorld {
  readonly now: number;
  isUp(box: string): boolean;
  at(ms: number, act: () => void): void;
  observe(observer: Observer): void;
  tell(agent: string, event: DeviceEvent): void;
}

/** A request and what has come of it so far. */
export class SimulatedExchange {
  readonly id: number;
  answer: HttpAnswer | undefined;
  body = "";
  /** `cut`: nobody listens, or the box went down, or the other side went away. */
  state: "open" | "answered" | "cut" = "open";

  constructor(id: number) {
    this.id = id;
  }

  /** The body as JSON. */
  get json(): unknown {
    return JSON.parse(this.body);
  }
}

/**
 * The ports of the agents of a world. Made before the world starts, so that it sees where they listen.
 *
 * @example
 * ```ts
 * import { defineAgent, plainGrid, SimulatedHttp, World } from "ovid";
 * import { assertEquals } from "@std/assert";
 * import { z } from "zod";
 *
 * const greeter = defineAgent({
 *   type: "greeter",
 *   version: 1,
 *   doc: "Greets whoever makes a request.",
 *   attrs: z.object({}),
 *   protocol: {},
 *   devices: ["http"],
 *   init: () => ({}),
 *   start: (_state, ctx) =>
 *     ctx.output("http", { type: "listen", hostname: "127.0.0.1", port: 8080 }),
 *   on: {},
 *   onDevice: {
 *     http(_state, event, ctx) {
 *       if (event.type !== "request") return;
 *       const answer = { id: event.id, status: 200, contentType: "text/plain", body: "hello" };
 *       ctx.output("http", { type: "respond", ...answer });
 *     },
 *   },
 * });
 *
 * const grid = plainGrid({ g: { type: "greeter", box: "b1" } });
 * const world = new World({ grid, definitions: [greeter], seed: 7n });
 * const http = new SimulatedHttp(world);
 * world.start();
 * const exchange = http.request("g", { path: "/" });
 * world.runUntil(() => exchange.state === "answered");
 * assertEquals(exchange.body, "hello");
 * ```
 */
export class SimulatedHttp {
  readonly #world: HttpWorld;
  /** Where agents listen: their boxes. */
  readonly #listening = new Map<string, string>();
  readonly #exchanges = new Map<string, Map<number, SimulatedExchange>>();
  #count = 0;

  constructor(world: HttpWorld) {
    this.#world = world;
    world.observe((event) => {
      if (event.kind === "crash") this.#crashed(event.box);
      else if (event.kind === "output" && event.output.output.device === "http") {
        this.#take(event.box, event.output.agent, event.output.output.output);
      }
    });
  }

  /** Makes a request. It arrives when time passes. */
  request(
    agent: string,
    { method = "GET", path, query = "", headers = {}, body = "" }: Partial<HttpRequest> & {
      readonly path: string;
    },
  ): SimulatedExchange {
    const exchange = new SimulatedExchange(++this.#count);
    const open = this.#exchanges.get(agent);
    if (open === undefined) {
      exchange.state = "cut";
      return exchange;
    }
    const { id } = exchange;
    open.set(id, exchange);
    const known = Object.entries(headers).filter(([name]) => httpHeaders.includes(name));
    const told = Object.fromEntries(known);
    const { now } = this.#world;
    // Behind the news that it listens, which may be on its way.
    this.#world.at(now, () => {
      if (exchange.state !== "open") return;
      this.#tell(agent, { type: "request", id, method, path, query, headers: told, body });
    });
    this.#world.at(now + httpLimits.answerMs, () => this.#late(agent, exchange));
    return exchange;
  }

  /** Lets the one who made a request go away. */
  leave(agent: string, { id }: SimulatedExchange): void {
    const exchange = this.#exchanges.get(agent)?.get(id);
    if (exchange === undefined) return;
    exchange.state = "cut";
    this.#exchanges.get(agent)?.delete(id);
    this.#tell(agent, { type: "closed", id });
  }

  #take(box: string, agent: string, output: HttpOutput): void {
    if (output.type === "listen") {
      this.#cut(agent);
      this.#listening.set(agent, box);
      this.#exchanges.set(agent, new Map());
      const { hostname, port } = output;
      // Not within the step in hand.
      this.#world.at(this.#world.now, () => {
        if (this.#world.isUp(box)) this.#tell(agent, { type: "listening", hostname, port });
      });
      return;
    }
    const open = this.#exchanges.get(agent);
    const exchange = open?.get(output.id);
    if (open === undefined || exchange === undefined) return;
    const begun = exchange.answer !== undefined;
    if (output.type === "chunk") {
      if (begun) exchange.body += output.text;
      return;
    }
    if (output.type === "end") {
      if (begun) this.#answered(open, exchange);
      return;
    }
    if (begun) return;
    const { id, status, contentType, headers = {} } = output;
    exchange.answer = { id, status, contentType, headers };
    if (output.type !== "respond") return;
    exchange.body = output.body;
    this.#answered(open, exchange);
  }

  #answered(open: Map<number, SimulatedExchange>, exchange: SimulatedExchange): void {
    exchange.state = "answered";
    open.delete(exchange.id);
  }

  #late(agent: string, exchange: SimulatedExchange): void {
    const { id, answer, state } = exchange;
    if (answer !== undefined || state !== "open") return;
    exchange.answer = { id, status: 503, contentType: "application/json" };
    exchange.body = JSON.stringify({ error: "There was no answer in time", certain: false });
    exchange.state = "answered";
    this.#exchanges.get(agent)?.delete(id);
    this.#tell(agent, { type: "closed", id });
  }

  #crashed(box: string): void {
    for (const [agent, home] of this.#listening) {
      if (home !== box) continue;
      this.#cut(agent);
      this.#listening.delete(agent);
      this.#exchanges.delete(agent);
    }
  }

  #cut(agent: string): void {
    for (const exchange of this.#exchanges.get(agent)?.values() ?? []) exchange.state = "cut";
  }

  #tell(agent: string, event: HttpEvent): void {
    this.#world.tell(agent, { device: "http", event });
  }
}
