// What benchmarks on real boxes share: the boxes, and clients that ask again as soon as they are answered.

import { join } from "@std/path";
import { selfCommand } from "../../cli/self.ts";

/** An agent of a grid. */
export interface BenchAgent {
  readonly id: string;
  readonly type: string;
  readonly attrs: unknown;
}

/** Boxes of a grid as processes, on free ports, in a folder of their own. */
export class Boxes implements AsyncDisposable {
  readonly folder: string = Deno.makeTempDirSync({ prefix: "ovid-bench-" });
  readonly addresses: string[];
  readonly #children: Deno.ChildProcess[] = [];

  /** Each box has some agents. */
  constructor(agents: readonly (readonly BenchAgent[])[]) {
    const listeners = agents.map(() => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
    this.addresses = listeners.map(({ addr }) => `127.0.0.1:${(addr as Deno.NetAddr).port}`);
    for (const listener of listeners) listener.close();
    const grid = Object.fromEntries(
      agents.flatMap((ofBox, index) =>
        ofBox.map(({ id, type, attrs }) => [
          id,
          { type, box: this.addresses[index], attrs, routes: {} },
        ])
      ),
    );
    const file = join(this.folder, "grid.json");
    Deno.writeTextFileSync(file, JSON.stringify(grid));
    for (const address of this.addresses) {
      const { command, args } = selfCommand(["box", file, address, "--new", "--supervised"]);
      const options = { args, stdin: "piped", stdout: "null", stderr: "null" } as const;
      this.#children.push(new Deno.Command(command, options).spawn());
    }
  }

  get pids(): readonly number[] {
    return this.#children.map(({ pid }) => pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      child.kill("SIGKILL");
      await child.stdin.close().catch(() => {});
      await child.status;
    }
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** Something that stands, its clients linked, and can be put under load. */
export interface Contender extends AsyncDisposable {
  readonly name: string;
  readonly boxes: Boxes;
  /** One for each client: asks, and resolves with the answer. */
  readonly asks: readonly (() => Promise<unknown>)[];
}

/** The processor time that a process has had, in microseconds; 0 where the system does not say. */
function cpuMicros(pid: number | "self"): number {
  try {
    const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return 0;
  }
}

/** What a slice showed. */
export interface Slice {
  /** Operations a second. */
  readonly rate: number;
  /** Processor time an operation, in microseconds: of the clients' process, and then of each box. */
  readonly cost: readonly number[];
}

/** Clients ask again as soon as they are answered, for `ms` after the lead-in. */
export async function measure(
  { asks, boxes }: Contender,
  leadMs: number,
  ms: number,
): Promise<Slice> {
  let answered = 0;
  let stopped = false;
  const loops = asks.map(async (ask) => {
    while (!stopped) {
      await ask();
      answered++;
    }
  });
  await new Promise((resolve) => setTimeout(resolve, leadMs));
  const pids = ["self", ...boxes.pids] as const;
  const costs = pids.map(cpuMicros);
  const before = answered;
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, ms));
  const count = answered - before;
  const rate = count / (performance.now() - began) * 1000;
  const cost = pids.map((pid, index) => (cpuMicros(pid) - (costs[index] ?? 0)) / count);
  stopped = true;
  await Promise.all(loops);
  return { rate, cost };
}

const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
/** The value below which such a part of them lies. */
export const quantile = (values: readonly number[], part: number) =>
  sorted(values)[Math.round(part * (values.length - 1))] ?? 0;
/** The one in the middle. */
export const median = (values: readonly number[]) => quantile(values, 0.5);
/** Without decimals. */
export const round = (value: number) => String(Math.round(value));
/** A ratio as percent. */
export const percent = (value: number) => (100 * value).toFixed(0);
