// Seeded randomness: the same seed gives the same numbers on every machine. Nothing here for cryptography.

/** The largest seed: seeds are the unsigned 64-bit numbers. */
export const seedMax = 0xffff_ffff_ffff_ffffn;

/** A source of numbers drawn uniformly from [0, 1), each a multiple of 2^-32. */
export type Random = () => number;

/**
 * The seed that `text` spells in decimal.
 *
 * @throws {SyntaxError} if it is anything but an unsigned 64-bit number: no sign, no blanks, no fraction.
 */
export function parseSeed(text: string): bigint {
  if (/^\d{1,20}$/.test(text)) {
    const seed = BigInt(text);
    if (seed <= seedMax) return seed;
  }
  throw new SyntaxError(
    `Cannot use ${JSON.stringify(text)} as a seed, want a whole number from 0 to ${seedMax}`,
  );
}

// splitmix64, Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014): spreads a seed
// over the state of the generator below. Used once for a generator, so bigint arithmetic is fast enough.
function splitmix(state: bigint): [next: bigint, output: bigint] {
  const next = BigInt.asUintN(64, state + 0x9e37_79b9_7f4a_7c15n);
  let z = next;
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn);
  return [next, z ^ (z >> 31n)];
}

/** A generator for `seed`: xoshiro128** of Blackman and Vigna (2018), on 32-bit integers alone. */
export function seededRandom(seed: bigint): Random {
  const [state, first] = splitmix(BigInt.asUintN(64, seed));
  const [, second] = splitmix(state);
  let a = Number(first & 0xffff_ffffn) | 0;
  let b = Number(first >> 32n) | 0;
  let c = Number(second & 0xffff_ffffn) | 0;
  // The state of all zeroes would stay there for ever.
  let d = Number(second >> 32n) | 1;
  return () => {
    const scrambled = Math.imul(b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return (result >>> 0) * 2 ** -32;
  };
}

/** A seed of its own for a part of a seeded whole, as an agent of a box: depends on every bit of both. */
export function deriveSeed(seed: bigint, name: string): bigint {
  let [, hash] = splitmix(BigInt.asUintN(64, seed));
  for (const unit of new TextEncoder().encode(name)) {
    [, hash] = splitmix(hash ^ BigInt(unit));
  }
  return hash;
}

/** A whole number drawn uniformly from `min` to `max`, both included. */
export function randomInteger(random: Random, min: number, max: number): number {
  return min + Math.floor(random() * (max - min + 1));
}
