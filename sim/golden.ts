// Golden transcripts: stories of a protocol as text files. A block is one or several commands, a line of four dashes,
// and what happened; blank lines part the blocks, and lines that begin with # are for the reader. Here such a text is
// taken apart, and put together again with what happens now. What the commands mean is for a teller to know.

import { messageOf } from "../core/error.ts";

/** Carries out the commands of a golden transcript; {@linkcode Story} does it in a simulated world. */
export interface Teller {
  /**
   * Carries out one command.
   *
   * @throws {Error} if there is no such command, or it cannot be carried out.
   */
  tell(command: string): void;
  /** What happened since the last call, a line each. */
  take(): readonly string[];
}

/** What {@linkcode retell} needs besides the text. */
export interface RetellOptions {
  /** The name of the file, for errors. */
  readonly file: string;
  readonly teller: Teller;
}

interface Line {
  readonly number: number;
  readonly text: string;
}

const rule = "----";

/**
 * Tells the story of a golden transcript again: the same comments and commands, with what happens now. A text that
 * comes back unchanged has passed.
 *
 * @example A store whose box crashes; the text would stand in a file.
 * ```ts
 * import { retell, storyOf, kvsCast } from "ovid";
 * import { assertEquals } from "@std/assert";
 *
 * const text = `# What was answered must not be lost in a crash.
 * quietly
 * grid kvs seed=1
 * start
 * client c1 put color blue
 * stabilize
 * restart store
 * client c1 get color
 * stabilize
 * ----
 * c1_user  >  ok
 * c1_user  >  blue
 * (8 lines left out)
 * `;
 * assertEquals(retell(text, { file: "crash.txt", teller: storyOf([kvsCast]) }), text);
 * ```
 *
 * @throws {SyntaxError} if the text has no block, or something in it is no block, or a command fails: with file and
 * line.
 */
export function retell(text: string, { file, teller }: RetellOptions): string {
  const paragraphs: string[] = [];
  let blocks = 0;
  for (const lines of paragraphsOf(text)) {
    if (lines.every(isComment)) {
      paragraphs.push(lines.map(({ text }) => text).join("\n"));
      continue;
    }
    blocks++;
    const head = headOf(lines, file);
    for (const line of head) {
      if (!isComment(line)) tell(teller, line, file);
    }
    const happened = teller.take();
    requireLegible(happened, `${file}:${head[0]?.number}`);
    paragraphs.push([...head.map(({ text }) => text), rule, ...happened].join("\n"));
  }
  if (blocks === 0) {
    throw new SyntaxError(
      `Cannot tell ${file}: it has no block, want commands, a line ${rule}, and what happened`,
    );
  }
  return `${paragraphs.join("\n\n")}\n`;
}

function paragraphsOf(text: string): Line[][] {
  const paragraphs: Line[][] = [[]];
  text.split("\n").forEach((text, index) => {
    if (text.trim() === "") paragraphs.push([]);
    else paragraphs.at(-1)?.push({ number: index + 1, text });
  });
  return paragraphs.filter((lines) => lines.length > 0);
}

function isComment({ text }: Line): boolean {
  return text.startsWith("#");
}

/** The lines of a block before its rule. What stands behind it is what happened, and will be written anew. */
function headOf(lines: readonly Line[], file: string): readonly Line[] {
  const end = lines.findIndex(({ text }) => text === rule);
  const at = (line: Line | undefined) => `${file}:${line?.number}`;
  if (end < 0) {
    throw new SyntaxError(`${at(lines[0])}: the block has no line ${rule} behind its commands`);
  }
  const head = lines.slice(0, end);
  if (head.every(isComment)) {
    throw new SyntaxError(`${at(lines[end])}: no command stands before ${rule}`);
  }
  // A blank line was forgotten, and rewriting would lose what follows.
  const stray = lines.slice(end + 1).find((line) => isComment(line) || line.text === rule);
  if (stray !== undefined) {
    throw new SyntaxError(
      `${at(stray)}: "${stray.text}" stands in what happened, want a blank line before a block`,
    );
  }
  return head;
}

function tell(teller: Teller, { number, text }: Line, file: string): void {
  try {
    teller.tell(text);
  } catch (error) {
    throw new SyntaxError(`${file}:${number}: ${messageOf(error)}`, { cause: error });
  }
}

/** What happened must be read back as what happened. */
function requireLegible(lines: readonly string[], place: string): void {
  for (const line of lines) {
    if (line.trim() !== "" && line !== rule && !line.startsWith("#") && !line.includes("\n")) {
      continue;
    }
    throw new SyntaxError(`${place}: ${JSON.stringify(line)} cannot stand in what happened`);
  }
}
