// What stands between the boxes of a soak: connections go through it, until it cuts them.

/** Passes on what is sent to one address to another. */
export class Proxy {
  readonly #listener: Deno.TcpListener;
  readonly #target: { readonly hostname: string; readonly port: number };
  readonly #ends = new Set<Deno.TcpConn>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #accepting: Promise<void>;
  /** How many connections were cut. */
  cuts = 0;

  constructor(from: number, to: number) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: from });
    this.#target = { hostname: "127.0.0.1", port: to };
    this.#accepting = this.#accept();
  }

  /** Cuts what stands, in the middle of whatever is said. */
  cut(): void {
    this.cuts += this.#ends.size / 2;
    for (const end of this.#ends) close(end);
    this.#ends.clear();
  }

  async close(): Promise<void> {
    this.#listener.close();
    this.cut();
    await this.#accepting;
    await Promise.all(this.#tasks);
  }

  async #accept(): Promise<void> {
    for await (const near of this.#listener) this.#run(this.#join(near));
  }

  async #join(near: Deno.TcpConn): Promise<void> {
    let far: Deno.TcpConn;
    try {
      far = await Deno.connect(this.#target);
    } catch {
      return close(near);
    }
    for (const end of [near, far]) {
      end.setNoDelay(true);
      this.#ends.add(end);
    }
    await Promise.all([pass(near, far), pass(far, near)]);
    for (const end of [near, far]) this.#ends.delete(end);
  }

  #run(task: Promise<void>): void {
    const done = task.finally(() => this.#tasks.delete(done));
    this.#tasks.add(done);
  }
}

/** Passes on bytes until either end closes, and then closes both. */
async function pass(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(1 << 14);
  try {
    for (let count; (count = await from.read(buffer)) !== null;) {
      for (let done = 0; done < count;) done += await to.write(buffer.subarray(done, count));
    }
  } catch {
    // Cut, by us or by either end.
  }
  close(from);
  close(to);
}

function close(end: Deno.TcpConn): void {
  try {
    end.close();
  } catch {
    // It is closed already.
  }
}
