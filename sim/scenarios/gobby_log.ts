// What has truly happened to Gobby: every event in its order, and the moment at which the first replica carried it out.
// It is what clients are judged by, who know only what they are told.

import type { GobbyEvent } from "../../agents/gobby/machine_event.ts";
import { isOf } from "../../agents/gobby/machine_history.ts";
import type { EventTarget } from "../../agents/gobby/machine_operation.ts";
import type { ServiceState } from "../../agents/gobby/service.ts";
import type { World } from "../world.ts";

/** An event of Gobby, and when it happened: not before `sinceUs`, and not after `atUs`. */
export interface Happened {
  readonly event: GobbyEvent;
  readonly sinceUs: number;
  readonly atUs: number;
}

/** What a {@linkcode GobbyLog} works with. */
export interface GobbyLogOptions {
  readonly world: World;
  /** Whatever replicates. */
  readonly replicas: readonly string[];
  readonly violated: (what: string) => never;
  readonly happened: (happened: Happened) => void;
}

/** See the top of this file. */
export class GobbyLog {
  readonly #options: GobbyLogOptions;
  readonly #events: GobbyEvent[] = [];
  /** The revision at each place of the log at which a replica was seen, in order. */
  readonly #places: { readonly place: number; readonly revision: number }[] = [];
  #revision = 0;
  #lookedUs = 0;

  constructor(options: GobbyLogOptions) {
    this.#options = options;
    // What a box does is to be seen with the next event, whosever that is; if that is its own crash, it is too late.
    options.world.observe(({ atUs }) => this.#lookAtAll(atUs));
  }

  /** Looks at all replicas as they are now: between events, so that no crash takes what nobody saw. */
  look(): void {
    this.#lookAtAll(Math.round(1000 * this.#options.world.now));
  }

  /** The latest revision that any replica has. */
  get revision(): number {
    this.look();
    return this.#revision;
  }

  /** What a replica has made of the log so far; undefined while it is down or has nothing. */
  service(replica: string): ServiceState | undefined {
    const inspected = this.#options.world.inspect(replica);
    if (inspected?.status !== "running") return undefined;
    const application: unknown = Reflect.get(Object(inspected.state), "application");
    return application === undefined
      ? undefined
      : (application as { readonly state: ServiceState }).state;
  }

  /** The events of a target from a revision on, up to but not including another. */
  of(target: EventTarget, from: number, next: number): GobbyEvent[] {
    this.look();
    return this.#events.slice(this.#indexOf(from), this.#indexOf(next)).filter((event) =>
      isOf(event, target)
    );
  }

  /** The latest revision that a state at a place of the log can have. */
  revisionAt(place: number): number {
    return this.#places.find((seen) => seen.place >= place)?.revision ?? Infinity;
  }

  /** Where the events of a revision begin. */
  #indexOf(revision: number): number {
    let [low, high] = [0, this.#events.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.revision ?? 0) < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #lookAtAll(atUs: number): void {
    for (const replica of this.#options.replicas) this.#look(replica, atUs);
    this.#lookedUs = atUs;
  }

  #look(replica: string, atUs: number): void {
    const service = this.service(replica);
    const gobby = service?.gobby;
    if (service === undefined || gobby === undefined) return;
    if (service.place > (this.#places.at(-1)?.place ?? 0)) {
      this.#places.push({ place: service.place, revision: gobby.revision });
    }
    if (gobby.revision <= this.#revision) return;
    const { events, oldest } = gobby.history;
    if (oldest > this.#revision + 1) {
      this.#options.violated(`events before ${oldest} were forgotten before anybody saw them`);
    }
    let first = events.length;
    while (first > 0 && (events[first - 1]?.revision ?? 0) > this.#revision) first--;
    this.#revision = gobby.revision;
    for (const event of events.slice(first)) {
      this.#events.push(event);
      this.#options.happened({ event, sinceUs: this.#lookedUs, atUs });
    }
  }
}
