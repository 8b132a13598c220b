// A master's conversation with one server over its master port. Scripts and readiness checks share the connection,
// since an original server serves one master only; what belongs to whom is told by order and by verb.

import { quote } from "../core/config/wording.ts";
import { RawLines } from "./raw_lines.ts";
import { wordsOf } from "./script.ts";
import { within } from "./wait.ts";

/** The commands that a server answers, each with one line. */
export type Verb = "get" | "alive";

/** What a conversation tells its master. */
export interface ConversationEvents {
  /** A line that the script is to see: an answer, or something that is none. */
  readonly line: (line: string, isAnswer: boolean) => void;
  /** Something odd that the script is not to see. */
  readonly note: (text: string) => void;
}

interface Request {
  readonly verb: Verb;
  readonly forScript: boolean;
  /** Lines that came while it was awaited, but are no answers. */
  readonly held: string[];
  readonly settle: (answer: string | undefined) => void;
}

const host = "127.0.0.1";
const dialMsMax = 1000;
// A server that says more than this before it first answers is told apart from others without the rest.
const heldMax = 1000;
const answerVerbs: Readonly<Record<string, Verb>> = { messages: "get", alive: "alive" };

/** A connection to a master port; undefined if nobody accepts there. */
export async function dialMaster(port: number): Promise<Deno.TcpConn | undefined> {
  const giveUp = new AbortController();
  // A server that does not accept fills its backlog, and then a connection would take minutes to fail.
  const timer = setTimeout(() => giveUp.abort(), dialMsMax);
  try {
    const connection = await Deno.connect({ hostname: host, port, signal: giveUp.signal });
    // With nobody listening, the system may choose this very port for this end, and connect it to itself.
    if (connection.localAddr.port !== port) return connection;
    connection.close();
    return undefined;
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** Whether somebody accepts connections at a master port. */
export async function accepts(port: number): Promise<boolean> {
  const connection = await dialMaster(port);
  connection?.close();
  return connection !== undefined;
}

/** One connection to a server, until either end closes it. */
export class Conversation {
  readonly #connection: Deno.TcpConn;
  readonly #events: ConversationEvents;
  readonly #finished: Promise<void>;
  #writing: Promise<void> = Promise.resolve();
  /** What was asked and not answered, in order. At most one entry at a time is a readiness check. */
  #owed: Request[] = [];
  #closed = false;

  constructor(connection: Deno.TcpConn, events: ConversationEvents) {
    this.#connection = connection;
    this.#events = events;
    connection.setNoDelay(true);
    this.#finished = this.#read();
  }

  /** Whether nothing can be said any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Sends a command of the script that is not answered; resolves when it is on its way. */
  tell(text: string): Promise<void> {
    this.#write(text);
    return this.#writing;
  }

  /** Sends a command of the script; its answer goes to the script. Resolves to it, or undefined at the end. */
  ask(verb: Verb, text: string): Promise<string | undefined> {
    return this.#request(verb, text, true);
  }

  /**
   * Asks who is alive, unseen by the script. Undefined if there was no answer before `deadline`, a line that is
   * none, or the end. An answer that comes later is not taken for one to the script.
   */
  async check(deadline: number, signal: AbortSignal): Promise<string | undefined> {
    // One at a time: a server that does not answer gets no second one.
    const late = this.#owed.find(({ forScript }) => !forScript);
    if (late !== undefined && late.held.length === 0) return undefined;
    return await within(
      this.#request("alive", "alive", false),
      deadline - performance.now(),
      signal,
    );
  }

  /** Ends it at once; resolves when nothing of it is left. */
  async close(): Promise<void> {
    this.#end();
    await this.#finished;
    await this.#writing;
  }

  #request(verb: Verb, text: string, forScript: boolean): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    this.#dropCheck();
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#owed.push({ verb, forScript, held: [], settle: resolve });
    this.#write(text);
    return promise;
  }

  #write(text: string): void {
    const bytes = new TextEncoder().encode(`${text}\n`);
    this.#writing = this.#writing.then(async () => {
      for (let done = 0; done < bytes.length;) {
        done += await this.#connection.write(bytes.subarray(done));
      }
    }).catch(() => this.#end());
  }

  async #read(): Promise<void> {
    const lines = new RawLines();
    const buffer = new Uint8Array(1 << 16);
    try {
      while (true) {
        const count = await this.#connection.read(buffer);
        if (count === null) break;
        for (const line of lines.push(buffer.subarray(0, count))) this.#receive(line);
      }
    } catch (error) {
      if (error instanceof RangeError) this.#events.note(error.message);
    }
    this.#end();
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
    for (const { settle } of this.#owed.splice(0)) settle(undefined);
  }

  #receive(line: string): void {
    if (this.#closed) return;
    const verb = answerVerbs[wordsOf(line)[0] ?? ""];
    if (verb === undefined) this.#receiveOther(line);
    else this.#receiveAnswer(verb, line);
  }

  #receiveAnswer(verb: Verb, line: string): void {
    // An answer of the other verb is an answer, too: the original did not look at what it had asked.
    const asked = this.#owed.find((request) => request.verb === verb) ??
      this.#owed.find(({ forScript }) => forScript);
    if (asked === undefined) return this.#events.line(line, true);
    const before = this.#owed.indexOf(asked);
    // Answers come in order, so a check that was passed over will have none.
    this.#owed = this.#owed.filter((each, index) =>
      index > before || (index < before && each.forScript)
    );
    // What came before a check's answer was no answer to it, so the script would have seen it as well.
    for (const other of asked.held) this.#events.line(other, false);
    if (asked.forScript) this.#events.line(line, true);
    asked.settle(line);
  }

  #receiveOther(line: string): void {
    const check = this.#owed[0];
    if (check === undefined || this.#owed.some(({ forScript }) => forScript)) {
      return this.#events.line(line, false);
    }
    if (check.held.length < heldMax) check.held.push(line);
    check.settle(undefined);
  }

  // The first line in place of an answer was meant as one; without the check it would not have come.
  #dropCheck(): void {
    const check = this.#owed.find(({ forScript, held }) => !forScript && held.length > 0);
    if (check === undefined) return;
    this.#owed = this.#owed.filter((each) => each !== check);
    const [answer = "", ...others] = check.held;
    this.#events.note(`answered alive by ${quote(answer)}`);
    for (const other of others) this.#events.line(other, false);
  }
}
