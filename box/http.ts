// The device `http`: ports at which strangers make requests of agents. What frames requests and answers, and what
// limits them, is here; what is asked, and who may ask, is the agent's business.

import type { HttpEvent, HttpLimits, HttpOutput } from "../core/devices.ts";
import type { AgentId } from "../core/id.ts";
import { formatAddress, parseAddress } from "../transport/address.ts";
import { pause } from "../transport/pause.ts";
import type { Connection, Listener, Transport } from "../transport/transport.ts";
import { HttpExchange } from "./http_exchange.ts";

/** What the device needs. */
export interface HttpServersOptions {
  readonly transport: Transport;
  readonly limits: HttpLimits;
  readonly event: (agent: AgentId, event: HttpEvent) => void;
  readonly note: (event: string, detail: string) => void;
}

/** How long a server waits when the system has no room for a connection. */
const acceptAgainMs = 100;

/** The servers of the agents of one box. */
export class HttpServers {
  readonly #options: HttpServersOptions;
  readonly #servers = new Map<AgentId, HttpServer>();
  readonly #closing = new Set<Promise<void>>();
  #isClosed = false;
  /** Agents that start anew never see the number of an exchange of their last life. */
  #exchanges = 0;

  constructor(options: HttpServersOptions) {
    this.#options = options;
  }

  take(agent: AgentId, output: HttpOutput): void {
    if (output.type !== "listen") {
      this.#servers.get(agent)?.take(output);
      return;
    }
    if (this.#isClosed) return;
    const before = this.stop(agent);
    const { hostname, port } = output;
    const server = new HttpServer({
      ...this.#options,
      address: formatAddress({ hostname, port }),
      event: (event) => {
        if (this.#servers.get(agent) === server) this.#options.event(agent, event);
      },
      nextId: () => ++this.#exchanges,
    });
    this.#servers.set(agent, server);
    server.start(before);
  }

  /** Ends the server of an agent; its port is free once this resolves. */
  async stop(agent: AgentId): Promise<void> {
    const server = this.#servers.get(agent);
    this.#servers.delete(agent);
    if (server !== undefined) {
      const closing = server.close();
      this.#closing.add(closing);
      closing.finally(() => this.#closing.delete(closing));
    }
    await Promise.all(this.#closing);
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#servers.keys()].map((agent) => this.stop(agent)));
    await Promise.all(this.#closing);
  }
}

interface HttpServerOptions extends Omit<HttpServersOptions, "event"> {
  readonly address: string;
  readonly event: (event: HttpEvent) => void;
  readonly nextId: () => number;
}

class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #exchanges = new Map<number, HttpExchange>();
  #listener: Listener | undefined;
  #serving: Promise<void> | undefined;
  readonly #closing = new AbortController();

  constructor(options: HttpServerOptions) {
    this.#options = options;
  }

  /** Begins once `before` has come about. */
  start(before: Promise<void>): void {
    this.#serving = before.then(() => this.#serve());
  }

  take(output: Exclude<HttpOutput, { readonly type: "listen" }>): void {
    const exchange = this.#exchanges.get(output.id);
    switch (output.type) {
      case "respond":
        return exchange?.respond(output, output.body);
      case "begin":
        return exchange?.begin(output);
      case "chunk":
        return exchange?.chunk(output.text);
      case "end":
        return exchange?.end();
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#listener?.close();
    const exchanges = [...this.#exchanges.values()];
    for (const exchange of exchanges) exchange.cut();
    await Promise.all([this.#serving, ...exchanges.map(({ done }) => done)]);
  }

  async #serve(): Promise<void> {
    const { transport, address, event, note } = this.#options;
    if (this.#closing.signal.aborted) return;
    let listener: Listener;
    try {
      listener = await transport.listen(address);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      note("http.failed", reason);
      return event({ type: "failed", reason });
    }
    this.#listener = listener;
    if (this.#closing.signal.aborted) return listener.close();
    note("http.listening", listener.address);
    event({ type: "listening", ...parseAddress(listener.address) });
    await this.#accept(listener);
  }

  async #accept(listener: Listener): Promise<void> {
    const { limits, note } = this.#options;
    let failing = false;
    while (!this.#closing.signal.aborted) {
      try {
        const connection = await listener.accept();
        failing = false;
        if (connection === undefined) return;
        // Those that are told to come again are connections as well.
        if (this.#exchanges.size >= 2 * limits.exchanges) connection.close();
        else this.#open(connection);
      } catch (error) {
        if (!failing) note("http.accept", error instanceof Error ? error.message : String(error));
        failing = true;
        await pause(acceptAgainMs, this.#closing.signal);
      }
    }
  }

  #open(connection: Connection): void {
    const { limits, event, nextId } = this.#options;
    const id = nextId();
    const isFull = this.#exchanges.size >= limits.exchanges;
    const exchange = new HttpExchange(
      {
        id,
        connection,
        limits,
        request: (request) => event({ type: "request", ...request }),
        closed: () => event({ type: "closed", id }),
      },
      isFull ? { status: 503, error: `There are ${limits.exchanges} requests already` } : undefined,
    );
    this.#exchanges.set(id, exchange);
    exchange.done.finally(() => this.#exchanges.delete(id));
  }
}
