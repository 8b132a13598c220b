// The names of things: agents, boxes, and the virtual destinations that agents send to.

declare const agentIdBrand: unique symbol;
declare const virtualIdBrand: unique symbol;
declare const boxIdBrand: unique symbol;

/** The physical name of an agent, a token without white space, unique in its grid. */
export type AgentId = string & { readonly [agentIdBrand]: true };

/** A destination as an agent knows it; the grid's routes say which agents stand behind it. */
export type VirtualId = string & { readonly [virtualIdBrand]: true };

/** The canonical address of a box, `127.0.0.1:5000` or `[::1]:5000`; a decimal number in the numeric chatroom. */
export type BoxId = string & { readonly [boxIdBrand]: true };

/** The longest id that anything accepts, in characters. */
export const idLengthMax = 256;

const token = /^[^\s\p{Cc}]+$/u;

/** Whether `text` can name an agent or a virtual destination: no white space, no control characters. */
export function isToken(text: string): boolean {
  return text.length <= idLengthMax && token.test(text);
}

function requireToken(text: string, what: string): void {
  if (!isToken(text)) {
    throw new SyntaxError(
      `Cannot use ${
        JSON.stringify(text)
      } as ${what}, want 1 to ${idLengthMax} characters without white space`,
    );
  }
}

/**
 * The agent id that `text` spells.
 *
 * @throws {SyntaxError} if it is empty, too long, or holds white space.
 */
export function agentId(text: string): AgentId {
  requireToken(text, "an agent id");
  return text as AgentId;
}

/**
 * The virtual destination that `text` spells.
 *
 * @throws {SyntaxError} if it is empty, too long, or holds white space.
 */
export function virtualId(text: string): VirtualId {
  requireToken(text, "a virtual destination");
  return text as VirtualId;
}

/**
 * The order of ids by the bytes of their UTF-8, which decides who dials whom and how `alive` is sorted.
 * Comparing UTF-16 code units would differ for characters beyond the basic plane.
 */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
