// What tests of Gobby on real processes share: the example's three boxes, on free ports.

import { GobbyClient, type GobbyClientOptions } from "../../client/gobby.ts";
import { dataFolder } from "../../cli/one_box.ts";
import { parseBox } from "../../core/config/address.ts";
import { type Outcome, ovid, Running, Workspace } from "./support.ts";

/** The lease of the example and how long a round for it may take: so a test knows what a kill may cost. */
export const leaseMs = 1000;
export const roundMs = 200;

/** Boxes of examples/gobby, each of them a process. */
export class GobbyBoxes implements AsyncDisposable {
  readonly workspace = new Workspace().copy("examples", "gobby");
  readonly grid: string;
  /** The servers, and the addresses of their boxes. */
  readonly servers: Readonly<Record<string, string>>;
  /** The same of what keeps their data. */
  readonly replicas: Readonly<Record<string, string>>;
  readonly running = new Map<string, Running>();

  /** @param options Which grid of the example, and what keeps the data if not what the grid says. */
  constructor({ file = "grid.json", engine = "paxos_member" } = {}) {
    this.grid = this.workspace.file(file);
    const text = Deno.readTextFileSync(this.grid).replaceAll("paxos_member", engine);
    Deno.writeTextFileSync(this.grid, text);
    const grid: Record<string, { type: string; box: string }> = JSON.parse(text);
    const boxesOf = (wanted: string) =>
      Object.fromEntries(
        Object.entries(grid).filter(([, { type }]) => type === wanted)
          .map(([id, { box }]) => [id, box]),
      );
    this.servers = boxesOf("gobby_server");
    this.replicas = boxesOf(engine);
  }

  /** Starts the box of a server; with `--new` the very first time. */
  start(server: string): void {
    const flags = this.running.has(server) ? [] : ["--new"];
    // Supervised, it ends with this process, whatever becomes of that.
    const args = ["box", this.grid, this.servers[server] ?? "", "--supervised", ...flags];
    this.running.set(server, new Running(args, { cwd: this.workspace.path }));
  }

  startAll(): this {
    for (const server of Object.keys(this.servers)) this.start(server);
    return this;
  }

  /** Kills the box of a server, by SIGKILL. */
  async kill(server: string): Promise<void> {
    await this.running.get(server)?.[Symbol.asyncDispose]();
  }

  /** Removes all that the box of a server has on its disk. */
  async loseDisk(server: string): Promise<void> {
    const folder = dataFolder(this.grid, parseBox(this.servers[server] ?? ""));
    await Deno.remove(folder, { recursive: true });
  }

  /** Whether the box of a server has started. */
  isUp(server: string): boolean {
    return this.running.get(server)?.stderr.includes("up, seed") ?? false;
  }

  client(options: Omit<GobbyClientOptions, "servers" | "replicas"> = {}): GobbyClient {
    return new GobbyClient({ servers: this.servers, replicas: this.replicas, ...options });
  }

  /** Runs `ovid gobby` to its end. */
  run(args: readonly string[], stdin = ""): Promise<Outcome> {
    return ovid(["gobby", this.grid, ...args], { stdin, cwd: this.workspace.path });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Array.from(this.running.keys(), (server) => this.kill(server)));
    this.workspace[Symbol.dispose]();
  }
}
