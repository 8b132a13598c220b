// One connection, one request, one answer. Everything that comes or goes has a limit and a deadline; whatever a stranger
// sends, or does not read, costs no more than that.

import type { HttpAnswer, HttpLimits, HttpRequest } from "../core/devices.ts";
import { startTimer, stopTimer, type Timer } from "../transport/timer.ts";
import type { Connection } from "../transport/transport.ts";
import { parseHead, type RequestFault, type RequestHead } from "./http_request.ts";

/** What an exchange needs. */
export interface ExchangeOptions {
  readonly id: number;
  readonly connection: Connection;
  readonly limits: HttpLimits;
  /** A whole request is there. */
  readonly request: (request: HttpRequest) => void;
  /** Nobody waits any more for what was requested, though the answer is not whole. Called once at most. */
  readonly closed: () => void;
}

/** How many bytes are read that nobody wants, so that whoever sends them gets to read its answer. */
const lingerBytesMax = 4 * 1024 * 1024;

const headEnd = "\r\n\r\n";
const headerName = /^[a-z][a-z-]*$/;
const visible = /^[\x20-\x7e]*$/;
const encoder = new TextEncoder();

/** See the top of this file. */
export class HttpExchange {
  /** Resolves when the connection is closed. */
  readonly done: Promise<void>;
  readonly #options: ExchangeOptions;
  /** `asked`: the agent has it; `streaming`: it has begun its answer; `answered`: what is left is written and read. */
  #phase: "reading" | "asked" | "streaming" | "answered" | "over" = "reading";
  #isHead = false;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing = false;
  #timer: Timer | undefined;
  #writeTimer: Timer | undefined;

