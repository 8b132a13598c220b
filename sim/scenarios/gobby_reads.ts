// Judges what Gobby's users read, in true time and by revisions, which say more than values do: no read sees less than
// what anybody had been told before it was asked, unless it says how old it is; and then it sees what had been told
// that long ago. And what is read at a revision is what there was at it.

import type { AskOutcome } from "../../agents/gobby/protocol.ts";
import type { Evidence, ServerState } from "../../agents/gobby/server_state.ts";
import { agentId } from "../../core/id.ts";
import type { GobbyEvent } from "../../agents/gobby/machine_event.ts";
import type { Count } from "../injector.ts";
import { equalJson } from "../linearizable_model.ts";
import type { World } from "../world.ts";
import type { WorldEvent } from "../world_event.ts";
import type { GobbyLog } from "./gobby_log.ts";

/** What a {@linkcode GobbyReads} works with. */
export interface GobbyReadsOptions {
  readonly world: World;
  /** The gobby_askers. */
  readonly users: ReadonlySet<string>;
  /** The gobby_servers. */
  readonly servers: readonly string[];
  readonly log: GobbyLog;
  readonly count: Count;
  readonly violated: (what: string) => never;
}

/** Something that is asked and not answered. */
interface Asked {
  readonly key: string | undefined;
  readonly maxAgeMs: number | undefined;
  /** The latest revision that anybody had been told of. */
  readonly told: number;
}

type Told =
  | { readonly type: "answer"; readonly id: number; readonly outcome: AskOutcome }
  | { readonly type: "events"; readonly events: readonly GobbyEvent[] }
  | { readonly type: "watching" | "watchEnded" | "session" };

/** See the top of this file. */
export class GobbyReads {
  readonly #options: GobbyReadsOptions;
  readonly #asked = new Map<string, Asked>();
  /** What each server knew last of how old its replica's copy is. */
  readonly #evidence = new Map<string, Evidence>();
  /** Whenever somebody was told of a later revision than anybody before: which, and when. */
  readonly #told: { readonly revision: number; readonly atUs: number }[] = [];

