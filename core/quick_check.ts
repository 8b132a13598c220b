// A quick first look at whether data fits a schema of zod: code that is made once from the schema's own structure.
// It says yes only to what zod certainly accepts; where it says no, zod decides, and finds the words for what is wrong.
// That takes a tenth of the time, and hardly any message is wrong.

import type { Schema } from "./schema.ts";

/** Whether a value, which is plain data, certainly fits; false says nothing. */
export type QuickCheck = (value: unknown) => boolean;

/** The part of zod's schemas that is read here; zod calls it the library authors' way in. */
interface Zod {
  readonly def: Definition;
  readonly traits: ReadonlySet<string>;
  readonly version: { readonly major: number; readonly minor: number };
}

interface Definition {
  readonly type: string;
  /** What kind of check a schema or a check is; most schemas are none. */
  readonly check?: string;
  readonly checks?: readonly { readonly _zod: { readonly def: Definition } }[];
  readonly [part: string]: unknown;
}

/** Thrown where a schema has a part that is not known here. */
class Unknown extends Error {}

const never: QuickCheck = () => false;

/** The quick checks of a definition's schemas, each made when it is first asked for. */
export class QuickChecks {
  readonly #made = new WeakMap<Schema<unknown>, QuickCheck>();

  of(schema: Schema<unknown>): QuickCheck {
    let made = this.#made.get(schema);
    if (made === undefined) this.#made.set(schema, made = quickCheck(schema));
    return made;
  }
}

/** The quick check of a schema; of one that is not zod's, or of which not all is known here, it never says yes. */
export function quickCheck(schema: Schema<unknown>): QuickCheck {
  try {
    const zod = readZod(schema);
    // What another version means by the same structure nobody has tried.
    if (zod.version.major !== 4 || zod.version.minor !== 6) return never;
    return new Code().compile(zod.def);
  } catch {
    // A structure that is none, or a machine that makes no code of text (EvalError).
    return never;
  }
}

/** Reads values as `schema.parse` does, with its errors; most are looked at quickly, and are given back as they are. */
export function quickParse<T>(schema: { parse(value: unknown): T } & Schema<T>) {
  const isCertain = quickCheck(schema);
  return (value: unknown): T => isCertain(value) ? value as T : schema.parse(value);
}

function readZod(schema: unknown): Zod {
  const zod = Reflect.get(Object(schema), "_zod") as Zod;
  // It shares the type of those that take undefined for a field that is missing.
  if (zod.traits.has("$ZodExactOptional")) throw new Unknown();
  return zod;
}

/** The schema that stands in `part` of a definition. */
function inner(def: Definition, part: string): Definition {
  return readZod(def[part]).def;
}

function number(value: unknown): number {
  if (typeof value !== "number") throw new Unknown();
  return value;
}

/** The source of a check: one function for each object, array and union, and expressions for what is in them. */
class Code {
  /** What the source cannot spell: predicates and patterns. */
  readonly #constants: unknown[] = [];
  #functions = "";
  #count = 0;

  compile(def: Definition): QuickCheck {
    // An object, as every message is one, is looked at in place: one call less for each.
    const body = def.type === "object" && (def.checks ?? []).length === 0
      ? this.#objectBody(def)
      : `return ${this.#test(def, "v")};`;
    // The predicate of a refinement may throw; what that means is for zod to say.
    const check = `(v) => { try { ${body} } catch { return false; } }`;
    const make = new Function("c", `"use strict";${this.#functions} return ${check};`);
    return make(this.#constants) as QuickCheck;
  }

  /** An expression for whether the variable `v` fits. */
  #test(def: Definition, v: string): string {
    const type = this.#testType(def, v);
    const checks = (def.checks ?? []).map((check) => this.#testCheck(def, check._zod.def, v));
    return `(${[type, ...checks].join(" && ")})`;
  }

  #testType(def: Definition, v: string): string {
    switch (def.type) {
      case "string":
        if (def.check !== undefined) throw new Unknown();
        return `typeof ${v} === "string"`;
      case "number":
        if (def.check === undefined) return `Number.isFinite(${v})`;
        if (def.format !== "safeint") throw new Unknown();
        return `Number.isSafeInteger(${v})`;
      case "boolean":
        return `typeof ${v} === "boolean"`;
      case "null":
        return `${v} === null`;
      case "unknown":
      case "any":
        // Undefined may stand for a field that is missing, which zod minds.
        return `${v} !== undefined`;
      case "literal":
        return oneOf(def.values as unknown[], v);
      case "enum": {
        const values: unknown[] = Object.values(def.entries as object);
        // Those of TypeScript with numbers also have their names among the values.
        if (values.some((value) => typeof value !== "string")) throw new Unknown();
        return oneOf(values, v);
      }
      case "optional":
        return `(${v} === undefined || ${this.#test(inner(def, "innerType"), v)})`;
      case "nullable":
        return `(${v} === null || ${this.#test(inner(def, "innerType"), v)})`;
      case "readonly":
        // Zod freezes what it has made; of what it passes on as it is that would be the message itself.
        if (passesOn(inner(def, "innerType"))) throw new Unknown();
        return this.#test(inner(def, "innerType"), v);
      default:
        return `${this.#define(this.#body(def))}(${v})`;
    }
  }

