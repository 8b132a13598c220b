// The words that stand for texts in a hash: for names that come again and again, and for the keys of objects. Each is a
// function of the text alone; that they are remembered saves looking at every letter again.

/** How many names are remembered, and how many sequences of keys. */
const rememberedMax = 4096;

/**
 * A sequence of keys, as objects have them, and the way to each longer one. Messages of one type nearly always have the
 * same keys in the same order, so that a walk along one finds the next step where it found the last.
 */
export class Keys {
  /** Stands for the whole sequence. */
  readonly word: number;
  readonly #budget: { left: number };
  #lastStep = "";
  #last: Keys | undefined;
  #others: Map<string, Keys> | undefined;
  #valued: Keys | undefined;

  constructor(word: number, budget: { left: number }) {
    this.word = word;
    this.#budget = budget;
  }

  /** The sequence that goes on with `key`. */
  then(key: string): Keys {
    return key === this.#lastStep && this.#last !== undefined ? this.#last : this.#find(key);
  }

  /** The same sequence, to go on with the value of its last key rather than with another key. */
  get valued(): Keys {
    return this.#valued ??= new Keys(scramble(this.word ^ 1), this.#budget);
  }

  #find(key: string): Keys {
    let next = this.#others?.get(key);
    if (next === undefined) {
      next = new Keys(mix(this.word, digestOf(key)), this.#budget);
      if (this.#budget.left === 0) return next;
      this.#budget.left--;
      this.#others ??= new Map();
      this.#others.set(key, next);
    }
    this.#lastStep = key;
    this.#last = next;
    return next;
  }
}

/** What hashes remember of texts; any number of them may share it. */
export class HashWords {
  /** No keys at all. */
  readonly keys = new Keys(0, { left: rememberedMax });
  /** The two halves of a number that is not small and whole. */
  readonly float = new DataView(new ArrayBuffer(8));
  readonly #names = new Map<string, number>();

  name(text: string): number {
    let word = this.#names.get(text);
    if (word === undefined) {
      word = digestOf(text);
      if (this.#names.size < rememberedMax) this.#names.set(text, word);
    }
    return word;
  }

  /** Whom a message is from and for. */
  ends(from: string, to: string): number {
    // Turned, or those who write to each other would be the same both ways, and those who write to themselves nobody.
    return this.name(from) ^ turned(this.name(to));
  }
}

function turned(word: number): number {
  return (word << 16) | (word >>> 16);
}

/** One word that depends on every letter. */
function digestOf(text: string): number {
  let word = 0x811c_9dc5 | 0;
  for (let i = 0; i < text.length; i++) word = mix(word, text.charCodeAt(i));
  return scramble(word ^ text.length);
}

function mix(word: number, next: number): number {
  const product = Math.imul(word ^ next, 0x0100_0193);
  return product ^ (product >>> 15);
}

/** The finish of MurmurHash3 by Appleby: every bit of the result depends on every bit of the word. */
export function scramble(word: number): number {
  let mixed = word;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}