  constructor(options: GobbyReadsOptions) {
    this.#options = options;
    options.world.observe((event) => this.#see(event));
  }

  #see(event: WorldEvent): void {
    const { users } = this.#options;
    for (const server of this.#options.servers) this.#judgeEvidence(server);
    if (event.kind === "input" && users.has(event.agent)) {
      const { device, event: input } = event.event;
      if (device !== "terminal" || input.type !== "line") return;
      const { type, id, operation, maxAgeMs } = JSON.parse(input.text);
      if (type !== "ask") return;
      const key = operation.kind === "get" ? operation.key : undefined;
      const told = this.#told.at(-1)?.revision ?? 0;
      this.#asked.set(`${event.agent} ${id}`, { key, maxAgeMs, told });
    } else if (event.kind === "note" && event.note.event === "gobby.old_read") {
      const { revision, ageMs } = Object(event.note.detail);
      // What a server says is true when it says so; the client adds what the answer takes.
      const server = event.note.agent ?? "";
      this.#judgeAge(server, { revision, ageMs, atUs: event.atUs });
      this.#judgeClock(server, ageMs, event.atUs);
    } else if (event.kind === "output" && users.has(event.output.agent)) {
      const { agent, output: { output } } = event.output;
      if (output.type === "print") this.#hear(agent, JSON.parse(output.text), event.atUs);
    }
  }

  #hear(user: string, told: Told, atUs: number): void {
    if (told.type === "events") return this.#tell(told.events.at(-1)?.revision ?? 0, atUs);
    if (told.type !== "answer" || told.outcome.kind !== "done") return;
    const { result, ageMs } = told.outcome;
    const asked = this.#asked.get(`${user} ${told.id}`);
    this.#asked.delete(`${user} ${told.id}`);
    if (asked === undefined || !("revision" in result)) return;
    if (result.kind === "refused") return;
    const { revision } = result;
    if (asked.key !== undefined && result.kind === "entry") {
      this.#judgeEntry(user, asked.key, result);
    }
    if (ageMs !== undefined) {
      this.#options.count("old read answered");
      // Only the master may say more than was wanted, who knows nothing younger.
      if (ageMs > (asked.maxAgeMs ?? Infinity)) this.#options.count("old read older than wanted");
      return this.#judgeAge(user, { revision, ageMs, atUs });
    }
    // What may be old tells of nothing: the master, by whom ages are counted, may not know of it yet.
    if (revision < asked.told) {
      this.#options.violated(
        `${user} is told of revision ${revision}, and asked after revision ${asked.told} was told`,
      );
    }
    this.#tell(revision, atUs);
  }

  #tell(revision: number, atUs: number): void {
    if (revision > (this.#told.at(-1)?.revision ?? 0)) this.#told.push({ revision, atUs });
  }

  #judgeEntry(
    user: string,
    key: string,
    { revision, entry }: { readonly revision: number; readonly entry: unknown },
  ): void {
    const { log, violated } = this.#options;
    const last = log.of({ kind: "key", key, only: "keys" }, 1, revision + 1).at(-1);
    const wanted = last?.kind === "keyStored" ? last.entry : null;
    if (equalJson(JSON.parse(JSON.stringify(wanted)), JSON.parse(JSON.stringify(entry)))) return;
    violated(
      `${user} reads ${JSON.stringify(entry)} at revision ${revision}, where there was ` +
        `${JSON.stringify(wanted)}`,
    );
  }

  /** A state that is as far as a server believes has what had been told at the moment that it believes in. */
  #judgeEvidence(server: string): void {
    const { world, log, violated } = this.#options;
    const latest = this.#evidenceOf(server).at(-1);
    if (latest === undefined || latest === this.#evidence.get(server)) return;
    this.#evidence.set(server, latest);
    const atUs = this.#momentOf(server, latest);
    const told = this.#told.findLast((each) => each.atUs < atUs)?.revision ?? 0;
    const revision = log.revisionAt(latest.place);
    if (told <= revision) return;
    violated(
      `${server} believes that revision ${revision} was the latest, ${
        Math.round(1000 * world.now) - atUs
      } us ago, when revision ${told} had been told`,
    );
  }

  /** However slow a server's clock is, it says no less than has truly passed. */
  #judgeClock(server: string, ageMs: number, atUs: number): void {
    // What it knows now is what it went by, or something later.
    const [known] = this.#evidenceOf(server);
    if (known === undefined) return;
    const trueUs = atUs - this.#momentOf(server, known);
    // Moments of a clock that drifts are rounded.
    if (trueUs <= 1000 * ageMs + 10) return;
    this.#options.violated(`${server} says ${ageMs} ms of what is ${trueUs} us old`);
  }

  #evidenceOf(server: string): readonly Evidence[] {
    const inspected = this.#options.world.inspect(server);
    return inspected?.status === "running" ? (inspected.state as ServerState).evidence : [];
  }

  #momentOf(server: string, { at }: Evidence): number {
    const { world } = this.#options;
    const box = world.grid.agents.get(agentId(server))?.box ?? "";
    return world.clock(box).reaches(at);
  }

  #judgeAge(
    who: string,
    { revision, ageMs, atUs }: {
      readonly revision: number;
      readonly ageMs: number;
      readonly atUs: number;
    },
  ): void {
    const { log, count, violated } = this.#options;
    if (revision < log.revision) count("old read of the past");
    // It is as long ago as somebody was told of something later.
    const later = this.#told.find((told) => told.revision > revision);
    if (later === undefined) return;
    count("old read of what was told to be past");
    const trueMs = (atUs - later.atUs) / 1000;
    if (trueMs <= ageMs) return;
    violated(
      `${who} says that revision ${revision} is ${ageMs} ms old at most, and revision ` +
        `${later.revision} was told ${trueMs} ms ago`,
    );
  }
}
