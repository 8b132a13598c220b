// Gobby by HTTP, for whoever has no Ovid: requests become what a gobby_client is asked, and watches become streams. It
// knows nothing that would have to outlive it. Sessions are those of who asks, and end if they are not kept alive.

import type { Context } from "../../core/agent.ts";
import { defineAgent } from "../../core/define.ts";
import type { HttpRequest } from "../../core/devices.ts";
import {
  answerOf,
  errorAnswer,
  type GatewayAnswer,
  streamBeat,
  streamBegin,
  streamEnd,
  streamEvents,
} from "./gateway_answer.ts";
import { type GatewayAttrs, gatewayAttrs } from "./gateway_attrs.ts";
import { type GatewayFault, refusalOf } from "./gateway_guard.ts";
import { httpWaitMsMax, wantedOf } from "./gateway_routes.ts";
import type { EventTarget, GobbyOperation } from "./machine_operation.ts";
import { gobbyClientProtocol } from "./protocol.ts";

/** How much may be asked at once; what nobody waits for any more counts as well. */
export const gatewayAsksMax = 256;

/** How long the client may take, besides waiting for a lock; and how long it is believed to answer at all. */
const answerMs = 20_000;
const patienceMs = answerMs + httpWaitMsMax + 5000;
/** How often a stream says something. */
const beatMs = 15_000;
// Answers of an earlier life may still be on their way.
const askedMax = 2 ** 40;

const { ask, answer, cancel, watch, unwatch, watching, events, watchEnded } = gobbyClientProtocol;
const gatewayProtocol = { ask, answer, cancel, watch, unwatch, watching, events, watchEnded };

/** Something that was asked. */
interface Asked {
  /** The exchange that waits for it; null for none. */
  exchange: number | null;
  readonly origin: string | undefined;
  /** The lock that nobody will release if nobody is told of it. */
  readonly lock: string | undefined;
  readonly absent: string | undefined;
}

/** A watch, by the number of its exchange. */
interface Stream {
  readonly origin: string | undefined;
  begun: boolean;
}

interface GatewayState {
  asked: number;
  /** At most {@linkcode gatewayAsksMax}. */
  readonly asks: Map<number, Asked>;
  /** As many as the driver allows exchanges. */
  readonly streams: Map<number, Stream>;
}

type GatewayContext = Context<
  GatewayAttrs,
  typeof gatewayProtocol,
  never,
  "ask" | "beat",
  never,
  "http"
>;

/** The built-in `gobby_gateway`. */
export const gobbyGateway = defineAgent({
  type: "gobby_gateway",
  version: 1,
  doc:
    "Serves Gobby by HTTP and JSON to whoever knows its token, with streams of events for watches.",
  attrs: gatewayAttrs,
  protocol: gatewayProtocol,
  timers: ["ask", "beat"],
  devices: ["http"],
  init: (): GatewayState => ({ asked: 0, asks: new Map(), streams: new Map() }),
  start(state, ctx: GatewayContext) {
    state.asked = Math.floor(ctx.random() * askedMax);
    const { hostname, port } = ctx.attrs;
    ctx.output("http", { type: "listen", hostname, port });
  },
  on: {
    answer(state, { id, outcome }, ctx) {
      if (ctx.from !== ctx.attrs.client) return;
      const asked = state.asks.get(id);
      if (asked === undefined) return;
      state.asks.delete(id);
      ctx.clearTimer("ask", String(id));
      const { exchange, lock, absent, origin } = asked;
      if (exchange !== null) return respond(ctx, exchange, answerOf(outcome, absent), origin);
      if (lock === undefined || outcome.kind !== "done" || outcome.result.kind !== "acquired") {
        return;
      }
      // Whoever wanted the lock has gone.
      const { token } = outcome.result;
      askClient(state, ctx, { kind: "release", key: lock, token }, { exchange: null });
    },
    watching(state, { id, from }, ctx) {
      const stream = streamOf(state, ctx, id);
      if (stream !== undefined) beginStream(ctx, id, stream, streamBegin(from));
    },
    events(state, { id, events }, ctx) {
      if (streamOf(state, ctx, id) === undefined) return;
      for (const text of streamEvents(events)) ctx.output("http", { type: "chunk", id, text });
    },
    watchEnded(state, { id, end }, ctx) {
      if (ctx.from !== ctx.attrs.client) return;
      const stream = state.streams.get(id);
      if (stream === undefined) return;
      state.streams.delete(id);
      if (!stream.begun && end.why === "limit") {
        const error = `There are too many watches: ${end.limit}`;
        return respond(ctx, id, errorAnswer(503, error, true), stream.origin);
      }
      beginStream(ctx, id, stream, streamEnd(end));
      ctx.output("http", { type: "end", id });
    },
  },
  onTimer: {
    ask(state, ctx, key) {
      const id = Number(key);
      const asked = state.asks.get(id);
      state.asks.delete(id);
      if (asked === undefined || asked.exchange === null) return;
      const answer = errorAnswer(503, `${ctx.attrs.client} has not answered`, false);
      respond(ctx, asked.exchange, answer, asked.origin);
    },
    beat(state, ctx) {
      for (const [id, { begun }] of state.streams) {
        if (begun) ctx.output("http", { type: "chunk", id, text: streamBeat });
      }
      if (state.streams.size > 0) ctx.setTimer("beat", beatMs);
    },
  },
  onDevice: {
    http(state, event, ctx) {
      switch (event.type) {
        case "listening":
          return ctx.note("gobby.gateway", { hostname: event.hostname, port: event.port });
        case "failed":
          return ctx.fail(event.reason);
        case "request":
          return onRequest(state, ctx, event);
        case "closed":
          return onClosed(state, ctx, event.id);
      }
    },
  },
  check({ asks }) {
    if (asks.size > gatewayAsksMax) throw new Error(`${asks.size} things are asked`);
  },
});

