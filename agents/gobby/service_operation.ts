// What Gobby's servers ask of the group that stands behind them, and what it answers. Clients never ask it themselves.

import { z } from "zod";
import { quickCheck } from "../../core/quick_check.ts";
import { gobbyEvent } from "./machine_event.ts";
import { eventTarget, gobbyOperation } from "./machine_operation.ts";
import { gobbyResult, refusal } from "./machine_result.ts";

const count = z.int().nonnegative();

/** The longest name of a client. */
export const clientNameMax = 300;

/** The name of one life of a client. */
export const clientName = z.string().min(1).max(clientNameMax);

/**
 * What tells a request from all others: `seat` is the client's number in the client table, which no other client has
 * ever had, and `request` grows by each request.
 */
const mark = { client: clientName, seat: count, request: z.int().positive() };

/** One thing to be done. */
export const serviceCall = z.discriminatedUnion("kind", [
  /** Gives a client its seat in the client table. */
  z.strictObject({ kind: z.literal("open"), client: clientName }),
  /** A client's request, carried out at most once. */
  z.strictObject({ kind: z.literal("request"), ...mark, operation: gobbyOperation }),
  /** The master's own: repeated it does no harm. */
  z.strictObject({ kind: z.literal("own"), operation: gobbyOperation }),
]);

/** What may be asked of the group. */
export const serviceOperation = z.discriminatedUnion("kind", [
  /** Begins the term of a master. */
  z.strictObject({ kind: z.literal("beginTerm"), master: z.string() }),
  /** Calls of the master of `term`, carried out in their order, all but those for whose answers there is no room. */
  z.strictObject({ kind: z.literal("batch"), term: count, calls: z.array(serviceCall) }),
  /** Calls that change nothing, carried out as those of a batch are; for a look at a replica's own copy. */
  z.strictObject({ kind: z.literal("reads"), operations: z.array(gobbyOperation) }),
  /** All that must be timed, from the one numbered `skip` on. */
  z.strictObject({ kind: z.literal("deadlines"), term: count, skip: count }),
  /** Events from a revision on. */
  z.strictObject({
    kind: z.literal("events"),
    target: eventTarget,
    from: z.int().min(1),
    limit: z.int().min(1),
  }),
]);

/** What came of a call. */
export const serviceAnswer = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("opened"), seat: count }),
  /** `repeated`: it was carried out before, and this came of it then. */
  z.strictObject({ kind: z.literal("done"), result: gobbyResult, repeated: z.boolean() }),
  /** It was carried out, but what came of it has so many characters that it cannot be told. */
  z.strictObject({ kind: z.literal("tooLong"), length: count }),
  /** A later request of the client was carried out. */
  z.strictObject({ kind: z.literal("stale") }),
  /** The client has no such seat any more: whether the request was carried out cannot be said. */
  z.strictObject({ kind: z.literal("expired") }),
]);

/** How many operations that may change something the group has carried out, this one included: a place in its log. */
const place = { place: count };

/** What comes of an operation of the group. */
export const serviceResult = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("termBegun"), term: count, revision: count, ...place }),
  /** There is another master. Nothing was done. */
  z.strictObject({ kind: z.literal("deposed"), term: count, master: z.string() }),
  z.strictObject({
    kind: z.literal("batch"),
    /** Of the first calls. Those without an answer were not carried out. */
    answers: z.array(serviceAnswer),
    /** The revisions before and after. */
    before: count,
    after: count,
    /** All events of the revisions between, or null if there is no room for them. */
    events: z.array(gobbyEvent).nullable(),
    ...place,
  }),
  /** Answers to the first reads, and in which term. */
  z.strictObject({
    kind: z.literal("reads"),
    answers: z.array(serviceAnswer),
    term: count,
    ...place,
  }),
  z.strictObject({
    kind: z.literal("deadlines"),
    deadlines: z.array(z.strictObject({ ms: count, operation: gobbyOperation })),
    /** How many to skip next, or null for no more. */
    next: count.nullable(),
    revision: count,
    ...place,
  }),
  z.strictObject({
    kind: z.literal("events"),
    events: z.array(gobbyEvent),
    next: z.int().min(1),
    ...place,
  }),
  refusal,
]);

/** See {@linkcode serviceCall}. */
export type ServiceCall = z.infer<typeof serviceCall>;

/** See {@linkcode serviceOperation}. */
export type ServiceOperation = z.infer<typeof serviceOperation>;

/** See {@linkcode serviceAnswer}. */
export type ServiceAnswer = z.infer<typeof serviceAnswer>;

/** See {@linkcode serviceResult}. */
export type ServiceResult = z.infer<typeof serviceResult>;

const isServiceResult = quickCheck(serviceResult);

/** A result of the service, as replicas pass it on; undefined if it is none. */
export function readServiceResult(result: unknown): ServiceResult | undefined {
  return isServiceResult(result) ? result as ServiceResult : serviceResult.safeParse(result).data;
}

/** An operation of the group, by its kind. */
export type Service<Kind extends ServiceOperation["kind"]> = Extract<
  ServiceOperation,
  { kind: Kind }
>;

/** A result of the group, by its kind. */
export type ServiceOutcome<Kind extends ServiceResult["kind"]> = Extract<
  ServiceResult,
  { kind: Kind }
>;
