/**
 * Ovid: agents that exchange messages, in boxes that may crash, as one grid.
 *
 * Define an agent with {@linkcode defineAgent}, put it to the test with {@linkcode rig}, put a whole grid of agents
 * under every fault there is with {@linkcode World}, read grid files with {@linkcode parseGrid}. The same agents run
 * in real boxes, without a change.
 *
 * @example An agent and its test.
 * ```ts
 * import { defineAgent, rig } from "ovid";
 * import { z } from "zod";
 *
 * const counter = defineAgent({
 *   type: "counter",
 *   version: 1,
 *   doc: "Counts, and never forgets.",
 *   attrs: z.object({}),
 *   protocol: { add: z.object({ amount: z.int() }), total: z.object({ value: z.int() }) },
 *   record: z.object({ amount: z.int() }),
 *   durable: () => ({ value: 0 }),
 *   apply(durable, { amount }) {
 *     durable.value += amount;
 *   },
 *   init: () => ({}),
 *   on: {
 *     add(state, { amount }, ctx) {
 *       ctx.append({ amount });
 *       ctx.reply({ type: "total", value: state.durable.value });
 *     },
 *   },
 * });
 *
 * const agent = rig(counter, { peers: ["alice"] });
 * agent.deliver("alice", { type: "add", amount: 2 });
 * agent.restart();
 * agent.deliver("alice", { type: "add", amount: 3 });
 * console.log(agent.sent.map(({ message }) => message.value)); // [ 2, 5 ]
 * ```
 *
 * @module
 */

// Agents.
export type {
  Agent,
  AnyMessage,
  Context,
  DirectMessage,
  Done,
  Message,
  Protocol,
  Received,
  StartReason,
  State,
  Text,
} from "./core/agent.ts";
export { type AgentDefinition, defineAgent, isAgentDefinition } from "./core/define.ts";
export type {
  DeviceEvent,
  DeviceEvents,
  DeviceName,
  DeviceOutput,
  DeviceOutputs,
  HttpAnswer,
  HttpEvent,
  HttpOutput,
  HttpRequest,
  Print,
} from "./core/devices.ts";
export { oneLine, portMax, text } from "./core/text.ts";
export { builtIns } from "./agents/registry.ts";

// Data, ids and seeds.
export {
  copyData,
  copyJson,
  type Data,
  decodeData,
  type DeepReadonly,
  encodeData,
  type Json,
} from "./core/data.ts";
export {
  type AgentId,
  agentId,
  type BoxId,
  compareBytes,
  isToken,
  type VirtualId,
  virtualId,
} from "./core/id.ts";
export {
  deriveSeed,
  parseSeed,
  type Random,
  randomInteger,
  seededRandom,
  seedMax,
} from "./core/random.ts";
export {
  describeIssues,
  type Infer,
  type Schema,
  type SchemaIssue,
  toJsonSchema,
  validate,
  type Validation,
} from "./core/schema.ts";
export { OvidError } from "./core/error.ts";

// Grids and their files.
export { type AgentEntry, agentsOf, type Grid, type Target } from "./core/grid.ts";
export { isLoopback, parseBox } from "./core/config/address.ts";
export { checkGrid, type CheckOptions } from "./core/config/check.ts";
export { type Draft, type DraftEntry, gridOf } from "./core/config/draft.ts";
export { type ParsedGrid, parseGrid, type ParseOptions } from "./core/config/parse.ts";
export {
  describeProblem,
  noSource,
  type Place,
  type Problem,
  type Source,
} from "./core/config/problem.ts";
export { gridSchema } from "./core/config/schema.ts";
export type { AgentShape, LookUp } from "./core/config/shape.ts";
export { summariseGrid } from "./core/config/summary.ts";
export { type PlainAgent, plainGrid, type PlainRoutes } from "./sim/plain_grid.ts";

