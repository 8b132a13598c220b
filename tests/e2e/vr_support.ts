// What tests of the replicated store on real processes share: its servers, the links between them, which can be cut,
// and a look into each replica from outside.

import { join } from "@std/path";
import { builtIns } from "../../agents/registry.ts";
import { encodeApplication, execute } from "../../agents/vr/execute.ts";
import { vrReplica } from "../../agents/vr/replica.ts";
import { vrRules } from "../../agents/vr/rules.ts";
import { opNumber, type ReplicaState } from "../../agents/vr/state.ts";
import { builtInMachines } from "../../agents/machine/registry.ts";
import { openJournal } from "../../box/journal.ts";
import { GroupClient } from "../../client/group_client.ts";
import { ClientLink } from "../../client/link.ts";
import type { AnyMessage } from "../../core/agent.ts";
import { Host } from "../../core/host.ts";
import { type AgentId, agentId, type BoxId, compareBytes } from "../../core/id.ts";
import { seededRandom } from "../../core/random.ts";
import { nativeTcp } from "../../transport/native_tcp.ts";
import { freePorts, Running, Workspace } from "./support.ts";

const replicaName = (id: number): AgentId => agentId(`r${id}`);

/** A stretch of the way between two boxes, which can be blocked: what is sent then arrives when it is open again. */
class Proxy implements AsyncDisposable {
  readonly port: number;
  readonly #target: number;
  readonly #listener: Deno.TcpListener;
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #tasks: Promise<void>[] = [];
  #closed = false;
  #opened: PromiseWithResolvers<void> | undefined;

  constructor(target: number) {
    this.#target = target;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#tasks.push(this.#accept());
  }

  block(): void {
    this.#opened ??= Promise.withResolvers();
  }

  open(): void {
    this.#opened?.resolve();
    this.#opened = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.open();
    this.#listener.close();
    for (const connection of this.#connections) this.#close(connection);
    while (this.#tasks.length > 0) await this.#tasks.pop();
  }

  #close(connection: Deno.TcpConn): void {
    if (this.#connections.delete(connection)) connection.close();
  }

  async #accept(): Promise<void> {
    while (!this.#closed) {
      const near = await this.#listener.accept().catch(() => undefined);
      if (near === undefined) return;
      this.#connections.add(near);
      this.#tasks.push(this.#join(near));
    }
  }

  async #join(near: Deno.TcpConn): Promise<void> {
    await this.#opened?.promise;
    const far = await Deno.connect({ hostname: "127.0.0.1", port: this.#target })
      .catch(() => undefined);
    if (far === undefined || this.#closed) {
      far?.close();
      return this.#close(near);
    }
    far.setNoDelay(true);
    near.setNoDelay(true);
    this.#connections.add(far);
    await Promise.all([this.#carry(near, far), this.#carry(far, near)]);
  }

  async #carry(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(1 << 16);
    try {
      while (true) {
        const count = await from.read(buffer);
        await this.#opened?.promise;
        if (count === null) break;
        for (let done = 0; done < count;) done += await to.write(buffer.subarray(done, count));
      }
    } catch {
      // One of the two has gone, and the other is to notice.
    }
    this.#close(from);
    this.#close(to);
  }
}

/** What a replica says of itself. */
export interface Glimpse {
  readonly view: number;
  readonly primary: number;
  /** Where its log ends, and how far it has executed it; undefined while it has no log of the view. */
  readonly log: { readonly op: number; readonly commit: number } | undefined;
}

/** Asks one replica, by the messages of its own protocol, where it stands. */
class Observer {
  readonly #link: ClientLink;
  readonly #self: AgentId;
  readonly #replica: AgentId;
  #answer: (message: AnyMessage | undefined) => void = () => {};

  constructor(id: number, address: string) {
    this.#self = agentId(`observer-${crypto.randomUUID()}`);
    this.#replica = replicaName(id);
    this.#link = new ClientLink({
      transport: nativeTcp,
      address,
      client: this.#self,
      random: seededRandom(BigInt(id)),
      receive: ({ message }) => this.#answer(message),
      up() {},
      down: () => this.#answer(undefined),
    });
  }

  /** Undefined if it does not answer. */
  async look(): Promise<Glimpse | undefined> {
    const group = await this.#ask({ type: "locate" }, "group");
    if (group === undefined) return undefined;
    const view = Number(group.view);
    const ask = { type: "getState", epoch: group.epoch, view, want: "view", lastNormal: view };
    const state = await this.#ask({ ...ask, after: Number.MAX_SAFE_INTEGER }, "newState");
    const log = state && { op: Number(state.op), commit: Number(state.commit) };
    return { view, primary: Number(String(group.primary).slice(1)), log };
  }

  async close(): Promise<void> {
    await this.#link.close();
  }

  #ask(message: AnyMessage, wanted: string): Promise<AnyMessage | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), 200);
      this.#answer = (answer) => {
        if (answer !== undefined && answer.type !== wanted) return;
        clearTimeout(timer);
        resolve(answer);
      };
      this.#link.send({ from: this.#self, to: this.#replica, message });
    });
  }
}

