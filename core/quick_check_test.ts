import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { z } from "zod";
import { quickCheck } from "./quick_check.ts";
import { type Schema, validate } from "./schema.ts";

/** A schema of which all is known, and values of which many fit. */
interface Sample {
  readonly schema: z.ZodType;
  readonly values: fc.Arbitrary<unknown>;
}

// Names that objects inherit, or that mean something to them, among others.
const keys = fc.constantFrom("a", "b", "kind", "constructor", "toString", "length", "0", "");
const texts = fc.oneof(keys, fc.string({ unit: "grapheme", maxLength: 4 }), fc.string());
const numbers = fc.oneof(fc.integer({ min: -3, max: 9 }), fc.double(), fc.integer());

const leaves: fc.Arbitrary<Sample> = fc.oneof(
  fc.constantFrom(
    { schema: z.string(), values: texts },
    { schema: z.string().min(1).max(4), values: texts },
    { schema: z.string().min(3), values: texts },
    { schema: z.string().regex(/^[ab]*$/i), values: texts },
    { schema: z.string().max(4).refine((text) => text !== "a"), values: texts },
    { schema: z.int(), values: numbers },
    { schema: z.int().nonnegative().max(7), values: numbers },
    { schema: z.int().positive().lt(7), values: numbers },
    { schema: z.number(), values: numbers },
    { schema: z.number().min(0.5), values: numbers },
    { schema: z.boolean(), values: fc.boolean() },
    { schema: z.null(), values: fc.constant(null) },
    { schema: z.unknown(), values: fc.jsonValue() },
    { schema: z.literal(["a", 1, true, null]), values: fc.constantFrom("a", 1, true, null) },
    { schema: z.enum(["a", "b"]), values: keys },
  ),
);

function objectOf(fields: Record<string, Sample>, rest: "strip" | "strict" | "loose"): Sample {
  const schemas: [string, z.ZodType][] = [];
  const values: Record<string, fc.Arbitrary<unknown>> = {};
  for (const [key, field] of Object.entries(fields)) {
    schemas.push([key, field.schema]);
    values[key] = field.values;
  }
  const schema = z.object(Object.fromEntries(schemas));
  const rested = { strip: schema, strict: schema.strict(), loose: schema.loose() };
  return { schema: rested[rest], values: fc.record(values, { requiredKeys: [] }) };
}

/** Objects of three kinds, told apart by their field `kind`. */
function tagged(a: Sample, b: Sample): Sample {
  const schema = z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("a"), a: a.schema }),
    z.strictObject({ kind: z.literal("b"), b: b.schema.optional() }),
    z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("") }),
      z.object({ kind: z.enum(["0", "length"]), b: b.schema }),
    ]),
  ]);
  return { schema, values: fc.record({ kind: keys, a: a.values, b: b.values }) };
}

const { sample: samples } = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.oneof(
    { depthSize: "small" },
    leaves,
    fc.record({
      fields: fc.dictionary(keys, tie("sample"), { maxKeys: 4 }),
      rest: fc.constantFrom("strip" as const, "strict" as const, "loose" as const),
    }).map(({ fields, rest }) => objectOf(fields, rest)),
    tie("sample").map(({ schema, values }) => ({
      schema: z.array(schema).min(1).max(3).readonly(),
      values: fc.array(values, { maxLength: 4 }),
    })),
    tie("sample").map(({ schema, values }) => ({
      schema: z.record(z.string().max(6), schema),
      values: fc.dictionary(texts, values, { maxKeys: 3 }),
    })),
    tie("sample").map(({ schema, values }) => ({
      schema: schema.optional(),
      values: fc.option(values, { nil: undefined }),
    })),
    tie("sample").map(({ schema, values }) => ({
      schema: schema.nullable(),
      values: fc.option(values),
    })),
    fc.tuple(tie("sample"), tie("sample")).map(([a, b]) => ({
      schema: z.union([a.schema, b.schema]),
      values: fc.oneof(a.values, b.values),
    })),
    fc.tuple(tie("sample"), tie("sample")).map(([a, b]) => tagged(a, b)),
  ),
}));

/** A schema with a value made for it, or with any value there is. */
const cases = samples.chain(({ schema, values }) =>
  fc.record({
    schema: fc.constant(schema),
    value: fc.oneof({ weight: 3, arbitrary: values }, fc.anything({ withNullPrototype: true })),
  })
);

const runs = { numRuns: Deno.env.has("OVID_SHORT") ? 500 : 5000 };

function accepts(schema: Schema<unknown>, value: unknown): boolean {
  try {
    return validate(schema, value).ok;
  } catch {
    // There are values on which the code of zod throws.
    return false;
  }
}

Deno.test("quickCheck() says yes only to what zod accepts", () => {
  fc.assert(
    fc.property(cases, ({ schema, value }) => {
      if (quickCheck(schema)(value)) assert(accepts(schema, value));
    }),
    runs,
  );
});

Deno.test("quickCheck() says yes to nearly all that zod accepts", () => {
  let accepted = 0;
  let quick = 0;
  fc.assert(
    fc.property(cases, ({ schema, value }) => {
      if (!accepts(schema, value)) return;
      accepted++;
      if (quickCheck(schema)(value)) quick++;
    }),
    runs,
  );
  assert(accepted > runs.numRuns / 4, `zod accepted ${accepted}`);
  assert(quick > accepted * 0.9, `${quick} of ${accepted}`);
});

const protoKey: unknown = JSON.parse('{"__proto__": 1}');

Deno.test("quickCheck() leaves to zod what only zod knows", () => {
  const loud = z.string().refine(() => {
    throw new Error("loud");
  });
  const left: [Schema<unknown>, unknown][] = [
    [z.string().transform(Number), "1"],
    [z.string().trim(), "a"],
    [z.string().default("a"), undefined],
    [z.string().superRefine(() => {}), "a"],
    [z.string().refine(() => Promise.resolve(true)), "a"],
    [loud, "a"],
    [z.email(), "a@example.com"],
    [z.object({ a: z.int() }).refine(() => true), { a: 1 }],
    [z.object({ a: z.unknown() }), {}],
    [z.object({ a: z.string().exactOptional() }), { a: undefined }],
    [z.unknown().readonly(), {}],
    [z.union([z.int(), z.unknown().nullable()]).readonly(), {}],
    [z.json(), {}],
    [z.tuple([z.int()]), [1]],
    [z.literal([NaN]), NaN],
    [z.enum({ A: 0, 0: "A" }), "A"],
    [z.record(z.enum(["a", "b"]), z.int()), { a: 1, b: 2 }],
    [z.record(z.string(), z.unknown()), { constructor() {} }],
    [z.strictObject({}), protoKey],
    [z.strictObject({}), Object.create({ inherited: 1 })],
    [z.object({}), []],
    [z.strictObject({ a: z.int() }), { a: 1, b: 2 }],
    [z.array(z.int()), Array(1)],
    [z.string().min(3), "\u{1F600}\u{1F600}"],
    [{ "~standard": { version: 1, vendor: "test", validate: () => ({ value: 1 }) } }, 1],
  ];
  for (const [index, [schema, value]] of left.entries()) {
    assertEquals(quickCheck(schema)(value), false, `case ${index}`);
  }
});

Deno.test("quickCheck() reads fields that objects inherit as zod does", () => {
  const schema = z.object({ a: z.int() });
  const value: unknown = Object.create({ a: 1 });
  assertEquals([quickCheck(schema)(value), accepts(schema, value)], [true, true]);
});
