// Data that can be looked at and not changed, whatever is tried: for those who are shown the states of agents that
// run. Types alone would not do, since a plugin may be JavaScript.

import type { DeepReadonly } from "../core/data.ts";

const wrapped = (value: unknown): value is object => typeof value === "object" && value !== null;

/** The methods of Maps and Sets that change nothing and give parts of them. */
const readers: ReadonlySet<PropertyKey> = new Set([
  ...["get", "has", "keys", "values", "entries", "forEach"],
  Symbol.iterator,
]);

/** A proxy must give the very parts of a frozen target, so that a copy stands in for it, which is as good for ever. */
function thawed(data: object): object {
  if (!Object.isFrozen(data) || data instanceof Map || data instanceof Set) return data;
  return Array.isArray(data) ? [...data] : { ...data };
}

/** Shows plain data to those who may not change it. One for each run: it remembers what it has shown. */
export class ReadOnly {
  readonly #shown = new WeakMap<object, object>();

  /** `data`, of which any change throws a TypeError. The same part gives the same object. */
  show<T>(data: T): DeepReadonly<T>;
  show(data: unknown): unknown {
    if (!wrapped(data)) return data;
    const known = this.#shown.get(data);
    if (known !== undefined) return known;
    const proxy = new Proxy(thawed(data), this.#traps());
    this.#shown.set(data, proxy);
    return proxy;
  }

  #traps(): ProxyHandler<object> {
    const refuse = (): never => {
      throw new TypeError("Cannot change the state of an agent: it is here to be looked at");
    };
    return {
      get: (target, key) => this.#get(target, key, refuse),
      set: refuse,
      defineProperty: refuse,
      deleteProperty: refuse,
      setPrototypeOf: refuse,
      preventExtensions: refuse,
    };
  }

  #get(target: object, key: PropertyKey, refuse: () => never): unknown {
    // Maps, Sets and bytes work on themselves alone, not on what stands in for them.
    const value: unknown = Reflect.get(target, key, target);
    if (target instanceof Map || target instanceof Set) {
      if (typeof value !== "function") return value;
      return readers.has(key) ? this.#reader(target, key) : refuse;
    }
    if (target instanceof Uint8Array) {
      return typeof value === "function" ? value.bind(target.slice()) : value;
    }
    return typeof value === "function" ? value : this.show(value);
  }

  #reader(target: Map<unknown, unknown> | Set<unknown>, key: PropertyKey): unknown {
    const show = (part: unknown) => this.show(part);
    if (key === "has") return (part: unknown) => target.has(part);
    if (key === "get") return (part: unknown) => target instanceof Map ? show(target.get(part)) : 0;
    if (key === "forEach") {
      return (act: (value: unknown, key: unknown) => void) =>
        target.forEach((value: unknown, key: unknown) => act(show(value), show(key)));
    }
    const isPairs = target instanceof Map ? key !== "keys" && key !== "values" : key === "entries";
    const parts = key === "keys" ? target.keys() : key === "values" ? target.values() : target;
    return function* () {
      const each = isPairs ? target.entries() : parts;
      for (const part of each) yield isPairs && Array.isArray(part) ? part.map(show) : show(part);
    };
  }
}
