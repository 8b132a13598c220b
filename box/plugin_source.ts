// Where a plugin's code comes from, so that whatever it throws can be told by its own file, line and column.

import { dirname, fromFileUrl, resolve, toFileUrl } from "@std/path";
import { messageOf } from "../core/error.ts";
import type { PluginBundle } from "./plugin_bundle.ts";
import { SourceMap } from "./source_map.ts";

/** Says what a plugin threw, in the words of its author's files. */
export class PluginSource {
  /** The plugin's own file, absolute. */
  readonly file: string;
  readonly #folder: string;
  readonly #bundled: { readonly url: string; readonly map: SourceMap } | undefined;

  /** @param bundled What was run in the place of `file`, and where; by default the file itself was. */
  constructor(file: string, bundled?: { readonly url: string; readonly bundle: PluginBundle }) {
    this.file = file;
    this.#folder = dirname(file);
    this.#bundled = bundled && { url: bundled.url, map: new SourceMap(bundled.bundle.map) };
  }

  /** The words of an error, with where in the plugin it was thrown, if it was there: `boom at /own/plugin.ts:3:7`. */
  messageOf(error: unknown): string {
    const message = this.#inOwnFiles(messageOf(error));
    const place = this.#placeIn(this.stackOf(error));
    // A parser says itself where it could not go on.
    const known = place === undefined || /:\d+:\d+\b/.test(message);
    return known ? message : `${message} at ${place}`;
  }

  /** The words of an error with its stack, behind the place in the plugin where it was thrown. */
  describe(error: unknown): string {
    const stack = this.stackOf(error);
    const place = this.#placeIn(stack);
    return place === undefined ? stack : `${place}: ${stack}`;
  }

  /** The stack of an error, its frames in the author's files. */
  stackOf(error: unknown): string {
    return this.#inOwnFiles(
      error instanceof Error ? error.stack ?? error.message : String(error),
    );
  }

  #inOwnFiles(text: string): string {
    if (this.#bundled === undefined) return text;
    const { url, map } = this.#bundled;
    return text.split(url).map((part, index) => {
      const found = index === 0 ? null : /^:(\d+):(\d+)/.exec(part);
      const place = found && map.find(Number(found[1]), Number(found[2]));
      if (found === null || !place) return index === 0 ? part : `${url}${part}`;
      const file = toFileUrl(resolve(this.#folder, place.file)).href;
      return `${file}:${place.line}:${place.column}${part.slice(found[0].length)}`;
    }).join("");
  }

  // The first frame in the plugin's folder: the plugin, or a file that it imports.
  #placeIn(stack: string): string | undefined {
    for (
      const [, url = "", position = ""] of stack.matchAll(/\b(file:\/\/\/[^\s()]+?)(:\d+:\d+)/g)
    ) {
      const file = pathOf(url);
      if (file?.startsWith(`${this.#folder}/`)) return file + position;
    }
  }
}

// Whoever throws writes what they like into their stacks.
function pathOf(url: string): string | undefined {
  try {
    return fromFileUrl(url);
  } catch {
    return undefined;
  }
}
