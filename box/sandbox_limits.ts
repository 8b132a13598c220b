// What a box knows of sandboxes while it has none; all else is loaded when the first is made.

import type { BoxId } from "../core/id.ts";

/** Where agents in sandboxes live, as the host of all others sees it. */
export const sandboxBox = "sandbox" as BoxId;

/** How much a sandbox may take. */
export interface SandboxLimits {
  /** How long handlers may run before their process is killed, in milliseconds. */
  readonly stepMs: number;
  /** How long it may take to load a plugin and to start its agent. */
  readonly loadMs: number;
  /** How large the heap of its process may be; about as much again is allowed beside it. */
  readonly heapMegabytes: number;
}

/** What a sandbox may take unless it is told otherwise. */
export const sandboxLimits: SandboxLimits = { stepMs: 1000, loadMs: 15_000, heapMegabytes: 128 };
