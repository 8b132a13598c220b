// The state of the naive twin of Gobby's machine: lists, and nothing that can be worked out by looking through them.

import { entryOverhead } from "../../../agents/gobby/machine_limits.ts";
import type {
  Comparison,
  Fence,
  GobbyEvent,
  KeyEntry,
  KeyRange,
  LockMode,
} from "../../../agents/gobby/machine_types.ts";

export interface Twin {
  revision: number;
  term: number;
  master: string;
  /** When a machine forgets is its own affair within its limits; the twin is told. */
  oldest: number;
  /** By when they were last put. */
  entries: KeyEntry[];
  sessions: TwinSession[];
  /** By when they were made. */
  claims: Claim[];
  delays: { readonly key: string; readonly token: number; readonly delayMs: number }[];
  /** All that ever happened. */
  readonly events: GobbyEvent[];
}

export interface TwinSession {
  readonly session: number;
  readonly client: string;
  readonly ttlMs: number;
  renewal: number;
}

/** That a session holds a lock or waits for it. */
export interface Claim {
  readonly key: string;
  readonly session: number;
  readonly mode: LockMode;
  readonly waitMs: number;
  readonly lockDelayMs: number;
  /** Its ticket, and its token once it is held. */
  number: number;
  held: boolean;
}

export function newTwin(): Twin {
  const lists = { entries: [], sessions: [], claims: [], delays: [], events: [] };
  return { revision: 0, term: 0, master: "", oldest: 1, ...lists };
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

export function cost({ key, value }: { readonly key: string; readonly value: string }): number {
  return key.length + value.length + entryOverhead;
}

export function find(twin: Twin, key: string): KeyEntry | undefined {
  return twin.entries.find((entry) => entry.key === key);
}

export function claimsOf(twin: Twin, key: string, held: boolean): Claim[] {
  return twin.claims.filter((claim) => claim.key === key && claim.held === held)
    .sort((a, b) => a.number - b.number);
}

export function claimOf(twin: Twin, key: string, session: number): Claim | undefined {
  return twin.claims.find((claim) => claim.key === key && claim.session === session);
}

export function isHeld(twin: Twin, { lock, token }: Fence): boolean {
  return claimsOf(twin, lock, true).some(({ number }) => number === token);
}

export function admits(twin: Twin, key: string, mode: LockMode): boolean {
  return !twin.delays.some((delay) => delay.key === key) &&
    claimsOf(twin, key, true).every((claim) => claim.mode === "shared" && mode === "shared");
}

export function keysIn(twin: Twin, range: KeyRange): string[] {
  const isIn = (key: string) =>
    "prefix" in range
      ? key.startsWith(range.prefix)
      : range.from <= key && (range.to === null || key < range.to);
  return twin.entries.map(({ key }) => key).filter(isIn).sort((a, b) => a < b ? -1 : 1);
}

export function isTrue(twin: Twin, comparison: Comparison): boolean {
  if (comparison.target === "token") return isHeld(twin, comparison);
  if (comparison.target === "holder") {
    const { lock, session } = comparison;
    const holders = claimsOf(twin, lock, true);
    return session === null
      ? holders.length === 0
      : holders.some((holder) => holder.session === session);
  }
  const entry = find(twin, comparison.key);
  if (comparison.target === "value" && entry === undefined) return comparison.is === "notEqual";
  const [found, wanted] = comparison.target === "value"
    ? [entry?.value ?? "", comparison.value]
    : [entry?.[comparison.target] ?? 0, comparison.number];
  const relations = {
    equal: found === wanted,
    notEqual: found !== wanted,
    less: found < wanted,
    greater: found > wanted,
  };
  return relations[comparison.is];
}
