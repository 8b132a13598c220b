// The golden transcripts beside this file.

const folder = new URL(".", import.meta.url);

/** The names of all of them, in order. */
export function names(): string[] {
  const entries = [...Deno.readDirSync(folder)].map(({ name }) => name);
  return entries.filter((name) => name.endsWith(".txt")).sort();
}

/** The text of one. */
export function read(name: string): string {
  return Deno.readTextFileSync(new URL(name, folder));
}

/** Puts `text` in its place. */
export function write(name: string, text: string): void {
  Deno.writeTextFileSync(new URL(name, folder), text);
}
