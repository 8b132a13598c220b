// Types of the Deno standard library's modules in use, under the names that deno.json maps them to: the package
// behind the names carries JavaScript only, so that without this file everything in it would be `any`.
// Only what the library itself declares stands here, so that its own types can take over unchanged.

declare module "@std/assert" {
  type Falsy = false | 0 | 0n | "" | null | undefined;
  type ErrorClass<E extends Error> = abstract new (...args: never[]) => E;

  export class AssertionError extends Error {
    constructor(message: string, options?: ErrorOptions);
  }
  export function assert(expr: unknown, msg?: string): asserts expr;
  export function assertFalse(expr: unknown, msg?: string): asserts expr is Falsy;
  export function assertEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertStrictEquals<T>(
    actual: unknown,
    expected: T,
    msg?: string,
  ): asserts actual is T;
  export function assertNotStrictEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertAlmostEquals(
    actual: number,
    expected: number,
    tolerance?: number,
    msg?: string,
  ): void;
  export function assertGreater<T>(actual: T, expected: T, msg?: string): void;
  export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void;
  export function assertLess<T>(actual: T, expected: T, msg?: string): void;
  export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void;
  export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T>;
  export function assertMatch(actual: string, expected: RegExp, msg?: string): void;
  export function assertNotMatch(actual: string, expected: RegExp, msg?: string): void;
  export function assertStringIncludes(actual: string, expected: string, msg?: string): void;
  export function assertArrayIncludes<T>(
    actual: ArrayLike<T>,
    expected: ArrayLike<T>,
    msg?: string,
  ): void;
  export function assertObjectMatch(
    actual: object,
    expected: Record<PropertyKey, unknown>,
    msg?: string,
  ): void;
  export function assertInstanceOf<T>(
    actual: unknown,
    expectedType: abstract new (...args: never[]) => T,
    msg?: string,
  ): asserts actual is T;
  export function assertNotInstanceOf<A, T>(
    actual: A,
    unexpectedType: abstract new (...args: never[]) => T,
    msg?: string,
  ): asserts actual is Exclude<A, T>;
  export function assertIsError<E extends Error = Error>(
    error: unknown,
    errorClass?: ErrorClass<E>,
    msgMatches?: string | RegExp,
    msg?: string,
  ): asserts error is E;
  export function assertThrows(fn: () => unknown, msg?: string): unknown;
  export function assertThrows<E extends Error>(
    fn: () => unknown,
    errorClass: ErrorClass<E>,
    msgIncludes?: string,
    msg?: string,
  ): E;
  export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
  export function assertRejects<E extends Error>(
    fn: () => PromiseLike<unknown>,
    errorClass: ErrorClass<E>,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;
  export function equal(a: unknown, b: unknown): boolean;
  export function fail(msg?: string): never;
  export function unimplemented(msg?: string): never;
  export function unreachable(msg?: string): never;
}

declare module "@std/cli/parse-args" {
  /** What to make of each flag: booleans `B`, strings `S`, flags that may be repeated `C`. */
  export interface ParseOptions<B extends string, S extends string, C extends string> {
    "--"?: boolean;
    alias?: Readonly<Record<string, string | readonly string[]>>;
    /** `true`: every double-dashed flag without a value is a boolean. */
    boolean?: boolean | B | readonly B[];
    string?: S | readonly S[];
    collect?: C | readonly C[];
    negatable?: string | readonly string[];
    default?: Readonly<Record<string, unknown>>;
    /** Stops at the first argument that is not a flag; the rest goes to `_`. */
    stopEarly?: boolean;
    /** Called for each argument that no option names; `false` leaves it out of the result. */
    unknown?: (arg: string, key?: string, value?: unknown) => unknown;
  }

  /** The result where the names of the flags are not known to the compiler. */
  export interface LooseArgs {
    _: (string | number)[];
    "--"?: string[];
    [flag: string]: string | number | boolean | (string | number | boolean)[] | undefined;
  }

  export type Args<B extends string, S extends string, C extends string> = [B | S | C] extends
    [never] ? LooseArgs
    : string extends B | S | C ? LooseArgs
    :
      & { [K in Exclude<B, C>]: boolean }
      & { [K in Exclude<S, C | "_">]: string | undefined }
      & { [K in Extract<C, B>]: boolean[] }
      & { [K in Extract<C, S>]: string[] }
      & { [K in Exclude<C, B | S>]: (string | number)[] }
      & { _: "_" extends S ? string[] : (string | number)[]; "--"?: string[] }
      & { [flag: string]: unknown };

