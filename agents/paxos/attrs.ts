// What a grid says about a member of a group: what it says about one of any other kind, and the window.

import { z } from "zod";
import type { Machines } from "../machine/registry.ts";
import { replicaAttrs } from "../vr/attrs.ts";
import { windowMax } from "./protocol.ts";

/** The schema of a member's attrs, for the machines there are. */
export function paxosAttrs(machines: Machines) {
  return replicaAttrs(machines).extend({
    /**
     * How many slots may be under way at once: WINDOW of section 2.1. The same at all members, and for good: a group
     * counts by it when a reconfiguration takes effect.
     */
    window: z.int().min(1).max(windowMax).default(16),
  });
}

/** A member's attrs. */
export type PaxosAttrs = z.infer<ReturnType<typeof paxosAttrs>>;
