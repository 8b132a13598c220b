// GoOvid's texts are words: who sends, what is asked, and the rest of the line.

/** The first word of `text`, and what stands behind it without the white space between; either may be empty. */
export function splitWord(text: string): [word: string, rest: string] {
  const trimmed = text.trim();
  const end = trimmed.search(/\s/);
  return end < 0 ? [trimmed, ""] : [trimmed.slice(0, end), trimmed.slice(end).trimStart()];
}

/**
 * A text as it is shown, `alice > good morning`. GoOvid's agents put their name before what they say; a single
 * word names nobody, so `from` does.
 */
export function speech(text: string, from: string): string {
  const [sender, rest] = splitWord(text);
  return rest === "" ? `${from} > ${sender}` : `${sender} > ${rest}`;
}
