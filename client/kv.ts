// The replicated key-value machine, as a program would like to call it.

import type { Json } from "../core/data.ts";
import { kvResult } from "../agents/machine/kv.ts";
import type { GroupClient, InvokeOptions } from "./group_client.ts";

/**
 * A key-value store on a replicated group whose machine is `kv`. Every operation is linearizable.
 *
 * @example
 * ```ts ignore
 * import { GroupClient, KvClient } from "ovid/client";
 *
 * await using group = new GroupClient({ replicas: { r0: "127.0.0.1:5000" } });
 * const store = new KvClient(group);
 * await store.put("a", "1");
 * await store.get("a"); // "1"
 * await store.compareAndSwap("a", "1", "2"); // true
 * ```
 */
export class KvClient {
  readonly #group: GroupClient;

  constructor(group: GroupClient) {
    this.#group = group;
  }

  /** The value of a key; undefined if it has none. */
  async get(key: string, options?: InvokeOptions): Promise<string | undefined> {
    const result = await this.#ask({ kind: "get", key }, options);
    if (result.kind === "value") return result.value ?? undefined;
    throw strange(result.kind);
  }

  /** @throws {RangeError} if the store is full. */
  async put(key: string, value: string, options?: InvokeOptions): Promise<void> {
    const result = await this.#ask({ kind: "put", key, value }, options);
    if (result.kind === "full") throw fullError;
    if (result.kind !== "stored") throw strange(result.kind);
  }

  /** Whether the key had a value. */
  async delete(key: string, options?: InvokeOptions): Promise<boolean> {
    const result = await this.#ask({ kind: "delete", key }, options);
    if (result.kind === "deleted") return result.existed;
    throw strange(result.kind);
  }

  /** Puts `value` if the key has the value `expected`, undefined for none; whether it did. */
  async compareAndSwap(
    key: string,
    expected: string | undefined,
    value: string,
    options?: InvokeOptions,
  ): Promise<boolean> {
    const result = await this.#ask(
      { kind: "cas", key, expected: expected ?? null, value },
      options,
    );
    if (result.kind === "full") throw fullError;
    if (result.kind !== "stored" && result.kind !== "differs") throw strange(result.kind);
    return result.kind === "stored";
  }

  async #ask(operation: Json, options?: InvokeOptions) {
    return kvResult.parse(await this.#group.invoke(operation, options));
  }
}

const fullError = new RangeError("The store is full, and nothing was stored");

function strange(kind: string): TypeError {
  return new TypeError(`The group's machine answered ${JSON.stringify(kind)}, want the machine kv`);
}
