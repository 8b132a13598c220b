// What the tests of boxes share: boxes in this process, on a network in memory, with what they print and log.

import { dirname, join } from "@std/path";
import type { AgentDefinition } from "../core/define.ts";
import { type AgentLines, makeGrid } from "../core/test_support.ts";
import type { BoxId } from "../core/id.ts";
import type { Transport } from "../transport/transport.ts";
import { Box } from "./box.ts";
import type { BoxOptions } from "./box_options.ts";
import { TextWriter } from "./devices.ts";
import type { TypeNames } from "./loader.ts";
import { memoryJournal, MemoryStore } from "./memory_journal.ts";

/** A box and all that can be seen of it. */
export interface Watched extends AsyncDisposable {
  readonly box: Box;
  /** What its agents printed. */
  readonly printed: () => string;
  readonly logged: () => readonly string[];
}

/** The boxes of a grid in this process. Each keeps its journal in `stores` from one start to the next. */
export class Grounds {
  readonly #lines: AgentLines;
  readonly #definitions: ReadonlyMap<string, AgentDefinition>;
  readonly #transport: Transport;
  readonly stores = new Map<BoxId, MemoryStore>();

  constructor(lines: AgentLines, definitions: Iterable<AgentDefinition>, transport: Transport) {
    this.#lines = lines;
    this.#definitions = new Map(Array.from(definitions, (each) => [each.type, each]));
    this.#transport = transport;
  }

  async start(box: BoxId, options: Partial<BoxOptions> = {}): Promise<Watched> {
    let printed = "";
    const logged: string[] = [];
    const log = (text: string) => void logged.push(text);
    let store = this.stores.get(box);
    if (store === undefined) this.stores.set(box, store = new MemoryStore());
    const started = await Box.start({
      box,
      grid: makeGrid(this.#lines),
      definitions: this.#definitions,
      transport: this.#transport,
      journal: memoryJournal(store),
      seed: 1n,
      out: new TextWriter((bytes) => {
        printed += new TextDecoder().decode(bytes);
        return Promise.resolve(bytes.length);
      }),
      interactive: false,
      log: { debug: log, info: log, warn: log, error: log },
      ...options,
    });
    return {
      box: started,
      printed: () => printed,
      logged: () => logged,
      [Symbol.asyncDispose]: () => started.close(),
    };
  }
}

/** Waits until `condition` holds, and fails with `what` after five seconds. */
export async function eventually(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Not within 5 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** A plugin that does nothing. */
export const pluginText = (type: string): string => `
  import { defineAgent } from "ovid";
  import { z } from "zod";
  export default defineAgent({
    type: "${type}", version: 1, doc: "A plugin.", attrs: z.object({}), protocol: {}, init: () => ({}), on: {},
  });
`;

/** A temporary folder of plugins, beside a grid that may not be there. */
export class Folder implements Disposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "ovid-plugins-" });

  write(name: string, text: string): string {
    const file = join(this.path, name);
    Deno.mkdirSync(dirname(file), { recursive: true });
    Deno.writeTextFileSync(file, text);
    return file;
  }

  /** What a grid of this folder asks for. */
  names(types: readonly string[], plugins: Record<string, string> = {}): TypeNames {
    return {
      file: join(this.path, "grid.json"),
      agents: new Map(types.map((type, index) => [index, { type }])),
      plugins: new Map(Object.entries(plugins)),
    };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
