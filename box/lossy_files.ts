// A folder in memory that a crash treats as badly as a real one may be treated, for the tests of the journal: what
// was not synced is lost, or kept in part; names last only once the folder is synced; any operation may fail.

import { basename } from "@std/path";
import { type Random, randomInteger } from "../core/random.ts";
import type { JournalFile, JournalFiles } from "./journal_files.ts";

/** What a crash leaves: what every process saw, what was synced, or any mixture. */
export type CrashKind = "kill" | "power loss" | "mixture";

/** The kinds of operations that can fail. */
export type Operation =
  | "makeFolder"
  | "lock"
  | "list"
  | "read"
  | "open"
  | "rename"
  | "remove"
  | "syncFolder"
  | "write"
  | "truncate"
  | "sync";

interface Content {
  /** What every process sees. */
  visible: Uint8Array<ArrayBuffer>;
  /** What was synced. */
  durable: Uint8Array<ArrayBuffer>;
  /** 1 for each visible byte that the next sync will make durable. */
  dirty: Uint8Array<ArrayBuffer>;
}

/** A name that appeared, or one that went, or both at once. */
interface NameChange {
  readonly gone?: string | undefined;
  readonly name?: string | undefined;
  readonly content?: Content | undefined;
}

/** How a {@linkcode LossyFiles} misbehaves besides crashes. */
export interface Misbehaviour {
  /** Which operations fail, counted from 0. A write that fails has written a part, a sync has lost what it had. */
  readonly fails?: (operation: number) => boolean;
  /** Writes take only a part. */
  readonly shortWrites?: boolean;
  /** Syncs that do nothing, for canaries. */
  readonly lies?: readonly ("sync" | "syncFolder")[];
}

/** One folder, and its loss. */
export class LossyFiles implements JournalFiles {
  readonly #random: Random;
  #visible = new Map<string, Content>();
  #durable = new Map<string, Content>();
  /** Changes of names since the folder was synced. */
  #changes: NameChange[] = [];
  #locked = false;
  misbehaviour: Misbehaviour = {};
  operations = 0;
  /** How many files are open. */
  handles = 0;
  /** The kinds of the operations that failed. */
  readonly failed = new Set<Operation>();
  /** Called after each operation. */
  after: (operation: Operation) => void = () => {};

  constructor(random: Random) {
    this.#random = random;
  }

  makeFolder(): Promise<void> {
    return this.#act("makeFolder", () => {});
  }

