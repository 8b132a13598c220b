// The simulated devices of all boxes: what agents have printed, and the files they have written. They stand outside
// the boxes, as a person at a terminal does: what was shown stays shown when a box crashes.

import type { Output } from "../core/envelope.ts";
import type { AgentId, BoxId } from "../core/id.ts";
import { formatMs } from "./world_event.ts";

/** Collects what agents give to their devices. */
export class Devices {
  readonly #printed = new Map<AgentId, string[]>();
  readonly #files = new Map<BoxId, Map<string, string>>();

  take(nowUs: number, box: BoxId, { agent, output: { device, output } }: Output): void {
    // Boxes are the business of the world, and requests that of whoever makes them (http.ts).
    if (device === "process" || device === "http") return;
    if (device === "file") {
      if (output.type === "write") return this.#write(box, output.path, textOf(output.lines));
      // Virtual time stands for the date, which would differ from run to run.
      const stamp = output.stamp ? `${formatMs(nowUs)} ` : "";
      return this.#append(box, output.path, `${stamp}${output.text}\n`);
    }
    // Prompts are for a person, and nobody sits here.
    if (output.type === "prompt") return;
    const lines = this.#printed.get(agent);
    if (lines === undefined) this.#printed.set(agent, [output.text]);
    else lines.push(output.text);
  }

  #append(box: BoxId, path: string, text: string): void {
    this.#write(box, path, (this.file(box, path) ?? "") + text);
  }

  #write(box: BoxId, path: string, text: string): void {
    let files = this.#files.get(box);
    if (files === undefined) this.#files.set(box, files = new Map());
    files.set(path, text);
  }

  /** The lines that an agent has printed, oldest first. */
  printed(agent: AgentId): readonly string[] {
    return this.#printed.get(agent) ?? [];
  }

  /** The text of a file below the data folder of a box; undefined if nobody has written it. */
  file(box: BoxId, path: string): string | undefined {
    return this.#files.get(box)?.get(path);
  }

  /** The files of a box are gone with its disk. */
  lose(box: BoxId): void {
    this.#files.delete(box);
  }
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
