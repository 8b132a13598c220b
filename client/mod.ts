/**
 * Programs outside a grid: clients of what its agents replicate. Works on Deno and, bundled, on Node.
 *
 * @module
 */

export { GobbyClient, type GobbyClientOptions } from "./gobby.ts";
export { CompactedError, RefusedError, SessionError } from "./gobby_error.ts";
export type { GobbyLock, LockOptions } from "./gobby_lock.ts";
export type {
  Aged,
  AgedEntry,
  GobbyOptions,
  PutOptions,
  RangeOptions,
  StaleOptions,
  Transaction,
  WriteOptions,
} from "./gobby_options.ts";
export type { ElectOptions, GobbyPermit } from "./gobby_recipes.ts";
export type { GobbySession, SessionState } from "./gobby_session.ts";
export type { GobbyWatch, WatchOptions } from "./gobby_watch.ts";
export {
  GroupClient,
  type GroupClientOptions,
  type GroupMembers,
  type GroupReplica,
  type InvokeOptions,
  OperationError,
  type ReconfigureOptions,
} from "./group_client.ts";
export { KvClient } from "./kv.ts";
export { nodeTcp } from "../transport/node_tcp.ts";
