// Watches the files of plugins, and hands on what they have become. A plugin that cannot be bundled or taken changes
// nothing: the next change of one of its files is the next attempt.

import { basename, dirname } from "@std/path";
import { messageOf } from "../core/error.ts";
import { startTimer, stopTimer, type Timer } from "../transport/timer.ts";
import { BundleError, type PluginBundle } from "./plugin_bundle.ts";

/** What is watched, and what is done about it. */
export interface WatchOptions {
  /** What runs now, by the type's name. */
  readonly plugins: ReadonlyMap<string, PluginBundle>;
  /** Bundles a plugin as it is now. */
  readonly bundle: (file: string, type: string) => Promise<PluginBundle>;
  /** Puts what a plugin has become in the place of what it was. */
  readonly replace: (type: string, bundle: PluginBundle) => Promise<void>;
  /** Why a plugin could not be bundled or replaced; the old one goes on. */
  readonly failed: (type: string, reason: string) => void;
  /** Files cannot be watched any more. */
  readonly lost: (reason: string) => void;
  /** How long files must be left alone before they are read, in milliseconds; default 50. */
  readonly quietMs?: number;
}

interface Watched {
  bundle: PluginBundle;
  /** Those of the latest attempt as well, which may have failed for one of them. */
  inputs: ReadonlySet<string>;
  /** So that what is still wrong is not said twice. */
  failure: string | undefined;
}

/** Watches plugins until it is disposed. */
export class PluginWatch implements AsyncDisposable {
  readonly #options: WatchOptions;
  readonly #watched: Map<string, Watched>;
  readonly #running: Promise<void>;
  #watcher: Deno.FsWatcher | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#watched = new Map(
      Array.from(options.plugins, ([type, bundle]) => [
        type,
        { bundle, inputs: new Set(bundle.inputs), failure: undefined },
      ]),
    );
    this.#running = this.#run().catch((error) => options.lost(messageOf(error)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    if (this.#watcher !== undefined) close(this.#watcher);
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closed && this.#watched.size > 0) {
      const folders = this.#folders();
      // A folder is watched, as editors replace files; what changed before the watch began is looked for once.
      this.#watcher = Deno.watchFs(folders, { recursive: false });
      await this.#look();
      if (folders.join("\n") !== this.#folders().join("\n")) {
        close(this.#watcher);
        continue;
      }
      await this.#changed(this.#watcher);
    }
  }

  /** Resolves when files have changed and are left alone, or when the watch is over. */
  async #changed(watcher: Deno.FsWatcher): Promise<void> {
    const { quietMs = 50 } = this.#options;
    for await (const { paths } of watcher) {
      if (!paths.some((path) => this.#concerns(path))) continue;
      stopTimer(this.#timer);
      this.#timer = startTimer(quietMs, () => close(watcher));
    }
    stopTimer(this.#timer);
  }

  // By its name alone, as a folder may be reached by several paths: what is the same is not taken anyway.
  #concerns(path: string): boolean {
    const name = basename(path);
    return [...this.#watched.values()].some(({ inputs }) =>
      [...inputs].some((input) => basename(input) === name)
    );
  }

  #folders(): string[] {
    const folders = new Set<string>();
    for (const { inputs } of this.#watched.values()) {
      for (const input of inputs) if (isFolder(dirname(input))) folders.add(dirname(input));
    }
    return [...folders].sort();
  }

  async #look(): Promise<void> {
    for (const [type, watched] of this.#watched) {
      if (this.#closed) return;
      try {
        const bundle = await this.#options.bundle(watched.bundle.file, type);
        watched.inputs = new Set(bundle.inputs);
        const { code, map } = watched.bundle;
        watched.failure = undefined;
        if (bundle.code === code && bundle.map === map) continue;
        // Also when it is refused: only another one is worth another attempt.
        watched.bundle = bundle;
        await this.#options.replace(type, bundle);
      } catch (error) {
        if (error instanceof BundleError) {
          watched.inputs = new Set([...watched.inputs, ...error.inputs]);
        }
        const reason = messageOf(error);
        if (reason !== watched.failure) this.#options.failed(type, reason);
        watched.failure = reason;
      }
    }
  }
}

function close(watcher: Deno.FsWatcher): void {
  try {
    watcher.close();
  } catch {
    // It is closed already.
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
