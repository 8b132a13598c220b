// What a box's log says of its agents.

import type { Fault, Note } from "../core/envelope.ts";
import type { Grid } from "../core/grid.ts";
import type { BoxLog, BoxOptions } from "./box_options.ts";
import type { PluginSource } from "./plugin_source.ts";

/** The log of a box that nobody listens to. */
export const silent: BoxLog = { debug() {}, info() {}, warn() {}, error() {} };

const quiet: ReadonlySet<string> = new Set(["agent.faulted", "agent.stopped"]);

/** Logs what agents note, and their faults by the files of those who wrote them. */
export class BoxWords {
  readonly #log: BoxLog;
  readonly #grid: Grid;
  readonly #options: Pick<BoxOptions, "debug" | "warnings">;
  readonly #sources: Map<string, PluginSource>;

  constructor(log: BoxLog, options: Pick<BoxOptions, "debug" | "warnings" | "grid" | "sources">) {
    this.#log = log;
    this.#grid = options.grid;
    this.#options = options;
    this.#sources = new Map(options.sources);
  }

  /** Does `work`, which may already throw, while the code of a type comes from `source`, and ever after if it succeeds. */
  async withSource(
    type: string,
    source: PluginSource | undefined,
    work: () => Promise<void>,
  ): Promise<void> {
    const before = this.#sources.get(type);
    try {
      if (source !== undefined) this.#sources.set(type, source);
      await work();
    } catch (error) {
      if (before !== undefined) this.#sources.set(type, before);
      throw error;
    }
  }

  note({ agent, event, detail }: Note): void {
    const { debug, warnings } = this.#options;
    const meaning = warnings?.get(event);
    if (meaning === undefined && (!debug || quiet.has(event))) return;
    const about = detail === undefined ? "" : ` ${JSON.stringify(detail)}`;
    const said = `${agent ?? "box"} ${event}${about}`;
    if (meaning === undefined) this.#log.debug(said);
    else this.#log.warn(`${said}: ${meaning}`);
  }

  fault({ agent, error, then }: Fault): void {
    const source = this.#sources.get(this.#grid.agents.get(agent)?.type ?? "");
    const words = source?.describe(error) ?? stackOf(error);
    const what = then === "stopped" ? "was stopped" : "starts again from its durable state";
    this.#log.error(`agent ${agent} ${what}: ${words}`);
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
