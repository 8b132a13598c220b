// Random operations of Gobby. A number that must fit the state, as a session, a token or a revision, is drawn as a
// small one that says which of the state's to take; now and then it says none of them.

import fc from "fast-check";
import {
  type GobbyLimits,
  gobbyLimits,
  type GobbyOperation,
  gobbyOperation,
} from "../../../agents/gobby/machine_types.ts";
import { find, type Twin } from "./twin.ts";

/** Limits that are met often. */
export const smallLimits: GobbyLimits = {
  ...gobbyLimits,
  keyLength: 9,
  valueLength: 5,
  storeLength: 80,
  keys: 4,
  keyTtlMs: 9,
  clientLength: 3,
  sessions: 5,
  sessionTtlMsMin: 2,
  sessionTtlMs: 9,
  keysOfSession: 3,
  locks: 3,
  locksOfSession: 3,
  claims: 6,
  waitersOfLock: 2,
  waitMs: 9,
  lockDelayMs: 9,
  transactionSteps: 6,
  answers: 6,
  answerLength: 60,
  historyEvents: 40,
  historyLength: 700,
};

/** Limits that leave room for long queues and many keys. */
export const roomyLimits: GobbyLimits = {
  ...smallLimits,
  storeLength: 10_000,
  keys: 100,
  sessions: 12,
  keysOfSession: 100,
  locks: 100,
  locksOfSession: 100,
  claims: 100,
  waitersOfLock: 100,
  historyEvents: 300,
  historyLength: 10_000,
};

/** An operation with references instead of numbers. */
export type Draft = { readonly [key: string]: unknown };

const is = fc.constant;
const key = fc.constantFrom(
  "a",
  "a",
  "ab",
  "abc",
  "b",
  "ba",
  "__proto__",
  "\u{1F600}",
  "much too long",
);
const text = fc.string({ maxLength: 6 });
const value = fc.oneof({ weight: 6, arbitrary: is("v") }, text);
const reference = fc.oneof(
  { weight: 4, arbitrary: is(0) },
  { weight: 2, arbitrary: fc.nat(4) },
);
const ms = fc.oneof({ weight: 3, arbitrary: is(5) }, fc.nat(10));
const limit = fc.integer({ min: 1, max: 7 });
const mode = fc.constantFrom("exclusive", "shared");
const lock = fc.constantFrom("a", "a", "a", "b", "ab");
const token = fc.oneof({ weight: 4, arbitrary: fc.nat(2) }, fc.nat(9));

function some(
  shape: { readonly [name: string]: fc.Arbitrary<unknown> },
  optional: { readonly [name: string]: fc.Arbitrary<unknown> } = {},
): fc.Arbitrary<Draft> {
  // One that is absent is left out, as JSON would.
  const drawn = Object.entries(optional).map(([name, arbitrary]) =>
    fc.option(arbitrary, { nil: undefined, freq: 2 }).map((value) =>
      value === undefined ? {} : { [name]: value }
    )
  );
  return fc.tuple(fc.record(shape), ...drawn).map((parts) => Object.assign({}, ...parts));
}

const range = fc.oneof(
  some({ prefix: fc.constantFrom("", "a", "ab", "b", "c") }),
  some({ from: fc.oneof(key, is("")), to: fc.option(key) }),
);
const fence = some({ lock, token });
const relation = fc.constantFrom("equal", "notEqual", "less", "greater");
const comparison = fc.oneof(
  some({ target: is("value"), key, is: relation, value }),
  some({
    target: fc.constantFrom("createRevision", "modifyRevision", "version"),
    key,
    is: relation,
    number: fc.nat(5),
  }),
  some({ target: is("token"), lock, token }),
  some({ target: is("holder"), lock, session: fc.option(reference) }),
);
const put = { kind: is("put"), key, value };
const attachment = { session: reference, ttlMs: ms };
const get = some({ kind: is("get"), key });
const getRange = some({ kind: is("range"), range, limit }, {
  after: fc.oneof(key, is("")),
  keysOnly: fc.boolean(),
});
const step = fc.oneof(
  get,
  getRange,
  some(put, attachment),
  some({ kind: is("delete"), key }),
);
const steps = fc.array(step, { maxLength: 3 });
const condition = { ifRevision: fc.nat(3), fence };
const only = fc.constantFrom("keys", "locks");
const target = fc.oneof(
  some({ kind: is("all") }),
  some({ kind: is("session"), session: reference }),
  some({ kind: is("key"), key }, { only }),
  some({ kind: is("prefix"), prefix: fc.constantFrom("", "a", "b") }, { only }),
);

