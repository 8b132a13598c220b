import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import type { Json } from "../../core/data.ts";
import { builtInMachines } from "../machine/registry.ts";
import type { GobbyOperation } from "./machine_operation.ts";
import { gobbyResult } from "./machine_result.ts";
import { longest } from "./machine_test_support.ts";
import {
  answerLengthMax,
  answersLengthMax,
  gobbyService,
  isForClients,
  resultLengthMax,
  shortAnswerLength,
  shortResults,
} from "./service.ts";
import {
  type ServiceAnswer,
  serviceAnswer,
  type ServiceCall,
  type ServiceResult,
  serviceResult,
} from "./service_operation.ts";

/** A service in the term of a first master. */
function begun() {
  const state = gobbyService.initial();
  const apply = (operation: Json): ServiceResult =>
    serviceResult.parse(gobbyService.apply(state, operation));
  const batch = (...calls: ServiceCall[]): ServiceResult =>
    apply({ kind: "batch", term: 1, calls });
  assertEquals(apply({ kind: "beginTerm", master: "s1" }), {
    kind: "termBegun",
    term: 1,
    revision: 1,
    place: 1,
  });
  return { apply, batch };
}

const own = (operation: GobbyOperation): ServiceCall => ({ kind: "own", operation });
const openSeat = (client: string): ServiceCall => ({ kind: "open", client });
const put = (key: string, value: string): GobbyOperation => ({ kind: "put", key, value });
const get = (key: string): GobbyOperation => ({ kind: "get", key });

function request(request: number, operation: GobbyOperation, seat = 1): ServiceCall {
  return { kind: "request", client: "c", seat, request, operation };
}

function answersOf(result: ServiceResult) {
  assert(result.kind === "batch");
  return result.answers;
}

const stored = (revision: number, version: number, repeated = false): ServiceAnswer => ({
  kind: "done",
  result: { kind: "stored", revision, version },
  repeated,
});

Deno.test("gobby_service is a built-in machine", () => {
  assertEquals(builtInMachines.get("gobby_service"), gobbyService);
  assert(gobbyService.isRead({ kind: "deadlines", term: 1, skip: 0 }));
  assert(!gobbyService.isRead({ kind: "batch", term: 1, calls: [] }));
});

Deno.test("gobby_service tells what a batch has changed, and between which revisions", () => {
  const { batch } = begun();
  assertEquals(batch(own(put("a", "1")), own(get("a"))), {
    kind: "batch",
    answers: [
      stored(2, 1),
      {
        kind: "done",
        result: {
          kind: "entry",
          revision: 2,
          entry: {
            key: "a",
            value: "1",
            createRevision: 2,
            modifyRevision: 2,
            version: 1,
            session: null,
            ttlMs: null,
          },
        },
        repeated: false,
      },
    ],
    before: 1,
    after: 2,
    place: 2,
    events: [{
      kind: "keyStored",
      revision: 2,
      entry: {
        key: "a",
        value: "1",
        createRevision: 2,
        modifyRevision: 2,
        version: 1,
        session: null,
        ttlMs: null,
      },
    }],
  });
});

Deno.test("gobby_service does nothing for a master that was deposed", () => {
  const { apply, batch } = begun();
  apply({ kind: "beginTerm", master: "s2" });
  const deposed = { kind: "deposed" as const, term: 2, master: "s2" };
  assertEquals(batch(own(put("a", "1"))), deposed);
  assertEquals(apply({ kind: "deadlines", term: 1, skip: 0 }), deposed);
  assertEquals(apply({ kind: "batch", term: 3, calls: [own(put("a", "1"))] }), deposed);
  const later = apply({ kind: "batch", term: 2, calls: [own(get("a"))] });
  assertEquals(answersOf(later), [{
    kind: "done",
    result: { kind: "entry", revision: 2, entry: null },
    repeated: false,
  }]);
});

Deno.test("gobby_service carries a request out once, however often it comes", () => {
  const { batch } = begun();
  assertEquals(answersOf(batch(openSeat("c"), openSeat("c"))), [
    { kind: "opened", seat: 1 },
    { kind: "opened", seat: 1 },
  ]);
  const again = batch(request(1, put("a", "1")), request(1, put("a", "1")));
  assertEquals(answersOf(again), [stored(2, 1), stored(2, 1, true)]);
  assertEquals(answersOf(batch(request(1, put("a", "1")))), [stored(2, 1, true)]);
  assertEquals(answersOf(batch(request(2, put("a", "2")), request(1, put("a", "1")))), [
    stored(3, 2),
    { kind: "stale" },
  ]);
});

