// What a request asks for: paths, queries and bodies in, operations and watches out. None of this changes anything.

import type { HttpRequest } from "../../core/devices.ts";
import { type GatewayFault, quote } from "./gateway_guard.ts";
import {
  type EventTarget,
  eventTarget,
  type GobbyOperation,
  gobbyOperation,
} from "./machine_operation.ts";
import { isForClients } from "./service.ts";

/** What a request asks for. */
export type Wanted =
  /** With `absent` an entry that is not there is an error. */
  | {
    readonly kind: "ask";
    readonly operation: GobbyOperation;
    readonly absent?: string;
    /** How old the answer may be, if it may be old. */
    readonly maxAgeMs?: number;
  }
  | { readonly kind: "watch"; readonly target: EventTarget; readonly from: number | undefined }
  | { readonly kind: "fault"; readonly fault: GatewayFault };

/** The longest wait for a lock by HTTP: it must be over before the answer is overdue. */
export const httpWaitMsMax = 30_000;

const defaultLimit = 100;

/** As old as it may be. */
const anyAgeMs = 2 ** 40;

type Fields = { readonly [name: string]: unknown };

/** Thrown within this file alone. */
class Fault extends Error {
  readonly fault: GatewayFault;

  constructor(status: number, error: string, headers: { readonly [name: string]: string } = {}) {
    super(error);
    this.fault = { status, error, headers };
  }
}

type Route = (request: HttpRequest, rest: string) => Wanted;

/** By path and method. A path that ends in `/` goes on with a key or a number. */
const routes: ReadonlyMap<string, ReadonlyMap<string, Route>> = new Map(
  Object.entries<{ readonly [method: string]: Route }>({
    "/v1/ask": { POST: (request) => ask(bodyOf(request)) },
    "/v1/status": { GET: (request) => ask({ kind: "status", ...queryOf(request, []) }) },
    "/v1/watch": { GET: watch },
    "/v1/keys": { GET: range },
    "/v1/keys/": { GET: get, PUT: put, DELETE: remove },
    "/v1/sessions": {
      POST: (request) => ask({ client: "http", ...bodyOf(request), kind: "openSession" }),
    },
    "/v1/sessions/": {
      GET: (_request, rest) => ask({ kind: "getSession", session: countOf(rest) }),
      POST: keepAlive,
      DELETE: (_request, rest) => ask({ kind: "closeSession", session: countOf(rest) }),
    },
    "/v1/locks/": {
      GET: (_request, rest) => ask({ kind: "getLock", key: keyOf(rest) }),
      POST: acquire,
      DELETE: release,
    },
  }).map(([path, methods]) => [path, new Map(Object.entries(methods))]),
);

/** What a request asks for, or what is wrong with it. */
export function wantedOf(request: HttpRequest): Wanted {
  try {
    return route(request);
  } catch (error) {
    if (error instanceof Fault) return { kind: "fault", fault: error.fault };
    throw error;
  }
}

function route(request: HttpRequest): Wanted {
  const { method, path, body } = request;
  const [start = "", rest = ""] = /^(\/v1\/[a-z]+\/)(.+)$/.exec(path)?.slice(1) ?? [path];
  const methods = routes.get(start);
  if (methods === undefined) {
    throw new Fault(
      404,
      `The path is ${quote(path)}, want one of ${[...routes.keys()].join(", ")}`,
    );
  }
  const act = methods.get(method);
  if (act === undefined) {
    const allow = [...methods.keys()].join(", ");
    throw new Fault(405, `The method is ${method}, want ${allow}`, { allow });
  }
  if (body !== "" && (method === "GET" || method === "DELETE")) {
    throw new Fault(400, `There is a body, want none with ${method}`);
  }
  return act(request, rest);
}

function ask(fields: Fields, absent?: string): Wanted {
  const parsed = gobbyOperation.safeParse(fields);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const place = issue?.path.join(".") ?? "";
    throw new Fault(
      400,
      `It is no operation: ${place === "" ? "" : `${place}: `}${issue?.message}`,
    );
  }
  const operation = parsed.data;
  if (!isForClients(operation)) throw new Fault(403, `${operation.kind} is for the master alone`);
  if (operation.kind === "acquire" && operation.waitMs > httpWaitMsMax) {
    throw new Fault(400, `waitMs is ${operation.waitMs}, want at most ${httpWaitMsMax}`);
  }
  return absent === undefined ? { kind: "ask", operation } : { kind: "ask", operation, absent };
}