const weighted: readonly (readonly [number, fc.Arbitrary<Draft>])[] = [
  [2, get],
  [2, getRange],
  [6, some(put, attachment)],
  [3, some(put, { ...attachment, ...condition })],
  [3, some({ kind: is("delete"), key }, condition)],
  [1, some({ kind: is("deleteRange"), range, limit }, { fence })],
  [
    4,
    some({
      kind: is("transaction"),
      if: fc.array(comparison, { maxLength: 2 }),
      then: steps,
      else: steps,
    }, { fence }),
  ],
  [
    5,
    some({
      kind: is("openSession"),
      client: fc.oneof({ weight: 5, arbitrary: is("c") }, text),
      ttlMs: ms,
    }),
  ],
  [1, some({ kind: is("renewSession"), session: reference })],
  [1, some({ kind: is("closeSession"), session: reference })],
  [1, some({ kind: is("getSession"), session: reference })],
  [
    14,
    some(
      { kind: is("acquire"), session: fc.nat(5), key: lock, mode, waitMs: fc.oneof(is(0), ms) },
      {
        lockDelayMs: ms,
      },
    ),
  ],
  [
    1,
    some({
      kind: is("acquire"),
      session: reference,
      key: fc.string({ minLength: 1, maxLength: 12 }),
      mode,
      waitMs: is(0),
    }),
  ],
  [4, some({ kind: is("release"), key: lock, token })],
  [2, some({ kind: is("cancelWait"), key: lock, ticket: token })],
  [2, some({ kind: is("withdraw"), session: reference, key: lock })],
  [2, some({ kind: is("getLock"), key: lock })],
  [2, some({ kind: is("events"), target, from: fc.nat(30), limit })],
  [1, some({ kind: is("status") })],
  [1, some({ kind: is("beginTerm"), master: fc.oneof(is("m"), text), after: fc.nat(1) })],
  [3, some({ kind: is("expireSession"), session: reference, renewal: reference, term: reference })],
  [2, some({ kind: is("expireKey"), key, modifyRevision: reference })],
  [1, some({ kind: is("endLockDelay"), key: lock, token: fc.nat(3) })],
  [1, some({ kind: is("compact"), revision: fc.nat(20) })],
];

/** Any operation, drafted. */
export const draft: fc.Arbitrary<Draft> = fc.oneof(
  ...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary })),
);

/** The operation that a draft means in a state. */
export function operationOf(draft: Draft, twin: Twin): GobbyOperation {
  return gobbyOperation.parse(resolve(draft, twin));
}

function resolve(value: unknown, twin: Twin): unknown {
  if (Array.isArray(value)) return value.map((each) => resolve(each, twin));
  if (typeof value !== "object" || value === null) return value;
  const draft: Draft = { ...value };
  return Object.fromEntries(
    Object.entries(draft).map(([name, part]) =>
      typeof part === "number"
        ? [name, numberOf(name, part, draft, twin)]
        : [name, resolve(part, twin)]
    ),
  );
}

/** The number that a reference means, by the name of its field. */
function numberOf(name: string, reference: number, draft: Draft, twin: Twin): number {
  const key = draft.kind === undefined && "lock" in draft ? draft.lock : draft.key ?? draft.lock;
  const latest = find(twin, String(key))?.modifyRevision ?? 0;
  switch (name) {
    case "session":
      return twin.sessions[reference]?.session ?? 1000 + reference;
    case "token":
    case "ticket": {
      const numbers = [...twin.claims.filter((claim) => claim.key === key)]
        .map(({ number }) => number);
      const delayed = twin.delays.flatMap((delay) => delay.key === key ? delay.token : []);
      const known = draft.kind === "endLockDelay" ? delayed : numbers;
      return known[reference] ?? reference + 1;
    }
    case "ifRevision":
      return reference < 2 ? latest : reference - 2;
    case "number":
      return reference === 5 ? latest : reference;
    case "modifyRevision":
      return Math.max(1, latest - reference);
    case "renewal": {
      const session = twin.sessions[Number(draft.session)];
      return reference === 0 ? session?.renewal ?? 0 : reference;
    }
    case "term":
    case "after":
      return reference === 0 ? twin.term : reference - 1;
    case "from":
      return Math.max(1, twin.revision + 2 - reference);
    case "revision":
      return Math.max(0, twin.revision + 2 - reference);
    default:
      return reference;
  }
}
