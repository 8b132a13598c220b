// Data as a person reads it in a golden transcript: `view=1 op=2 replicas=[r0 r1]`.

/** Longer texts are cut short. */
const textLengthMax = 60;

/** The fields of an object, as `name=value`; those that are undefined are left out. */
export function fieldsOf(object: object): string {
  const fields: string[] = [];
  for (const [name, value] of Object.entries(object)) {
    if (value !== undefined) fields.push(`${name}=${wordsOf(value)}`);
  }
  return fields.join(" ");
}

/** An object that says by `kind` what it is, the kind first: `opened session=1`. */
export function kindWords(object: object): string {
  const { kind, ...rest } = Object(object);
  if (typeof kind !== "string") return fieldsOf(object);
  return kind in rest ? fieldsOf(rest) : `${kind} ${fieldsOf(rest)}`.trimEnd();
}

/** Any data. */
export function wordsOf(value: unknown): string {
  if (typeof value === "string") return textWords(value);
  if (value instanceof Map) {
    const pairs = [...value].map(([key, value]) => `${wordsOf(key)}=${wordsOf(value)}`);
    return `{${pairs.join(" ")}}`;
  }
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value) || value instanceof Set) return `[${[...value].map(wordsOf).join(" ")}]`;
  if (typeof value === "object" && value !== null) return `{${fieldsOf(value)}}`;
  return String(value);
}

function textWords(text: string): string {
  if (text.length > textLengthMax) {
    return `${JSON.stringify(text.slice(0, 20))}... (${text.length} characters)`;
  }
  return /^[^\s"'{}[\]=;]+$/.test(text) ? text : JSON.stringify(text);
}
