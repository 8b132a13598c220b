// The built-in agents, loaded one by one: a box has few types, and each takes time and memory to load.

import type { AgentDefinition } from "../core/define.ts";

type Load = () => Promise<AgentDefinition>;

const loads: Readonly<Record<string, Load>> = {
  chat: async () => (await import("../agents/chat.ts")).chat,
  dummy: async () => (await import("../agents/dummy.ts")).dummy,
  gobby_client: async () => (await import("../agents/gobby/client.ts")).gobbyClient,
  gobby_gateway: async () => (await import("../agents/gobby/gateway.ts")).gobbyGateway,
  gobby_server: async () => (await import("../agents/gobby/server.ts")).gobbyServer,
  kvs_client: async () => (await import("../agents/kvs/client.ts")).kvsClient,
  kvs_replica: async () => (await import("../agents/kvs/replica.ts")).kvsReplica,
  kvs_tty: async () => (await import("../agents/kvs/tty.ts")).kvsTty,
  lease_node: async () => (await import("../agents/lease/node.ts")).leaseNode,
  load_player: async () => (await import("../agents/load/player.ts")).loadPlayer,
  load_sink: async () => (await import("../agents/load/sink.ts")).loadSink,
  load_source: async () => (await import("../agents/load/source.ts")).loadSource,
  paxos_client: async () => (await import("../agents/paxos_chatroom/client.ts")).paxosClient,
  paxos_controller: async () =>
    (await import("../agents/paxos_chatroom/controller.ts")).paxosController,
  paxos_member: async () => (await import("../agents/paxos/member.ts")).paxosMember,
  paxos_replica: async () => (await import("../agents/paxos_chatroom/replica.ts")).paxosReplica,
  vr_client: async () => (await import("../agents/vr/client.ts")).vrClient,
  vr_replica: async () => (await import("../agents/vr/replica.ts")).vrReplica,
  vr_tty: async () => (await import("../agents/vr/tty.ts")).vrTty,
};

/** The types of all built-in agents. */
export const builtInTypes: readonly string[] = Object.keys(loads);

/** Those of `types` that are built-in. */
export async function loadBuiltIns(types: Iterable<string>): Promise<Map<string, AgentDefinition>> {
  const named = [...new Set(types)].filter((type) => Object.hasOwn(loads, type));
  const loaded = named.map(async (type) => [type, await loads[type]?.()] as const);
  const definitions = new Map<string, AgentDefinition>();
  for (const [type, definition] of await Promise.all(loaded)) {
    if (definition !== undefined) definitions.set(type, definition);
  }
  return definitions;
}