Deno.test("gobby_service refuses a seat that it does not know, and gives none twice", () => {
  const { batch } = begun();
  batch(openSeat("b"), openSeat("c"));
  assertEquals(answersOf(batch(request(1, put("a", "1")))), [{ kind: "expired" }]);
  assertEquals(answersOf(batch(request(1, put("a", "1"), 2))), [stored(2, 1)]);
});

Deno.test("gobby_service reads whatever number a read has, and remembers nothing of it", () => {
  const { batch } = begun();
  batch(openSeat("c"), request(5, put("a", "1")));
  const [late] = answersOf(batch(request(3, get("a"))));
  assertEquals(late?.kind, "done");
  assertEquals(answersOf(batch(request(5, put("a", "1")))), [stored(2, 1, true)]);
});

Deno.test("gobby_service leaves the rest of a batch when the answers get long", () => {
  const { batch } = begun();
  const value = "x".repeat(answersLengthMax / 2);
  batch(own(put("a", value)));
  const result = batch(...Array.from({ length: 9 }, () => own(get("a"))), own(put("b", "1")));
  assert(result.kind === "batch");
  assertEquals(result.answers.length, 2);
  assertEquals([result.before, result.after], [2, 2]);
});

Deno.test("gobby_service knows how long the answers are that have no text in them", () => {
  const short = gobbyResult.options.filter((each) =>
    each instanceof z.ZodObject && shortResults.has(each.shape.kind.value)
  );
  assertEquals(short.length, shortResults.size);
  const lengths = short.map((each) => {
    const answer = { kind: "done", result: longest(each, 100), repeated: false };
    return JSON.stringify(serviceAnswer.parse(answer)).length;
  });
  assert(Math.max(...lengths) <= shortAnswerLength, `${lengths}`);
});

Deno.test("gobby_service says of an answer that is too long that it was carried out", () => {
  const { batch } = begun();
  const value = "\u0001".repeat(answerLengthMax / 6 + 1);
  batch(own(put("a", value)));
  const [answer, next] = answersOf(batch(own(get("a")), own(put("b", "1"))));
  assertEquals(answer?.kind, "tooLong");
  assertEquals(next, stored(3, 1));
});

Deno.test("gobby_service leaves out events that are too long to be told with a batch", () => {
  const { batch } = begun();
  const value = "x".repeat(50_000);
  const result = batch(...["a", "b", "c"].map((key) => own(put(key, value))));
  assert(result.kind === "batch");
  assertEquals([result.answers.length, result.before, result.after, result.events], [
    3,
    1,
    4,
    null,
  ]);
  assert(JSON.stringify(result).length < resultLengthMax);
});

Deno.test("gobby_service reads deadlines by pages, each of which fits", () => {
  const { apply, batch } = begun();
  const keys = Array.from({ length: 100 }, (_, index) => String(index).padStart(1000, "k"));
  for (let index = 0; index < keys.length; index += 20) {
    batch(
      ...keys.slice(index, index + 20).map((key) => own({ kind: "put", key, value: "", ttlMs: 5 })),
    );
  }
  const found: string[] = [];
  let pages = 0;
  for (let skip: number | null = 0; skip !== null; pages++) {
    const page: ServiceResult = apply({ kind: "deadlines", term: 1, skip });
    assert(page.kind === "deadlines");
    assert(JSON.stringify(page).length < resultLengthMax);
    for (const { ms, operation } of page.deadlines) {
      assertEquals(ms, 5);
      if (operation.kind === "expireKey") found.push(operation.key);
    }
    skip = page.next;
  }
  assert(pages > 1);
  assertEquals(found, keys);
});

Deno.test("gobby_service reads events, or says that they are no longer kept", () => {
  const { apply, batch } = begun();
  batch(own(put("a", "1")), own({ kind: "compact", revision: 2 }));
  const target = { kind: "all" };
  const events = apply({ kind: "events", target, from: 2, limit: 9 });
  assert(events.kind === "events");
  assertEquals([events.events.length, events.next], [1, 3]);
  assertEquals(apply({ kind: "events", target, from: 1, limit: 9 }), {
    kind: "refused",
    why: "compacted",
    from: 1,
    oldest: 2,
  });
});

Deno.test("isForClients() keeps clients from what the master's clock decides", () => {
  assert(isForClients(put("a", "1")));
  assert(isForClients({ kind: "closeSession" }));
  for (const kind of ["beginTerm", "expireSession", "expireKey", "endLockDelay"] as const) {
    assert(!isForClients({ kind }));
  }
});