  #testCheck(of: Definition, { check, ...def }: Definition, v: string): string {
    switch (check) {
      case "greater_than":
        return `${v} ${def.inclusive ? ">=" : ">"} ${this.#constant(number(def.value))}`;
      case "less_than":
        return `${v} ${def.inclusive ? "<=" : "<"} ${this.#constant(number(def.value))}`;
      case "max_length":
        if (of.type !== "string" && of.type !== "array") throw new Unknown();
        return `${v}.length <= ${number(def.maximum)}`;
      case "min_length": {
        if (of.type !== "string" && of.type !== "array") throw new Unknown();
        // Zod counts code points, of which a string may have half as many as units; an empty one has none either way.
        const least = number(def.minimum);
        return `${v}.length >= ${of.type === "array" || least <= 1 ? least : 2 * least}`;
      }
      case "string_format": {
        const { format, pattern } = def;
        if (format !== "regex" || !(pattern instanceof RegExp)) throw new Unknown();
        if (pattern.global || pattern.sticky) throw new Unknown();
        return `${this.#constant(pattern)}.test(${v})`;
      }
      case "custom":
        // A predicate of a whole object would get what zod has made of it.
        if (typeof def.fn !== "function" || !isPrimitive(of.type)) throw new Unknown();
        return `${this.#constant(def.fn)}(${v}) === true`;
      default:
        throw new Unknown();
    }
  }

  #body(def: Definition): string {
    switch (def.type) {
      case "object":
        return this.#objectBody(def);
      case "array":
        return `if (!Array.isArray(v)) return false;
          for (let i = 0; i < v.length; i++) {
            const p = v[i];
            if (!${this.#test(inner(def, "element"), "p")}) return false;
          }
          return true;`;
      case "record":
        return this.#recordBody(def);
      case "union":
        return this.#unionBody(def);
      default:
        throw new Unknown();
    }
  }

  #objectBody(def: Definition): string {
    const shape = def.shape as object;
    const lines = [isObject];
    for (const key of Reflect.ownKeys(shape)) {
      if (typeof key === "symbol") throw new Unknown();
      const name = `p${lines.length}`;
      lines.push(`const ${name} = v[${JSON.stringify(key)}];
        if (!${this.#test(inner(shape as Definition, key), name)}) return false;`);
    }
    const rest = def.catchall === undefined ? "unknown" : inner(def, "catchall").type;
    if (rest === "never") {
      const others = Object.keys(shape).map((key) => ` && key !== ${JSON.stringify(key)}`);
      lines.push(`for (const key in v) if (true${others.join("")}) return false;`);
    } else if (rest !== "unknown" && rest !== "any") throw new Unknown();
    return `${lines.join("\n")} return true;`;
  }

  #recordBody(def: Definition): string {
    const keys = inner(def, "keyType");
    if (keys.type !== "string" || def.mode !== undefined) throw new Unknown();
    return `${isObject}
      const prototype = Object.getPrototypeOf(v);
      if (prototype !== Object.prototype && prototype !== null) return false;
      for (const key of Reflect.ownKeys(v)) {
        const p = v[key];
        if (key === "constructor" || !${this.#test(keys, "key")}) return false;
        if (!${this.#test(inner(def, "valueType"), "p")}) return false;
      }
      return true;`;
  }

  #unionBody(def: Definition): string {
    const options = (def.options as unknown[]).map((option) => readZod(option).def);
    if (def.discriminator !== undefined) return this.#taggedBody(def, options);
    if (def.inclusive === false) throw new Unknown();
    return `return ${options.map((option) => this.#test(option, "v")).join(" || ")};`;
  }

  /** A union of objects that are told apart by one field. */
  #taggedBody(def: Definition, options: readonly Definition[]): string {
    if (def.unionFallback) throw new Unknown();
    const cases = options.map((option) => {
      const tags = tagsOf(option, String(def.discriminator));
      return `${tags.map((tag) => `case ${JSON.stringify(tag)}:`).join(" ")}
        return ${this.#test(option, "v")};`;
    });
    return `${isObject}
      switch (v[${JSON.stringify(def.discriminator)}]) { ${cases.join("\n")} }
      return false;`;
  }

  #define(body: string): string {
    const name = `f${this.#count++}`;
    this.#functions += `function ${name}(v) { ${body} }\n`;
    return name;
  }

  #constant(value: unknown): string {
    return `c[${this.#constants.push(value) - 1}]`;
  }
}

const isObject = `if (typeof v !== "object" || v === null || Array.isArray(v)) return false;`;

function isPrimitive(type: string): boolean {
  return type === "string" || type === "number" || type === "boolean";
}

/** Whether zod may give an object as it got it, rather than one of its own. */
function passesOn(def: Definition): boolean {
  if (def.type === "union") {
    return (def.options as unknown[]).some((option) => passesOn(readZod(option).def));
  }
  if (def.innerType !== undefined) return passesOn(inner(def, "innerType"));
  return def.type === "unknown" || def.type === "any";
}

/** What the field `key` may be in an object, or in any of a union of objects. */
function tagsOf(def: Definition, key: string): readonly unknown[] {
  if (def.type === "union") {
    return (def.options as unknown[]).flatMap((option) => tagsOf(readZod(option).def, key));
  }
  if (def.type !== "object") throw new Unknown();
  const tag = inner(def.shape as Definition, key);
  if (tag.type !== "literal" && tag.type !== "enum") throw new Unknown();
  const tags: unknown[] = tag.type === "enum"
    ? Object.values(tag.entries as object)
    : tag.values as unknown[];
  if (tags.some((value) => typeof value !== "string")) throw new Unknown();
  return tags;
}

function isNamed(value: unknown): boolean {
  return value === null || typeof value === "string" || typeof value === "boolean";
}

function oneOf(values: readonly unknown[], v: string): string {
  const tests = values.map((value) => {
    if (typeof value === "number" ? !Number.isFinite(value) : !isNamed(value)) throw new Unknown();
    return `${v} === ${JSON.stringify(value)}`;
  });
  return tests.length === 0 ? "false" : `(${tests.join(" || ")})`;
}