  /** @param refusal Why no request is read at all. */
  constructor(options: ExchangeOptions, refusal?: RequestFault) {
    this.#options = options;
    const { requestMs } = options.limits;
    this.#timer = startTimer(requestMs, () => {
      this.#refuse({ status: 408, error: `The request took longer than ${requestMs} ms` }, true);
    });
    if (refusal !== undefined) this.#refuse(refusal, true);
    this.done = this.#run();
  }

  respond(answer: HttpAnswer, body: string): void {
    if (this.#phase !== "asked") return;
    this.#finish(answer, body);
  }

  begin(answer: HttpAnswer): void {
    if (this.#phase !== "asked") return;
    this.#phase = "streaming";
    stopTimer(this.#timer);
    this.#write(this.#head(answer, ["transfer-encoding: chunked"]));
  }

  chunk(text: string): void {
    // A chunk of no bytes would be the end.
    if (this.#phase !== "streaming" || text === "" || this.#isHead) return;
    const bytes = encoder.encode(text);
    this.#write(encoder.encode(`${bytes.length.toString(16)}\r\n`), bytes, encoder.encode("\r\n"));
    if (this.#waitingBytes > this.#options.limits.waitingBytes) this.cut();
  }

  end(): void {
    if (this.#phase !== "streaming") return;
    if (!this.#isHead) this.#write(encoder.encode("0\r\n\r\n"));
    this.#answered();
  }

  /** Ends it at once. */
  cut(): void {
    const { connection, closed } = this.#options;
    const owed = this.#phase === "asked" || this.#phase === "streaming";
    this.#phase = "over";
    stopTimer(this.#timer);
    stopTimer(this.#writeTimer);
    this.#waiting = [];
    this.#waitingBytes = 0;
    connection.close();
    if (owed) closed();
  }

  async #run(): Promise<void> {
    try {
      if (this.#phase === "reading") await this.#receive();
      await this.#drain();
    } catch {
      // The connection broke.
    } finally {
      this.cut();
    }
  }

  async #receive(): Promise<void> {
    const { id, connection, limits, request } = this.#options;
    let text = "";
    let end = -1;
    let rest = new Uint8Array();
    while (end < 0) {
      const more = await connection.read();
      if (more === undefined || this.#phase !== "reading") return;
      const before = text.length;
      text += latin1(more);
      end = text.indexOf(headEnd, Math.max(0, before - headEnd.length + 1));
      if (end > limits.headBytes || (end < 0 && text.length > limits.headBytes)) {
        const error = `The head has more than ${limits.headBytes} bytes`;
        return this.#refuse({ status: 431, error }, true);
      }
      // A copy: the next read overwrites it.
      if (end >= 0) rest = more.slice(end + headEnd.length - before);
    }
    const head = parseHead(text.slice(0, end), limits);
    if ("status" in head) return this.#refuse(head, true);
    this.#isHead = head.method === "HEAD";
    const body = await this.#body(head, rest);
    if (body === undefined || this.#phase !== "reading") return;
    this.#phase = "asked";
    stopTimer(this.#timer);
    this.#timer = startTimer(limits.answerMs, () => this.#late());
    const { method, path, query, headers } = head;
    request({ id, method, path, query, headers, body });
  }

  async #body(head: RequestHead, first: Uint8Array): Promise<string | undefined> {
    const bytes = new Uint8Array(head.bodyBytes);
    let length = Math.min(first.length, bytes.length);
    bytes.set(first.subarray(0, length));
    if (head.awaitsContinue && length < bytes.length) {
      this.#write(encoder.encode("HTTP/1.1 100 Continue\r\n\r\n"));
    }
    while (length < bytes.length) {
      const more = await this.#options.connection.read();
      if (more === undefined) return undefined;
      const taken = more.subarray(0, bytes.length - length);
      bytes.set(taken, length);
      length += taken.length;
    }
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      this.#refuse({ status: 400, error: "The body is not UTF-8" }, true);
      return undefined;
    }
  }

  /** Reads what nobody wants, until the other end has gone: so it is known, and can still read its answer. */
  async #drain(): Promise<void> {
    let left = lingerBytesMax;
    while (this.#phase !== "over" && left > 0) {
      const more = await this.#options.connection.read();
      if (more === undefined) return;
      left -= more.length;
    }
  }

  #late(): void {
    const { limits: { answerMs }, closed } = this.#options;
    this.#refuse({ status: 503, error: `There was no answer within ${answerMs} ms` }, false);
    closed();
  }

  #refuse({ status, error }: RequestFault, certain: boolean): void {
    if (this.#phase !== "reading" && this.#phase !== "asked") return;
    const { id } = this.#options;
    const contentType = "application/json";
    this.#finish({ id, status, contentType }, JSON.stringify({ error, certain }));
  }

  #finish(answer: HttpAnswer, body: string): void {
    const bytes = encoder.encode(body);
    const isBare = answer.status === 204 || answer.status === 304;
    this.#write(this.#head(answer, isBare ? [] : [`content-length: ${bytes.length}`]));
    if (!this.#isHead && !isBare) this.#write(bytes);
    this.#answered();
  }

  #answered(): void {
    this.#phase = "answered";
    stopTimer(this.#timer);
    if (!this.#writing) this.#linger();
  }

  #linger(): void {
    this.#timer = startTimer(this.#options.limits.lingerMs, () => this.cut());
  }

  #head({ status, contentType, headers = {} }: HttpAnswer, framing: readonly string[]): Uint8Array {
    // What an agent says must not become a header that it did not mean.
    const own = Object.entries({ ...headers, "content-type": contentType })
      .filter(([name, value]) => headerName.test(name) && visible.test(value))
      .map(([name, value]) => `${name}: ${value}`);
    const code = Math.min(Math.max(Math.floor(status), 200), 599);
    const lines = [
      `HTTP/1.1 ${code} `,
      ...own,
      ...framing,
      ...["cache-control: no-store", "x-content-type-options: nosniff", "connection: close"],
    ];
    return encoder.encode(`${lines.join("\r\n")}${headEnd}`);
  }

  #write(...parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      this.#waiting.push(part);
      this.#waitingBytes += part.length;
    }
    if (this.#writing) return;
    this.#writing = true;
    this.#flush().catch(() => this.cut());
  }

  async #flush(): Promise<void> {
    const { connection, limits } = this.#options;
    // Let what is written in the same turn go out together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const bytes = joined(...this.#waiting);
      this.#waiting = [];
      this.#writeTimer = startTimer(limits.readMs, () => this.cut());
      await connection.write(bytes);
      stopTimer(this.#writeTimer);
      // What was cut off counts no more.
      this.#waitingBytes = Math.max(0, this.#waitingBytes - bytes.length);
    }
    this.#writing = false;
    if (this.#phase === "answered") this.#linger();
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let length = 0;
  for (const part of parts) {
    bytes.set(part, length);
    length += part.length;
  }
  return bytes;
}

/** One character for each byte, unlike the decoder of that name, which is of Windows. */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
