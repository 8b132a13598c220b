// Errors that callers act on, and assertions that are always on.

/** An error with a code that a program can act on. */
export class OvidError extends Error {
  override readonly name = "OvidError";

  constructor(
    /** What kind of error, in dotted lower case: `journal.corrupt`. */
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Fails if a programmer's belief is wrong. Always on: a box with a broken belief must not go on.
 *
 * @throws {Error} if `condition` is false.
 */
export function assert(condition: boolean, belief: string): asserts condition {
  if (!condition) throw new Error(`Broken belief: ${belief}`);
}

/** The words of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
