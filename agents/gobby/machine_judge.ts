// Whether what was found is within a limit.

import type { GobbyLimits, LimitName } from "./machine_limits.ts";
import type { Refusal } from "./machine_result.ts";

/** A refusal if `found` is more than a limit allows; of a limit that ends in `Min`, if it is less. */
export function judge(limits: GobbyLimits, limit: LimitName, found: number): Refusal | undefined {
  const allowed = limits[limit];
  const passes = limit.endsWith("Min") ? found >= allowed : found <= allowed;
  return passes ? undefined : { kind: "refused", why: "limit", limit, found, allowed };
}
