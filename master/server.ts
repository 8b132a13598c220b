// One server as the master sees it: its name, its process, and the conversation with it.

import { accepts, Conversation, dialMaster } from "./conversation.ts";
import type { ServerProcess } from "./process.ts";
import { retry } from "./wait.ts";

/** What a master knows of a server. */
export interface ServerOptions {
  /** As the script has it. */
  readonly name: string;
  /** As servers write it. */
  readonly canonical: string;
  /** Where it takes commands. */
  readonly port: number;
  readonly process: ServerProcess;
  /** A line that the script is to see. */
  readonly onLine: (line: string, isAnswer: boolean) => void;
  readonly note: (text: string) => void;
}

// Short enough to lose little time, long enough not to disturb a server that starts.
const dialBackoff = { firstMs: 10, factor: 1.5, mostMs: 50 };

/** A server that was started. */
export class Server {
  readonly #options: ServerOptions;
  #conversation: Conversation | undefined;
  #crashedAt: number | undefined;
  #survived = false;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get canonical(): string {
    return this.#options.canonical;
  }

  get port(): number {
    return this.#options.port;
  }

  /** When the script crashed it, by `performance.now()`. */
  get crashedAt(): number | undefined {
    return this.#crashedAt;
  }

  /** Whether it was seen to accept connections after its crash. */
  get survived(): boolean {
    return this.#survived;
  }

  /** The conversation with it, if one is open. */
  get conversation(): Conversation | undefined {
    return this.#conversation?.closed === false ? this.#conversation : undefined;
  }

  /** Why nothing can be said to it. */
  get absence(): string {
    if (this.#crashedAt !== undefined) return "has crashed";
    return this.#options.process.ending ?? `accepts no master on port ${this.port}`;
  }

  /** Whether it has ended by itself, as far as the system tells. */
  get ended(): boolean {
    return this.#options.process.ending !== undefined;
  }

  lastWords(): Promise<string> {
    return this.#options.process.lastWords();
  }

  /** The conversation with it, opened if need be, before `deadline` and while its process may be there. */
  async reach(deadline: number, signal: AbortSignal): Promise<Conversation | undefined> {
    if (this.#crashedAt !== undefined) return undefined;
    if (this.conversation !== undefined) return this.conversation;
    const connection = await retry(
      async () => await dialMaster(this.port) ?? (this.ended ? null : undefined),
      dialBackoff,
      deadline,
      signal,
    ) ?? undefined;
    if (connection === undefined) return undefined;
    this.#conversation = new Conversation(connection, {
      line: this.#options.onLine,
      note: this.#options.note,
    });
    return this.#conversation;
  }

  /** Kills it, and waits until its port no longer accepts. Whether that was before `deadline`. */
  async crash(deadline: number, signal: AbortSignal): Promise<boolean> {
    this.#crashedAt = performance.now();
    await this.kill();
    const silent = await this.silent(deadline, signal);
    this.#survived = !silent && !signal.aborted;
    return silent;
  }

  /** Waits until its port no longer accepts. Whether that was before `deadline`. */
  async silent(deadline: number, signal: AbortSignal): Promise<boolean> {
    const closed = async () => await accepts(this.port) ? undefined : true;
    return await retry(closed, dialBackoff, deadline, signal) ?? false;
  }

  /** Kills it with all that it started. */
  async kill(): Promise<void> {
    // The end that closes first keeps the port busy for a while. It is ours, so that any server can start again.
    const closed = this.#conversation?.close();
    await this.#options.process.kill();
    await closed;
  }
}
