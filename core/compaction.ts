// When a box replaces its journal by a snapshot: one rule, for real disks and for simulated ones.

/** How long the journal of a real box may be before the rule below looks at its snapshot. */
export const compactBytesDefault = 64 * 1024 * 1024;

/** What the rule looks at, in bytes. */
export interface JournalLengths {
  /** What has been written since the last snapshot. */
  readonly journalBytes: number;
  /** The last snapshot; 0 if there is none. */
  readonly snapshotBytes: number;
  /** No shorter journal is replaced. */
  readonly compactBytes: number;
}

/**
 * Whether a snapshot is due. A journal shorter than the snapshot before it is not worth another: a large state would
 * be written all the time. So a box writes at most twice what its agents append, and a start reads at most twice the
 * state, or the state and `compactBytes`.
 */
export function isCompactionDue(
  { journalBytes, snapshotBytes, compactBytes }: JournalLengths,
): boolean {
  return journalBytes >= Math.max(compactBytes, snapshotBytes);
}
