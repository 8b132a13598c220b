/**
 * Programs outside a grid: clients of what its agents replicate. Works on Deno and, bundled, on Node.
 *
 * @module
 */

export {
  GroupClient,
  type GroupClientOptions,
  type InvokeOptions,
  OperationError,
} from "./group_client.ts";
export { KvClient } from "./kv.ts";
export { nodeTcp } from "../transport/node_tcp.ts";
