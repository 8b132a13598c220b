// What Ovid asks of a validator: the Standard Schema interface, which zod, valibot, arktype and others
// implement, so that a plugin may use whichever it likes. See https://standardschema.dev.

/** A fault that a schema found, with the path to it. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** A validator of values of type `T`: anything that speaks Standard Schema version 1. */
export interface Schema<T> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>;
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: "draft-2020-12" }) => Record<string, unknown>;
    };
  };
}

/** The type of the values that a schema accepts. */
export type Infer<S> = S extends Schema<infer T> ? T : never;

/** The outcome of {@linkcode validate}. */
export type Validation<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issues: readonly SchemaIssue[] };

/**
 * Judges `value` by `schema`.
 *
 * @throws {TypeError} if the schema is asynchronous: a step of an agent cannot wait.
 */
export function validate<T>(schema: Schema<T>, value: unknown): Validation<T> {
  const result = schema["~standard"].validate(value);
  if (result instanceof Promise) {
    // Zod also promises when its own code throws, as on a length that is an object; nobody will hear of that one.
    result.catch(() => {});
    throw new TypeError("Cannot use an asynchronous schema, want one that answers at once");
  }
  return result.issues === undefined
    ? { ok: true, value: result.value }
    : { ok: false, issues: result.issues };
}

/** The path of an issue as it is written in messages: `attrs.contacts[1]`. */
export function issuePath(issue: SchemaIssue, root = ""): string {
  let path = root;
  for (const step of issue.path ?? []) {
    const key = typeof step === "object" ? step.key : step;
    path += typeof key === "number" ? `[${key}]` : path === "" ? String(key) : `.${String(key)}`;
  }
  return path;
}

/** The issues on one line, each with its path. */
export function describeIssues(issues: readonly SchemaIssue[], root = ""): string {
  return issues.map((issue) => {
    const path = issuePath(issue, root);
    return path === "" ? issue.message : `${path}: ${issue.message}`;
  }).join("; ");
}

/** What is wrong with `value`, on one line; undefined if nothing is. */
export function faultOf(schema: Schema<unknown>, value: unknown, root = ""): string | undefined {
  const verdict = validate(schema, value);
  return verdict.ok ? undefined : describeIssues(verdict.issues, root);
}

/** The JSON Schema of `schema`, where its library can give one. */
export function toJsonSchema(schema: Schema<unknown>): Record<string, unknown> | undefined {
  return schema["~standard"].jsonSchema?.input({ target: "draft-2020-12" });
}
