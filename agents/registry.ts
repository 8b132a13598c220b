// The agents that come with Ovid. A plugin needs no entry here: a grid finds it by its path or its folder.

import type { AgentDefinition } from "../core/define.ts";
import { chat } from "./chat.ts";
import { dummy } from "./dummy.ts";
import { gobbyClient } from "./gobby/client.ts";
import { gobbyGateway } from "./gobby/gateway.ts";
import { gobbyServer } from "./gobby/server.ts";
import { kvsClient } from "./kvs/client.ts";
import { kvsReplica } from "./kvs/replica.ts";
import { kvsTty } from "./kvs/tty.ts";
import { leaseNode } from "./lease/node.ts";
import { loadPlayer } from "./load/player.ts";
import { loadSink } from "./load/sink.ts";
import { loadSource } from "./load/source.ts";
import { paxosMember } from "./paxos/member.ts";
import { paxosClient } from "./paxos_chatroom/client.ts";
import { paxosController } from "./paxos_chatroom/controller.ts";
import { paxosReplica } from "./paxos_chatroom/replica.ts";
import { vrClient } from "./vr/client.ts";
import { vrReplica } from "./vr/replica.ts";
import { vrTty } from "./vr/tty.ts";

/** The built-in agents by the names that grids give them. */
export const builtIns: ReadonlyMap<string, AgentDefinition> = new Map(
  [
    ...[chat, dummy, gobbyClient, gobbyGateway, gobbyServer, kvsClient, kvsReplica, kvsTty],
    leaseNode,
    ...[loadPlayer, loadSink, loadSource],
    ...[paxosClient, paxosController, paxosMember, paxosReplica],
    ...[vrClient, vrReplica, vrTty],
  ].map((definition) => [definition.type, definition]),
);