function get(request: HttpRequest, rest: string): Wanted {
  const { stale } = queryOf(request, ["stale"]);
  const key = keyOf(rest);
  return mayBeOld(ask({ kind: "get", key }, key), stale);
}

/** `stale` alone lets an answer be as old as it is, `stale=MS` no older than that. */
function mayBeOld(wanted: Wanted, stale: string | undefined): Wanted {
  if (wanted.kind !== "ask" || stale === undefined) return wanted;
  return { ...wanted, maxAgeMs: stale === "" ? anyAgeMs : countOf(stale) };
}

function put(request: HttpRequest, rest: string): Wanted {
  return ask({ ...bodyOf(request), ...ifMatch(request), kind: "put", key: keyOf(rest) });
}

function remove(request: HttpRequest, rest: string): Wanted {
  return ask({ ...ifMatch(request), kind: "delete", key: keyOf(rest) });
}

function range(request: HttpRequest): Wanted {
  const known = ["prefix", "limit", "after", "stale"];
  const { prefix = "", limit, stale, ...more } = queryOf(request, known);
  const wanted = limit === undefined ? defaultLimit : countOf(limit);
  return mayBeOld(ask({ kind: "range", range: { prefix }, limit: wanted, ...more }), stale);
}

function keepAlive(request: HttpRequest, rest: string): Wanted {
  const [, session] = /^(\d+)\/keep-alive$/.exec(rest) ?? [];
  if (session === undefined) throw new Fault(404, "want /v1/sessions/NUMBER/keep-alive");
  if (request.body !== "") bodyOf(request);
  return ask({ kind: "renewSession", session: countOf(session) });
}

function acquire(request: HttpRequest, rest: string): Wanted {
  const fields = { mode: "exclusive", waitMs: 0, ...bodyOf(request) };
  return ask({ ...fields, kind: "acquire", key: keyOf(rest) });
}

function release(request: HttpRequest, rest: string): Wanted {
  const { token = "" } = queryOf(request, ["token"]);
  return ask({ kind: "release", key: keyOf(rest), token: countOf(token) });
}

function watch(request: HttpRequest): Wanted {
  const { prefix, key, from: asked, ...more } = queryOf(request, ["prefix", "key", "from", "only"]);
  if ((prefix === undefined) === (key === undefined)) {
    throw new Fault(400, "want either prefix or key in the query");
  }
  const parsed = eventTarget.safeParse(
    key === undefined ? { kind: "prefix", prefix, ...more } : { kind: "key", key, ...more },
  );
  if (!parsed.success) throw new Fault(400, `It is no watch: ${parsed.error.issues[0]?.message}`);
  // A reader that comes back asks by the same query, and says what it has seen.
  const seen = request.headers["last-event-id"];
  const from = seen !== undefined && seen !== ""
    ? countOf(seen) + 1
    : asked === undefined
    ? undefined
    : countOf(asked);
  if (from === 0) throw new Fault(400, "from is 0, want a revision from 1 on");
  return { kind: "watch", target: parsed.data, from };
}

function ifMatch({ headers }: HttpRequest): Fields {
  const given = headers["if-match"];
  if (given === undefined) return {};
  const [, digits] = /^"?(\d+)"?$/.exec(given) ?? [];
  if (digits === undefined) {
    throw new Fault(400, `If-Match is ${quote(given)}, want a revision, or 0 for a new key`);
  }
  return { ifRevision: countOf(digits) };
}

function bodyOf({ headers, body }: HttpRequest): Fields {
  // Forms of pages cannot be of this type: what they can send without being asked is refused.
  const type = headers["content-type"] ?? "";
  if (!/^application\/json *(;|$)/i.test(type)) {
    throw new Fault(415, `The Content-Type is ${quote(type)}, want application/json`);
  }
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new Fault(400, "The body is no JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Fault(400, "The body is no JSON object");
  }
  return { ...value };
}

function queryOf(
  { query }: HttpRequest,
  known: readonly string[],
): Partial<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    if (!known.includes(name) || Object.hasOwn(found, name)) {
      const want = known.length === 0 ? "none" : `each of ${known.join(", ")} once at most`;
      throw new Fault(400, `The query has ${quote(name)}, want ${want}`);
    }
    found[name] = value;
  }
  return found;
}

function keyOf(rest: string): string {
  try {
    return decodeURIComponent(rest);
  } catch {
    throw new Fault(400, `The key is ${quote(rest)}, want it percent-encoded as UTF-8`);
  }
}

function countOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Fault(400, `${quote(text)} is no whole number`);
  return Number(text);
}