function onRequest(state: GatewayState, ctx: GatewayContext, request: HttpRequest): void {
  const { id, headers } = request;
  const refusal = refusalOf(request, ctx.attrs);
  // Only an origin that is allowed is told that it is.
  const origin = refusal === undefined ? headers["origin"] : undefined;
  if (refusal !== undefined) return refuse(ctx, id, refusal, origin);
  if (request.method === "OPTIONS" && origin !== undefined) return preflight(ctx, id, origin);
  const wanted = wantedOf(request);
  switch (wanted.kind) {
    case "fault":
      return refuse(ctx, id, wanted.fault, origin);
    case "watch":
      return openStream(state, ctx, { id, origin, ...wanted });
    case "ask":
      return askClient(state, ctx, wanted.operation, {
        exchange: id,
        origin,
        absent: wanted.absent,
        maxAgeMs: wanted.maxAgeMs,
      });
  }
}

function askClient(
  state: GatewayState,
  ctx: GatewayContext,
  operation: GobbyOperation,
  { exchange, origin, absent, maxAgeMs }: {
    readonly exchange: number | null;
    readonly origin?: string | undefined;
    readonly absent?: string | undefined;
    readonly maxAgeMs?: number | undefined;
  },
): void {
  if (state.asks.size >= gatewayAsksMax) {
    if (exchange === null) return;
    const answer = errorAnswer(503, `${gatewayAsksMax} things are asked already`, true);
    return respond(ctx, exchange, answer, origin);
  }
  const id = ++state.asked;
  const isLock = operation.kind === "acquire";
  const lock = isLock ? operation.key : undefined;
  state.asks.set(id, { exchange, origin, lock, absent });
  ctx.setTimer("ask", patienceMs, String(id));
  const deadlineMs = answerMs + (isLock ? operation.waitMs : 0);
  const age = maxAgeMs === undefined ? {} : { maxAgeMs };
  ctx.sendTo(ctx.attrs.client, { type: "ask", id, operation, deadlineMs, ...age });
}

function openStream(
  state: GatewayState,
  ctx: GatewayContext,
  { id, origin, target, from }: {
    readonly id: number;
    readonly origin: string | undefined;
    readonly target: EventTarget;
    readonly from: number | undefined;
  },
): void {
  if (state.streams.size === 0) ctx.setTimer("beat", beatMs);
  state.streams.set(id, { origin, begun: false });
  const begin = from === undefined ? {} : { from };
  ctx.sendTo(ctx.attrs.client, { type: "watch", id, target, ...begin });
}

/** The stream that the client speaks of; one that is not there it need not serve any longer. */
function streamOf(state: GatewayState, ctx: GatewayContext, id: number): Stream | undefined {
  if (ctx.from !== ctx.attrs.client) return undefined;
  const stream = state.streams.get(id);
  if (stream === undefined) ctx.reply({ type: "unwatch", id });
  return stream;
}

function beginStream(ctx: GatewayContext, id: number, stream: Stream, text: string): void {
  if (!stream.begun) {
    stream.begun = true;
    const headers = originHeaders(stream.origin);
    const contentType = "text/event-stream";
    ctx.output("http", { type: "begin", id, status: 200, contentType, headers });
  }
  ctx.output("http", { type: "chunk", id, text });
}

function onClosed(state: GatewayState, ctx: GatewayContext, exchange: number): void {
  if (state.streams.delete(exchange)) {
    ctx.sendTo(ctx.attrs.client, { type: "unwatch", id: exchange });
  }
  for (const [id, asked] of state.asks) {
    if (asked.exchange !== exchange) continue;
    asked.exchange = null;
    // Nobody waits for a lock any more, or reads what came of the rest.
    ctx.sendTo(ctx.attrs.client, { type: "cancel", id });
  }
}

function preflight(ctx: GatewayContext, id: number, origin: string): void {
  const headers = {
    ...originHeaders(origin),
    "access-control-allow-methods": "GET, PUT, POST, DELETE",
    "access-control-allow-headers": "authorization, content-type, if-match, last-event-id",
  };
  ctx.output("http", { type: "respond", id, status: 204, contentType: json, headers, body: "" });
}

const json = "application/json";

function refuse(
  ctx: GatewayContext,
  id: number,
  { status, error, headers = {} }: GatewayFault,
  origin: string | undefined,
): void {
  respond(ctx, id, { ...errorAnswer(status, error, true), headers }, origin);
}

function respond(
  ctx: GatewayContext,
  id: number,
  { status, body, headers: own = {} }: GatewayAnswer,
  origin: string | undefined,
): void {
  const headers = { ...own, ...originHeaders(origin) };
  ctx.output("http", { type: "respond", id, status, contentType: json, headers, body });
}

function originHeaders(origin: string | undefined): { readonly [name: string]: string } {
  return origin === undefined ? {} : { "access-control-allow-origin": origin, vary: "origin" };
}