/** What the disk of a replica holds, with its whole log executed. */
export interface Remains {
  readonly op: number;
  /** The machine's state and the client table, as text. */
  readonly store: string;
}

/** Servers of one group, `ovid vr server`, with a proxy in the middle of each link. */
export class Servers implements AsyncDisposable {
  readonly workspace = new Workspace();
  readonly ports: readonly number[];
  readonly members: string;
  readonly running: Running[] = [];
  readonly #addresses: readonly BoxId[];
  readonly #proxies = new Map<string, Proxy>();
  readonly #observers = new Map<number, Observer>();

  constructor(count: number) {
    this.ports = freePorts(count);
    this.#addresses = this.ports.map((port) => `127.0.0.1:${port}` as BoxId);
    this.members = this.#addresses.join(",");
    for (let a = 0; a < count; a++) {
      for (let b = 0; b < count; b++) {
        if (this.#dials(a, b)) this.#proxies.set(`${a} ${b}`, new Proxy(this.ports[b] ?? 0));
      }
    }
  }

  start(id: number): Running {
    const detours = Array.from(this.#proxies)
      .filter(([pair]) => pair.startsWith(`${id} `))
      .map(([pair, { port }]) =>
        `${this.#addresses[Number(pair.split(" ")[1])]}=127.0.0.1:${port}`
      );
    const args = [
      ...["vr", "server", "--members", this.members, "--id", `${id}`],
      ...["--port", `${this.ports[id]}`],
      ...detours.length > 0 ? ["--via", detours.join(",")] : [],
    ];
    return this.running[id] = new Running(args, { cwd: this.workspace.path });
  }

  async kill(id: number): Promise<void> {
    await this.running[id]?.[Symbol.asyncDispose]();
  }

  client(deadlineMs = 10_000): GroupClient {
    const replicas = Object.fromEntries(
      this.#addresses.map((address, id) => [replicaName(id), address]),
    );
    return new GroupClient({ replicas, deadlineMs });
  }

  /** Cuts the link between two servers, until what this returns is called. */
  cut(a: number, b: number): () => void {
    const proxy = this.#proxies.get(`${a} ${b}`) ?? this.#proxies.get(`${b} ${a}`);
    if (proxy === undefined) throw new RangeError(`Cannot cut ${a} from ${b}, want two servers`);
    proxy.block();
    return () => proxy.open();
  }

  /** What a server says of itself; undefined if it does not answer. */
  look(id: number): Promise<Glimpse | undefined> {
    let observer = this.#observers.get(id);
    if (observer === undefined) {
      observer = new Observer(id, this.#addresses[id] ?? "");
      this.#observers.set(id, observer);
    }
    return observer.look();
  }

  /** The server that acts as primary of the latest view; undefined while there is none. */
  async primary(): Promise<number | undefined> {
    const seen = await Promise.all(this.ports.map((_, id) => this.look(id)));
    const view = Math.max(...seen.map((glimpse) => glimpse?.view ?? -1));
    const primary = seen.find((glimpse) => glimpse?.view === view)?.primary;
    const own = primary === undefined ? undefined : seen[primary];
    return own?.view === view && own.log !== undefined ? primary : undefined;
  }

  /** What is on the disk of a server that does not run. */
  async remains(id: number): Promise<Remains> {
    const home = this.workspace.file(".ovid/vr");
    const [group = ""] = Array.from(Deno.readDirSync(home), ({ name }) => name);
    const { journal, images } = await openJournal(join(home, group, `${id}`, "journal"));
    await journal.close();
    const name = replicaName(id);
    const attrs = { replicas: this.ports.map((_, each) => replicaName(each)), machine: "kv" };
    const box = this.#addresses[id] ?? "" as BoxId;
    const host = new Host({
      box,
      grid: {
        file: "",
        agents: new Map([[name, {
          id: name,
          type: vrReplica.type,
          box,
          attrs,
          routes: new Map(),
        }]]),
        boxes: [box],
        plugins: new Map(),
      },
      definitions: builtIns,
      seed: 1n,
    });
    host.boot(0, images);
    const { durable } = host.inspect(name)?.state as ReplicaState;
    const machine = builtInMachines.get("kv");
    if (machine === undefined) throw new Error("Broken belief: there is a machine kv");
    // Booted, the replica has a copy of its checkpoint that nobody else uses.
    const { application } = host.inspect(name)?.state as ReplicaState;
    if (application === undefined) throw new Error("Broken belief: a replica has a state");
    for (let op = durable.checkpoint.op + 1; op <= opNumber(durable); op++) {
      const entry = durable.log[op - durable.base - 1];
      if (entry !== undefined) execute(application, entry, op, machine, vrRules);
    }
    return { op: opNumber(durable), store: encodeApplication(application) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const observer of this.#observers.values()) await observer.close();
    for (const id of this.running.keys()) await this.kill(id);
    for (const proxy of this.#proxies.values()) await proxy[Symbol.asyncDispose]();
    this.workspace[Symbol.dispose]();
  }

  // A box dials those whose ids sort below its own.
  #dials(a: number, b: number): boolean {
    return compareBytes(this.#addresses[b] ?? "", this.#addresses[a] ?? "") < 0;
  }
}
