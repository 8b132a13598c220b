// What makes an agent the same on every path of an exploration that gives it the same inputs: what it draws, and when its
// timers are due, are fixed.

import type { AgentDefinition } from "../core/define.ts";

/** An agent that draws `drawn` whenever it draws, and whose timers are written down in `armed`. */
export function tame(
  definition: AgentDefinition,
  armed: Map<string, number>,
  drawn: number,
): AgentDefinition {
  const taming = (ctx: unknown) => tameContext(Object(ctx), armed, drawn);
  const { start, on, onTimer = {}, onDevice = {} } = definition;
  return {
    ...definition,
    start: (state, ctx, why) => start?.call(definition, state, taming(ctx), why),
    on: mapValues(on, (handler) => (state, message, ctx) => handler(state, message, taming(ctx))),
    onTimer: mapValues(onTimer, (handler, name) => (state, ctx, key) => {
      armed.delete(timerId(Reflect.get(Object(ctx), "self"), name, key));
      return handler(state, taming(ctx), key);
    }),
    onDevice: mapValues(
      onDevice,
      (handler) => (state, event, ctx) => handler?.(state, event, taming(ctx)),
    ),
  };
}

function tameContext(ctx: object, armed: Map<string, number>, drawn: number): object {
  const get = (name: string | symbol): unknown => Reflect.get(ctx, name, ctx);
  const setTimer = (name: string, ms: number | readonly [number, number], key?: string) => {
    const delay = typeof ms === "number" ? ms : ms[0];
    Reflect.apply(Object(get("setTimer")), ctx, [name, delay, key]);
    const id = timerId(get("self"), name, key);
    armed.delete(id);
    armed.set(id, Number(get("now")) + delay);
  };
  const clearTimer = (name: string, key?: string) => {
    armed.delete(timerId(get("self"), name, key));
    Reflect.apply(Object(get("clearTimer")), ctx, [name, key]);
  };
  const instead = new Map<string | symbol, unknown>(
    Object.entries({ random: () => drawn, setTimer, clearTimer }),
  );
  return new Proxy(ctx, {
    get(_, name) {
      const value = instead.get(name) ?? get(name);
      // The context keeps its fields to itself, so its methods must be called on it and not on the proxy.
      return typeof value === "function" ? value.bind(ctx) : value;
    },
  });
}

function timerId(agent: unknown, name: string, key: string | undefined): string {
  return key === undefined ? `${agent} ${name}` : `${agent} ${name} ${key}`;
}

function mapValues<A, B>(
  record: Readonly<Record<string, A>>,
  change: (value: A, name: string) => B,
): Record<string, B> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, change(value, name)]),
  );
}