  lock(folder: string): Promise<{ release(): void }> {
    return this.#act("lock", () => {
      if (this.#locked) throw new Error(`"${folder}" is locked`);
      this.#locked = true;
      return { release: () => void (this.#locked = false) };
    });
  }

  list(): Promise<string[]> {
    return this.#act("list", () => [...this.#visible.keys()]);
  }

  read(path: string): Promise<Uint8Array> {
    return this.#act("read", () => this.#content(path).visible.slice());
  }

  open(path: string, how: "new" | "existing"): Promise<JournalFile> {
    return this.#act("open", () => {
      if (how === "new") this.put(path, new Uint8Array());
      return this.#file(this.#content(path));
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.#act("rename", () => {
      const content = this.#content(from);
      this.#change({ gone: basename(from), name: basename(to), content });
    });
  }

  remove(path: string): Promise<void> {
    return this.#act("remove", () => {
      this.#content(path);
      this.#change({ gone: basename(path) });
    });
  }

  syncFolder(): Promise<void> {
    return this.#act("syncFolder", () => {
      if (this.misbehaviour.lies?.includes("syncFolder")) return;
      this.#durable = new Map(this.#visible);
      this.#changes = [];
    });
  }

  /** Puts a file there, unsynced. */
  put(path: string, bytes: Uint8Array): void {
    const visible = Uint8Array.from(bytes);
    const dirty = new Uint8Array(bytes.length).fill(1);
    const content = { visible, durable: new Uint8Array(), dirty };
    this.#change({ name: basename(path), content });
  }

  /** What every process sees in a file. */
  peek(path: string): Uint8Array<ArrayBuffer> {
    return this.#content(path).visible.slice();
  }

  /** The names that every process sees, in order. */
  names(): string[] {
    return [...this.#visible.keys()].sort();
  }

  /** The folder as it is after a crash now. This one goes on as if nothing had happened. */
  crash(kind: CrashKind, random: Random): LossyFiles {
    const copy = new LossyFiles(random);
    const copies = new Map<Content, Content>();
    const copyOf = (content: Content) => {
      const made = copies.get(content) ?? survivor(content, kind, random);
      copies.set(content, made);
      return made;
    };
    const copyNames = (names: ReadonlyMap<string, Content>) =>
      new Map([...names].map(([name, content]) => [name, copyOf(content)]));
    if (kind === "kill") {
      copy.#visible = copyNames(this.#visible);
      copy.#durable = copyNames(this.#durable);
      copy.#changes = this.#changes.map((change) => ({
        ...change,
        content: change.content && copyOf(change.content),
      }));
    } else {
      const names = new Map(this.#durable);
      const kept = (change: NameChange) => kind === "mixture" && random() < 0.5 ? [change] : [];
      for (const change of this.#changes.flatMap(kept)) apply(names, change);
      copy.#visible = copyNames(names);
      copy.#durable = new Map(copy.#visible);
    }
    return copy;
  }

  /** Does an operation some turns later, or, if it is to fail, `spoil` instead. */
  async #act<T>(operation: Operation, act: () => T, spoil: () => unknown = () => {}): Promise<T> {
    const turns = randomInteger(this.#random, 1, 4);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    const number = this.operations++;
    if (this.misbehaviour.fails?.(number)) {
      this.failed.add(operation);
      spoil();
      throw new Error(`${operation}, operation ${number}, was told to fail`);
    }
    const result = act();
    this.after(operation);
    return result;
  }

  #content(path: string): Content {
    const content = this.#visible.get(basename(path));
    if (content === undefined) throw new Deno.errors.NotFound(`No such file: ${path}`);
    return content;
  }

  #change(change: NameChange): void {
    apply(this.#visible, change);
    this.#changes.push(change);
  }

  #file(content: Content): JournalFile {
    let isOpen = true;
    this.handles += 1;
    const writePart = (bytes: Uint8Array, offset: number) => {
      const length = randomInteger(this.#random, 1, bytes.length);
      write(content, bytes.subarray(0, length), offset);
      return length;
    };
    return {
      write: (bytes, offset) =>
        this.#act("write", () => {
          if (this.misbehaviour.shortWrites) return writePart(bytes, offset);
          write(content, bytes, offset);
          return bytes.length;
        }, () => writePart(bytes, offset)),
      truncate: (bytes) =>
        this.#act("truncate", () => {
          content.visible = content.visible.slice(0, bytes);
          content.dirty = content.dirty.slice(0, bytes);
        }),
      sync: () =>
        this.#act("sync", () => {
          if (!this.misbehaviour.lies?.includes("sync")) sync(content);
          // After a sync that failed the system believes that all is well, and never tries those bytes again.
        }, () => content.dirty.fill(0)),
      close: () => {
        if (!isOpen) throw new Error("A file was closed twice");
        isOpen = false;
        this.handles -= 1;
      },
    };
  }
}

function apply(names: Map<string, Content>, { gone, name, content }: NameChange): void {
  if (gone !== undefined) names.delete(gone);
  if (name !== undefined && content !== undefined) names.set(name, content);
}

function write(content: Content, bytes: Uint8Array, offset: number): void {
  const length = Math.max(content.visible.length, offset + bytes.length);
  const visible = new Uint8Array(length);
  const dirty = new Uint8Array(length);
  visible.set(content.visible);
  dirty.set(content.dirty);
  visible.set(bytes, offset);
  dirty.fill(1, offset, offset + bytes.length);
  content.visible = visible;
  content.dirty = dirty;
}

function sync(content: Content): void {
  const { visible, durable, dirty } = content;
  content.durable = visible.map((byte, i) => dirty[i] === 1 ? byte : durable[i] ?? 0);
  content.dirty = new Uint8Array(visible.length);
}

/** What is left of a file. In a mixture each stretch is new, or old, or, where there was nothing, anything. */
function survivor(content: Content, kind: CrashKind, random: Random): Content {
  const { visible, durable, dirty } = content;
  if (kind === "kill") {
    return { visible: visible.slice(), durable: durable.slice(), dirty: dirty.slice() };
  }
  let bytes = durable.slice();
  if (kind === "mixture") {
    const shorter = Math.min(visible.length, durable.length);
    const longer = Math.max(visible.length, durable.length);
    bytes = new Uint8Array(randomInteger(random, shorter, longer));
    for (let start = 0; start < bytes.length;) {
      const end = Math.min(bytes.length, start + randomInteger(random, 1, 64));
      const isNew = random() < 0.7;
      const garbage = random() < 0.5 ? 0 : randomInteger(random, 0, 255);
      for (let i = start; i < end; i++) bytes[i] = (isNew ? visible[i] : durable[i]) ?? garbage;
      start = end;
    }
  }
  return { visible: bytes, durable: bytes.slice(), dirty: new Uint8Array(bytes.length) };
}
