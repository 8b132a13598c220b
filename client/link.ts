// A program's link to one box of a grid: it dials, says who it is, and carries mail, again and again until it is
// closed. What is sent while there is no link is lost, as on any network; whoever needs an answer asks again.

import type { Json } from "../core/data.ts";
import type { Envelope } from "../core/envelope.ts";
import type { AgentId } from "../core/id.ts";
import type { Random } from "../core/random.ts";
import { keepDialling } from "../transport/dial.ts";
import { Link } from "../transport/link.ts";
import type { Connection, Transport } from "../transport/transport.ts";
import { formatFrame, parseFrame } from "../transport/wire.ts";

const limits = { lineBytesMax: 1 << 20, queueCharactersMax: 16 << 20 };

/** What a link needs. */
export interface ClientLinkOptions {
  readonly transport: Transport;
  readonly address: string;
  /** Who the program is; no two programs of a box may have one name. */
  readonly client: AgentId;
  /** What else its hello says. */
  readonly hello?: { readonly [key: string]: Json };
  readonly random: Random;
  readonly receive: (envelope: Envelope) => void;
  /** The link stands, and the box has greeted. */
  readonly up: () => void;
  /** Why the link is gone, or could not be made. */
  readonly down: (reason: string) => void;
}

/** A link that is kept up until it is closed. */
export class ClientLink {
  readonly #options: ClientLinkOptions;
  readonly #end = new AbortController();
  readonly #running: Promise<void>;
  #link: Link | undefined;

  constructor(options: ClientLinkOptions) {
    this.#options = options;
    const { transport, address, random, down } = options;
    this.#running = keepDialling({
      dial: (signal) => transport.dial(address, signal),
      use: (connection) => this.#use(connection),
      failed: down,
      random,
      dialMs: 1000,
      redialMsMax: 250,
    }, this.#end.signal);
  }

  /** Sends mail, if there is a link. */
  send(envelope: Envelope): void {
    this.#link?.send(formatFrame({ kind: "mail", envelope }, "grid"));
  }

  async close(): Promise<void> {
    this.#end.abort();
    this.#link?.close("the client closes");
    await this.#running;
  }

  async #use(connection: Connection): Promise<void> {
    const { client, hello, receive, up, down } = this.#options;
    if (this.#end.signal.aborted) return connection.close();
    const link = new Link(connection, limits, {
      lines: (lines) => {
        for (const line of lines) {
          const frame = parseFrame(line, "grid");
          if (frame.kind === "hello") up();
          else if (frame.kind === "mail") receive(frame.envelope);
          else if (frame.kind !== "unknown") {
            link.close(`it said ${JSON.stringify(line.slice(0, 80))}`);
          }
        }
      },
      closed: (reason) => down(reason),
    });
    this.#link = link;
    link.send(formatFrame({ kind: "hello", hello: { ...hello, ovid: 1, client } }, "grid"));
    await link.run();
    this.#link = undefined;
  }
}
