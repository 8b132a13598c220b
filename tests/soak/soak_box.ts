// A box of a soak as its parent sees it: a process, and how large it was.

import { fromFileUrl } from "@std/path";
import { readLines } from "../../cli/terminal.ts";
import type { BoxCall, Sample } from "./box.ts";

/** How large a box was, and how many descriptors it had open. */
export interface Size extends Sample {
  readonly descriptors: number;
}

/** See the top of this file. */
export class SoakBox {
  readonly samples: Size[] = [];
  /** What it said on standard error: a box that is well says nothing. */
  readonly complaints: string[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;

  constructor(call: BoxCall) {
    const file = (name: string) => fromFileUrl(new URL(name, import.meta.url));
    const config = ["--config", file("../../deno.json")];
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", ...config, file("box.ts"), JSON.stringify(call)],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#reading = Promise.all([this.#measure(), this.#listen(call.box)]);
  }

  /** Kills it without a word, and waits for its end. */
  async kill(): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended already, which others will have noticed.
    }
    await this.#process.status;
    await this.#reading;
    await this.#process.stdin.close().catch(() => {});
  }

  async #measure(): Promise<void> {
    for await (const line of readLines(this.#process.stdout)) {
      const { rss, heap }: Sample = JSON.parse(line);
      this.samples.push({ rss, heap, descriptors: descriptorsOf(this.#process.pid) });
    }
  }

  async #listen(box: string): Promise<void> {
    for await (const line of readLines(this.#process.stderr)) {
      if (this.complaints.length < 20) this.complaints.push(`${box}: ${line}`);
    }
  }
}

/** 0 where the system does not tell. */
function descriptorsOf(pid: number): number {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
  } catch {
    return 0;
  }
}
