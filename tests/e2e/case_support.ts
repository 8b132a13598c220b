// What the exact cases on real processes share: the boxes of a grid that a test makes, each a process, with ways between
// them on which mail is lost or late if the case wants it.

import { parseBox } from "../../core/config/address.ts";
import type { Json } from "../../core/data.ts";
import { compareBytes } from "../../core/id.ts";
import { seededRandom } from "../../core/random.ts";
import { dataFolder } from "../../cli/one_box.ts";
import { formatControl } from "../../cli/terminal.ts";
import { FaultyWay, type MailFaults, type Toll } from "./faulty_way.ts";
import { eventually, freePorts, Running, Workspace } from "./support.ts";

/** How long anything may take: a case that fails should not be one whose machine is busy. */
export const withinMs = 120_000;

/** Whether only a case of each service is tried. */
export const isShort: boolean = Deno.env.has("OVID_SHORT");

/**
 * Tries cases side by side, each as a step by its name: most of their time they wait for what is lost or late. Under
 * OVID_SHORT the first alone.
 */
export async function sideBySide(
  t: Deno.TestContext,
  cases: Readonly<Record<string, () => Promise<void>>>,
): Promise<void> {
  // None can know whose resources are whose; the test around them sees that nothing is left.
  const apart = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
  const steps = Object.entries(cases).slice(0, isShort ? 1 : undefined);
  await Promise.all(steps.map(([name, fn]) => t.step({ name, fn, ...apart })));
}

/** An agent, as a grid file has it. */
export interface CaseAgent {
  readonly type: string;
  readonly box: string;
  readonly attrs: { readonly [name: string]: Json };
  readonly routes?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** The addresses of so many boxes. */
export function freeBoxes(count: number): string[] {
  return freePorts(count).map((port) => `127.0.0.1:${port}`);
}

/** See the top of this file. */
export class CaseBoxes implements AsyncDisposable {
  readonly workspace = new Workspace();
  readonly grid: string = this.workspace.file("case.json");
  readonly boxes: readonly string[];
  readonly running = new Map<string, Running>();
  /** What has become of mail between boxes. */
  readonly toll: Toll = { lost: 0, late: 0 };
  /** By who dials and who is dialled. */
  readonly #ways = new Map<string, Map<string, FaultyWay>>();
  readonly #ids: ReadonlyMap<string, string>;
  readonly #seeds = seededRandom(1n);
  /** A box that came to an end by itself, and its words. */
  #fallen: string | undefined;

  constructor(agents: Readonly<Record<string, CaseAgent>>, faults?: MailFaults) {
    const withRoutes = Object.entries(agents).map(([id, agent]) => [id, { routes: {}, ...agent }]);
    Deno.writeTextFileSync(this.grid, JSON.stringify(Object.fromEntries(withRoutes)));
    this.#ids = new Map(Object.entries(agents).toReversed().map(([id, { box }]) => [box, id]));
    this.boxes = [...new Set(Object.values(agents).map(({ box }) => box))];
    if (faults === undefined) return;
    for (const from of this.boxes) {
      // A box dials those whose ids sort below its own.
      const dialled = this.boxes.filter((to) => compareBytes(to, from) < 0);
      const ways = dialled.map((to) => [to, this.wayTo(to, faults, this.toll)] as const);
      this.#ways.set(from, new Map(ways));
    }
  }

  /** The first of a box's agents. */
  idAt(box: string): string | undefined {
    return this.#ids.get(box);
  }

  /** A way to a box of which the caller has to dispose. */
  wayTo(box: string, faults: MailFaults, toll: Toll): FaultyWay {
    const random = seededRandom(BigInt(Math.floor(this.#seeds() * 2 ** 32)));
    return new FaultyWay({ target: Number(box.split(":")[1]), faults, toll, random });
  }

  /** Starts a box. Supervised, it ends with this process, whatever becomes of that. */
  start(box: string, ...flags: readonly string[]): Running {
    const detours = Array.from(
      this.#ways.get(box) ?? [],
      ([to, { port }]) => `${to}=127.0.0.1:${port}`,
    );
    const at = detours.length === 0 ? [] : ["--at", detours.join(",")];
    const args = ["box", this.grid, box, "--supervised", ...at, ...flags];
    const running = new Running(args, { cwd: this.workspace.path });
    this.running.set(box, running);
    running.process.status.then(({ code, signal }) => {
      // Whoever is killed on purpose ends by a signal.
      if (signal === null && code !== 0) {
        this.#fallen ??= `${box} ended by ${code}: ${running.stderr}`;
      }
    });
    return running;
  }

  /** What a box has logged since it was started. */
  logOf(box: string): string {
    return this.running.get(box)?.stderr ?? "";
  }

  /** How often a box has logged that. */
  count(box: string, words: string): number {
    return this.logOf(box).split(words).length - 1;
  }

  /** Types a line at the terminal of a box's agent. */
  async type(box: string, line: string): Promise<void> {
    await this.running.get(box)?.type(formatControl({ line }));
  }

  /** Kills a box, by SIGKILL. */
  async kill(box: string): Promise<void> {
    await this.running.get(box)?.[Symbol.asyncDispose]();
    this.running.delete(box);
  }

  /** Waits for what a case must come to. */
  until<T>(
    what: string,
    condition: () => T | undefined | false | Promise<T | undefined | false>,
  ): Promise<T> {
    const unlessFallen = () => {
      if (this.#fallen !== undefined) {
        throw new Error(`Waited for ${what}, and box ${this.#fallen}`);
      }
      return condition();
    };
    return eventually(what, unlessFallen, withinMs);
  }

  /** A file that an agent of a box has written; undefined if it has not. */
  fileOf(box: string, path: string): string | undefined {
    try {
      return Deno.readTextFileSync(this.#pathOf(box, path));
    } catch {
      return undefined;
    }
  }

  removeFile(box: string, path: string): void {
    if (this.fileOf(box, path) !== undefined) Deno.removeSync(this.#pathOf(box, path));
  }

  #pathOf(box: string, path: string): string {
    return `${dataFolder(this.grid, parseBox(box))}/files/${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Array.from(this.running.keys(), (box) => this.kill(box)));
    for (const ways of this.#ways.values()) {
      for (const way of ways.values()) await way[Symbol.asyncDispose]();
    }
    this.workspace[Symbol.dispose]();
  }
}
