// What a box tells whoever measures it. Without one nothing is measured, and nothing is asked of a clock.

import type { Envelope } from "../core/envelope.ts";
import type { Host } from "../core/host.ts";
import type { Mesh } from "../transport/mesh.ts";
import type { Driver } from "./driver.ts";

/** What can be looked at in a running box, at any time. */
export interface BoxGauges {
  readonly host: Pick<Host, "queued">;
  readonly driver: Pick<Driver, "held">;
  readonly mesh: Pick<Mesh, "links">;
}

/** Takes measurements of one box. */
export interface BoxTelemetry {
  /** The box is there: its gauges may be looked at until it ends. */
  started(gauges: BoxGauges): void;
  /** Mail has reached an agent's door, or a program's. */
  mail(envelope: Envelope): void;
  /** A step is over, which began at `begunAt`; both in milliseconds of `performance.now()`. */
  stepped(begunAt: number, endedAt: number): void;
}