  export function parseArgs<
    const B extends string = never,
    const S extends string = never,
    const C extends string = never,
  >(args: readonly string[], options?: ParseOptions<B, S, C>): Args<B, S, C>;
}

declare module "@std/fmt/colors" {
  type Rgb = { r: number; g: number; b: number };

  export function setColorEnabled(value: boolean): void;
  export function getColorEnabled(): boolean;
  export function stripAnsiCode(string: string): string;
  export function reset(str: string): string;
  export function bold(str: string): string;
  export function dim(str: string): string;
  export function italic(str: string): string;
  export function underline(str: string): string;
  export function inverse(str: string): string;
  export function hidden(str: string): string;
  export function strikethrough(str: string): string;
  export function black(str: string): string;
  export function red(str: string): string;
  export function green(str: string): string;
  export function yellow(str: string): string;
  export function blue(str: string): string;
  export function magenta(str: string): string;
  export function cyan(str: string): string;
  export function white(str: string): string;
  export function gray(str: string): string;
  export function brightBlack(str: string): string;
  export function brightRed(str: string): string;
  export function brightGreen(str: string): string;
  export function brightYellow(str: string): string;
  export function brightBlue(str: string): string;
  export function brightMagenta(str: string): string;
  export function brightCyan(str: string): string;
  export function brightWhite(str: string): string;
  export function bgBlack(str: string): string;
  export function bgRed(str: string): string;
  export function bgGreen(str: string): string;
  export function bgYellow(str: string): string;
  export function bgBlue(str: string): string;
  export function bgMagenta(str: string): string;
  export function bgCyan(str: string): string;
  export function bgWhite(str: string): string;
  export function rgb8(str: string, color: number): string;
  export function bgRgb8(str: string, color: number): string;
  export function rgb24(str: string, color: number | Rgb): string;
  export function bgRgb24(str: string, color: number | Rgb): string;
}

declare module "@std/net" {
  export function getAvailablePort(options?: { preferredPort?: number }): number;
}

declare module "@std/path" {
  export interface ParsedPath {
    root: string;
    dir: string;
    base: string;
    ext: string;
    name: string;
  }
  export interface GlobOptions {
    extended?: boolean;
    globstar?: boolean;
    caseInsensitive?: boolean;
  }

  export const DELIMITER: ":" | ";";
  export const SEPARATOR: "/" | "\\";
  export const SEPARATOR_PATTERN: RegExp;
  export function basename(path: string | URL, suffix?: string): string;
  export function common(paths: readonly string[]): string;
  export function dirname(path: string | URL): string;
  export function extname(path: string | URL): string;
  export function format(pathObject: Partial<ParsedPath>): string;
  export function fromFileUrl(url: string | URL): string;
  export function globToRegExp(glob: string, options?: GlobOptions): RegExp;
  export function isAbsolute(path: string): boolean;
  export function isGlob(str: string): boolean;
  export function join(path: string | URL, ...paths: string[]): string;
  export function joinGlobs(globs: readonly string[], options?: GlobOptions): string;
  export function normalize(path: string | URL): string;
  export function normalizeGlob(glob: string, options?: GlobOptions): string;
  export function parse(path: string): ParsedPath;
  export function relative(from: string, to: string): string;
  export function resolve(...pathSegments: string[]): string;
  export function toFileUrl(path: string): URL;
  export function toNamespacedPath(path: string): string;
}

declare module "@std/text" {
  export interface SimilarityOptions {
    caseSensitive?: boolean;
    compareFn?: (a: string, b: string) => number;
  }

  export function closestString(
    givenWord: string,
    possibleWords: readonly string[],
    options?: SimilarityOptions,
  ): string;
  export function compareSimilarity(
    givenWord: string,
    options?: SimilarityOptions,
  ): (a: string, b: string) => number;
  export function levenshteinDistance(str1: string, str2: string): number;
  export function wordSimilaritySort(
    givenWord: string,
    possibleWords: readonly string[],
    options?: SimilarityOptions,
  ): string[];
  export function toCamelCase(input: string): string;
  export function toKebabCase(input: string): string;
  export function toPascalCase(input: string): string;
  export function toSnakeCase(input: string): string;
}

declare module "@std/yaml" {
  export function parse(content: string): unknown;
}
