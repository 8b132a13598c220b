// Gobby's locks as a history that must be linearizable: what users were told of acquiring, releasing and looking, and
// beside it what has truly happened of which no user was told, such as the end of a session. Each of the latter is an
// operation of nobody's, between the last moment before which it had not happened and the first at which it had.

import type { GobbyResult } from "../../agents/gobby/machine_result.ts";
import type { Json } from "../../core/data.ts";
import type { Call } from "../history.ts";
import type { Model } from "../linearizable_model.ts";
import type { Happened } from "./gobby_log.ts";

/** What a user asked of a lock, and was told. */
export interface LockCall {
  readonly client: string;
  readonly operation: LockOperation;
  readonly result: GobbyResult;
  readonly invokeUs: number;
  readonly returnUs: number;
}

/** What users ask of locks. */
export type LockOperation =
  | {
    readonly kind: "acquire";
    readonly key: string;
    readonly mode: string;
    readonly waitMs: number;
    readonly lockDelayMs?: number;
  }
  | { readonly kind: "release"; readonly key: string; readonly token: number }
  | { readonly kind: "getLock"; readonly key: string };

/** An operation of the model. */
type Step =
  /** Somebody gets the lock under a token, which is larger than all before. */
  | { readonly kind: "grant"; readonly lock: string; readonly token: number; readonly mode: string }
  /** Whoever has it under the token has it no more. */
  | { readonly kind: "end"; readonly lock: string; readonly token: number }
  /** Whether it is held under the token. */
  | { readonly kind: "isHeld"; readonly lock: string; readonly token: number }
  /** Under which tokens it is held, the oldest first. */
  | { readonly kind: "holders"; readonly lock: string }
  /** Under which token somebody else holds it who came first. */
  | { readonly kind: "first"; readonly lock: string };

interface LockState {
  readonly holders: readonly { readonly token: number; readonly mode: string }[];
  /** The largest token so far. */
  readonly latest: number;
}

const isRead = ({ kind }: Step) => kind === "isHeld" || kind === "holders" || kind === "first";

// What it is asked is made below.
const stepOf = (operation: Json): Step => operation as Step;

/** What a lock is, one operation after the other. */
export const lockModel: Model<LockState> = {
  initial: () => ({ holders: [], latest: 0 }),
  apply(state, operation) {
    const step = stepOf(operation);
    const { holders, latest } = state;
    switch (step.kind) {
      case "grant": {
        const { token, mode } = step;
        const isFree = holders.length === 0 ||
          (mode === "shared" && holders.every((holder) => holder.mode === "shared"));
        if (!isFree || token <= latest) return { state, result: false };
        return { state: { holders: [...holders, { token, mode }], latest: token }, result: true };
      }
      case "end": {
        const left = holders.filter(({ token }) => token !== step.token);
        return { state: { holders: left, latest }, result: left.length < holders.length };
      }
      case "isHeld":
        return { state, result: holders.some(({ token }) => token === step.token) };
      case "holders":
        return { state, result: holders.map(({ token }) => token) };
      case "first":
        return { state, result: holders[0]?.token ?? null };
    }
  },
  encode: (state) => JSON.stringify(state),
  partition: (operation) => stepOf(operation).lock,
  isRead: (operation) => isRead(stepOf(operation)),
};

/** See the top of this file. */
export class GobbyLocks {
  readonly #told: LockCall[] = [];
  readonly #grants = new Map<string, Happened>();
  readonly #ends = new Map<string, Happened>();

  /** A user was told something. Of what it was not told, what has happened tells. */
  told(call: LockCall): void {
    this.#told.push(call);
  }

  happened(happened: Happened): void {
    const { event } = happened;
    if (event.kind === "lockGranted") this.#grants.set(`${event.key} ${event.token}`, happened);
    else if (event.kind === "lockReleased") this.#ends.set(`${event.key} ${event.token}`, happened);
  }

  /** All of it, to be held against {@linkcode lockModel}. */
  calls(): Call[] {
    const calls: Call[] = [];
    /** Grants and ends that are some user's. */
    const known = new Set<Happened | undefined>();
    for (const told of this.#told) {
      const call = this.#asCall(told, known);
      if (call !== undefined) calls.push(call);
    }
    for (const happened of [...this.#grants.values(), ...this.#ends.values()]) {
      if (!known.has(happened)) calls.push(ofNobody(happened));
    }
    return calls;
  }

  #asCall(told: LockCall, known: Set<Happened | undefined>): Call | undefined {
    const { operation, result, client, invokeUs, returnUs } = told;
    const lock = operation.key;
    const call = (step: Step, result: Json): Call => (
      { client, operation: step, result, invokeUs, returnUs }
    );
    const named = "token" in result ? `${lock} ${result.token}` : "";
    if (operation.kind === "acquire") {
      if (result.kind === "refused" && result.why === "held") {
        return call({ kind: "first", lock }, result.token);
      }
      if (result.kind !== "acquired") return undefined;
      const { token } = result;
      const grant = this.#grants.get(named);
      // Who asks for what it has, since it was not told so the first time, is told the same again.
      const isOlder = grant !== undefined && (known.has(grant) || grant.atUs < invokeUs);
      if (isOlder) return call({ kind: "isHeld", lock, token }, true);
      known.add(grant);
      return call({ kind: "grant", lock, token, mode: operation.mode }, true);
    }
    if (operation.kind === "release") {
      const { token } = operation;
      if (result.kind === "refused" && result.why === "notHeld") {
        return call({ kind: "isHeld", lock, token }, false);
      }
      if (result.kind !== "released") return undefined;
      known.add(this.#ends.get(`${lock} ${token}`));
      return call({ kind: "end", lock, token }, true);
    }
    if (result.kind !== "lock") return undefined;
    return call({ kind: "holders", lock }, result.holders.map(({ token }) => token));
  }
}

function ofNobody({ event, sinceUs, atUs }: Happened): Call {
  const times = { invokeUs: sinceUs, returnUs: atUs };
  if (event.kind === "lockGranted") {
    const { key: lock, token, mode } = event;
    const operation: Step = { kind: "grant", lock, token, mode };
    return { client: `grant ${token}`, operation, result: true, ...times };
  }
  const token = event.kind === "lockReleased" ? event.token : 0;
  const lock = event.kind === "lockReleased" ? event.key : "";
  const operation: Step = { kind: "end", lock, token };
  return { client: `end ${token}`, operation, result: true, ...times };
}