// Boxes inside a program, what they keep, and how they are linked.
export { Box } from "./box/box.ts";
export type { BoxEnd, BoxLog, BoxOptions, Guest } from "./box/box_options.ts";
export { TextWriter } from "./box/devices.ts";
export {
  type Journal,
  type JournalOptions,
  type OpenedJournal,
  openJournal,
} from "./box/journal.ts";
export { definitionsOf, type Loaded, type LoaderOptions, loadTypes } from "./box/loader.ts";
export { memoryJournal, MemoryStore } from "./box/memory_journal.ts";
export { MemoryNetwork, type MemoryNetworkOptions } from "./transport/memory.ts";
export { tcp } from "./transport/tcp.ts";
export type { Connection, Listener, Transport } from "./transport/transport.ts";

// The host of a box's agents, for drivers other than the ones that come with Ovid.
export { Host } from "./core/host.ts";
export type { HostOptions } from "./core/host_options.ts";
export type { HostCounters } from "./core/desk.ts";
export type {
  Append,
  Batch,
  DurableImage,
  Envelope,
  Fault,
  Input,
  Note,
  Outgoing,
  Output,
} from "./core/envelope.ts";
export { type Answer, Membership, type Upkeep } from "./core/membership.ts";

// One agent in a test, and a whole grid in a simulated world.
export {
  type Effects,
  type Rig,
  rig,
  type RigOptions,
  type Sent,
  type Written,
} from "./sim/rig.ts";
export { World } from "./sim/world.ts";
export { type HttpWorld, SimulatedExchange, SimulatedHttp } from "./sim/http.ts";
export type { Failure, RunUntilOptions, WorldOptions } from "./sim/world_options.ts";
export type { Delay } from "./sim/chance.ts";
export type { DiskCounters, DiskOptions } from "./sim/disk.ts";
export type { NetworkCounters, NetworkOptions } from "./sim/network.ts";
export type { Observer, Transcript } from "./sim/transcript.ts";
export {
  type BoxEvent,
  formatEvent,
  type LinkEvent,
  type Mail,
  type WorldEvent,
} from "./sim/world_event.ts";

// Golden transcripts: stories of a protocol as text, told again in a simulated world.
export { retell, type RetellOptions, type Teller } from "./sim/golden.ts";
export { type Story, storyOf } from "./sim/story.ts";
export { type Cast, type CastOptions, defineCast, type Typed } from "./sim/cast.ts";
export { kvsCast } from "./sim/casts/kvs.ts";
export { vrCast } from "./sim/casts/vr.ts";

// Scenarios for `ovid sim`, and what judges the histories of their clients.
export {
  defineScenario,
  type Exposure,
  type Play,
  type Scenario,
  type Seldom,
  type Sizes,
  type Stage,
} from "./sim/scenario.ts";
export {
  type AgentView,
  defineInvariant,
  type Invariant,
  type NamedInvariant,
  type View,
} from "./sim/invariant.ts";
export { defineWorkload, type Workload } from "./sim/workloads/workload.ts";
export { gridScenario, type GridSimulation } from "./sim/grid_scenario.ts";
export { type CheckedSimulation, checkSimulation } from "./core/config/check_simulation.ts";
export type { MailSettings, Simulation, TerminalSettings } from "./core/config/simulation.ts";
export type { FaultKind } from "./core/config/fault_kinds.ts";
export type { Climate } from "./sim/swarm.ts";
export type { Count, Quorum } from "./sim/injector.ts";
export { type Call, History, historyLines, parseHistory } from "./sim/history.ts";
export {
  type CheckLimits,
  checkLinearizable,
  type Verdict,
  verdictLines,
} from "./sim/linearizable.ts";
export {
  counterModel,
  kvModel,
  machineModel,
  type Model,
  type Passage,
} from "./sim/linearizable_model.ts";

// What can be replicated, and what replicates it.
export { type AnyMachine, defineMachine, type Machine } from "./agents/machine/machine.ts";
export { builtInMachines, type Machines } from "./agents/machine/registry.ts";
export { makePaxosMember, type PaxosMemberOptions } from "./agents/paxos/member.ts";
export { makeVrReplica, type VrReplicaOptions } from "./agents/vr/replica.ts";
export { type VrRules, vrRules } from "./agents/vr/rules.ts";
