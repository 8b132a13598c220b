// The limits of Gobby, all of them. Whoever would pass one is refused and told its name, what was found and what is
// allowed. They belong to the machine: every replica must have the same.

/** The limits of Gobby. Lengths are in characters, times in milliseconds. */
export const gobbyLimits = {
  keyLength: 1024,
  valueLength: 65_536,
  /** Of all keys and values together, with {@linkcode entryOverhead} for each. */
  storeLength: 64 * 1024 * 1024,
  keys: 100_000,
  keyTtlMsMin: 1,
  /** The longest that timers of 32 bits can wait: 24 days. */
  keyTtlMs: 2_147_483_647,

  clientLength: 256,
  sessions: 10_000,
  sessionTtlMsMin: 100,
  sessionTtlMs: 3_600_000,
  /** Ephemeral keys; it bounds what the end of a session costs, as the next one does. */
  keysOfSession: 1000,
  /** Locks that one session holds or waits for. */
  locksOfSession: 1000,

  /** Locks that are held, or closed by a lock-delay. */
  locks: 100_000,
  /** Holders and waiters of all locks. */
  claims: 100_000,
  waitersOfLock: 1000,
  waitMs: 86_400_000,
  /** Section 2.4 of the Chubby paper: a faulty client must not close a lock for longer than a minute. */
  lockDelayMs: 60_000,

  /** Comparisons and operations of a transaction, both branches counted. */
  transactionSteps: 128,
  /** Entries or events in one answer. */
  answers: 1000,
  /** Of all keys and values in one answer, if it has more than one. */
  answerLength: 1024 * 1024,

  /** Events that are kept; the oldest go first. */
  historyEvents: 16_384,
  historyLength: 8 * 1024 * 1024,

  /** Watches are no part of the state; who serves them holds these two. */
  watchesOfClient: 1000,
  watches: 10_000,
};

/** The limits that a machine is made with. */
export type GobbyLimits = Readonly<typeof gobbyLimits>;

/** The name of a limit. Those that end in `Min` are the least that is allowed. */
export type LimitName = keyof GobbyLimits;

/** What an entry or an event costs besides its characters. */
export const entryOverhead = 16;
