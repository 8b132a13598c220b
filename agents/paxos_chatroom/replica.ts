// GoOvid's paxos_replica: a member of a group under Multi-Paxos that replicates the commands of its clients. Members talk
// as in agents/paxos; clients and the controller talk text.
//
// Each replica keeps what clients have asked until it is carried out, as the replicas of "Paxos Made Moderately Complex"
// do in section 2.1, so that whoever comes to lead proposes it without being asked again.

import { z } from "zod";
import type { Context, Done, Received } from "../../core/agent.ts";
import type { Json } from "../../core/data.ts";
import { defineAgent } from "../../core/define.ts";
import { assert } from "../../core/error.ts";
import { virtualId } from "../../core/id.ts";
import { text } from "../../core/text.ts";
import { virtualIdAttr } from "../ids.ts";
import type { Machines } from "../machine/registry.ts";
import { pathAttr } from "../paths.ts";
import { paxosAttrs } from "../paxos/attrs.ts";
import { checkMember } from "../paxos/invariants.ts";
import { paxosProtocol } from "../paxos/protocol.ts";
import { enqueue } from "../paxos/requests.ts";
import { makeRoles, settle } from "../paxos/roles.ts";
import type { PaxosRules } from "../paxos/rules.ts";
import { newVolatile, type PaxosRecord, type PaxosState, recordSchema } from "../paxos/state.ts";
import { applicationOf, isLeading, type PaxosTimer, type Step } from "../paxos/step.ts";
import { splitWord } from "../words.ts";
import { type CommandLog, commandLog } from "./command_log.ts";
import { chatroomRules, clientsMax } from "./rules.ts";
import { type Command, committedText, dumpLine, parseCommand, parseCount } from "./texts.ts";

/** How many slots a replica may be told to leave empty. */
export const skippedMax = 1000;

const machines: Machines = new Map([[commandLog.name, commandLog]]);
const memberAttrs = paxosAttrs(machines).shape;

const attrsSchema = z.strictObject({
  /** Its id, which is that of the agent. */
  myid: virtualIdAttr,
  replicas: memberAttrs.replicas,
  clients: z.array(virtualIdAttr).max(clientsMax),
  /** The file that a dump is written to, below the data folder of the box. */
  output: pathAttr,
  /** Slots that get no command from this replica. */
  skip: z.array(z.int().positive()).max(skippedMax).default([]),
  /** Whether it may begin with an empty disk. GoOvid's replicas have none, so their grids cannot say. */
  bootstrap: z.boolean().default(true),
  viewChangeMs: memberAttrs.viewChangeMs,
  heartbeatMs: memberAttrs.heartbeatMs,
  resendMs: memberAttrs.resendMs,
  checkpointOperations: memberAttrs.checkpointOperations,
  keepOperations: memberAttrs.keepOperations,
}).transform((attrs) => ({
  ...attrs,
  machine: commandLog.name,
  // One command a slot, as in the paper, so that a slot can be skipped, and many slots at once.
  batch: { operations: 1, prepares: 100 },
  window: 100,
  leaseMs: 0,
  clockDriftPpm: 0,
}));

const protocol = { ...paxosProtocol, text };

interface Chatroom {
  /** The latest command of each client that is not carried out yet, as far as this replica knows. */
  readonly asked: Map<string, Command>;
  /** How many commands of the log this replica has looked at, to see whether to tell their clients. */
  told: number;
}

type Replica = PaxosState & Chatroom;

type ReplicaContext = Context<
  z.infer<typeof attrsSchema>,
  typeof protocol,
  never,
  PaxosTimer,
  PaxosRecord,
  "file"
>;

/**
 * Makes the type `paxos_replica`.
 *
 * @param rules A test replaces one to see who notices.
 */
export function makePaxosReplica(rules: PaxosRules = chatroomRules) {
  const { stepOf, onMember, ...roles } = makeRoles(rules, machines);

  /** A handler of a member, after which clients are told, and what they have asked is proposed. */
  function thenServe<M>(handle: (state: PaxosState, message: M, ctx: ReplicaContext) => Done) {
    return (state: Replica, message: M, ctx: ReplicaContext): Done => {
      handle(state, message, ctx);
      serve(stepOf(state, ctx), state, ctx);
    };
  }

  return defineAgent({
    type: "paxos_replica",
    version: 1,
    doc:
      "GoOvid's replica: puts the commands of paxos_clients into one order by Multi-Paxos, and dumps them to a file.",
    attrs: attrsSchema,
    protocol,
    ports: {
      1: "of GoOvid's replicas; these here send each other typed messages",
      2: "CLIENT REQ M, from a client; committed CLIENT REQ goes to destination CLIENT",
      9: "dump or skip SLOT, from the controller",
    },
    timers: ["heartbeat", "patience", "resend"],
    devices: ["file"],
    record: recordSchema,
    durable: roles.durable,
    apply: roles.apply,
    init: () => ({ ...newVolatile(), asked: new Map<string, Command>(), told: 0 }),
    start(state, ctx) {
      const fault = findGridFault(ctx);
      if (fault !== undefined) ctx.fail(fault);
      for (const slot of ctx.attrs.skip) state.skipped.add(slot);
      roles.start(state, ctx);
      // Whoever waits for what the disk has will ask again.
      state.told = logOf(stepOf(state, ctx)).commands.length;
    },
    on: {
      p1a: thenServe(onMember.p1a),
      p1b: thenServe(onMember.p1b),
      p2a: thenServe(onMember.p2a),
      p2b: thenServe(onMember.p2b),
      ping: thenServe(onMember.ping),
      pong: thenServe(onMember.pong),
      learn: thenServe(onMember.learn),
      decisions: thenServe(onMember.decisions),
      handOver: thenServe(onMember.handOver),
      takenOver: thenServe(onMember.takenOver),
      text(state, message, ctx) {
        const step = stepOf(state, ctx);
        if (message.port === 2) takeCommand(step, state, message, ctx);
        else if (message.port === 9) takeOrder(step, message, ctx);
        else ctx.note("paxos.port", { from: ctx.from, port: message.port });
        serve(step, state, ctx);
      },
    },
    onTimer: {
      heartbeat: afterTimer(roles.onTimer.heartbeat),
      patience: afterTimer(roles.onTimer.patience),
      resend: afterTimer(roles.onTimer.resend),
    },
    onDevice: {
      file(_state, { path, reason }, ctx) {
        ctx.note("paxos.dump_failed", { path, reason });
      },
    },
    check(state) {
      checkMember(state);
      assert(state.asked.size <= clientsMax, "a client awaits one answer at a time");
      assert(state.skipped.size <= skippedMax, "not too many slots are skipped");
    },
  });

  function afterTimer(handle: (state: PaxosState, ctx: ReplicaContext) => Done) {
    const serveAfter = thenServe<undefined>((state, _message, ctx) => handle(state, ctx));
    return (state: Replica, ctx: ReplicaContext): Done => serveAfter(state, undefined, ctx);
  }
}

/** The built-in `paxos_replica`. */
export const paxosReplica = makePaxosReplica();

/** Why the grid is none of a paxos_chatroom: who is a member is agreed on by agents, which have one id everywhere. */
function findGridFault(ctx: ReplicaContext): string | undefined {
  const { myid, replicas } = ctx.attrs;
  if (String(myid) !== String(ctx.self)) return `attrs.myid is ${myid}, want ${ctx.self}`;
  for (const replica of replicas) {
    const [target = replica, ...more] = ctx.targets(virtualId(replica));
    if (target === replica && more.length === 0) continue;
    return `the route ${replica} leads to ${[target, ...more].join(", ")}, want ${replica} itself`;
  }
}

/** The log as this replica has carried it out. */
function logOf(step: Step): CommandLog {
  return applicationOf(step).state as unknown as CommandLog;
}

/** A client asks for something. */
function takeCommand(
  step: Step,
  state: Replica,
  { text }: Received<typeof protocol, "text">,
  ctx: ReplicaContext,
): void {
  const command = parseCommand(text);
  const client = ctx.attrs.clients.find((each) => each === command?.client);
  if (command === undefined || client === undefined) {
    return ctx.note("paxos.malformed", { from: ctx.from, text: text.slice(0, 80) });
  }
  const { sessions } = applicationOf(step);
  const verdict = step.rules.judge(sessions, { ...command, session: 0 });
  if (verdict.kind === "repeated" && isKept(verdict.result)) {
    ctx.send(client, { type: "text", text: committedText(command) });
  } else if (verdict.kind === "fresh") {
    const before = state.asked.get(command.client);
    // What was on its way for long does not replace what came after it.
    if (before === undefined || before.request < command.request) {
      state.asked.set(command.client, command);
    }
  }
}

/** Whether what came of a command is that it is in the log. */
function isKept(outcome: Json): boolean {
  const { result } = Object(outcome);
  return Object(result).kind === "kept";
}

/** The controller wants something. */
function takeOrder(
  step: Step,
  { text }: Received<typeof protocol, "text">,
  ctx: ReplicaContext,
): void {
  const [order, rest] = splitWord(text);
  const slot = parseCount(rest);
  const { skipped, decided } = step.state;
  if (text === "dump") {
    const { commands } = logOf(step);
    ctx.output("file", { type: "write", path: ctx.attrs.output, lines: commands.map(dumpLine) });
    ctx.note("paxos.dumped", { commands: commands.length });
  } else if (order === "skip" && slot !== undefined && slot > decided) {
    if (skipped.size < skippedMax) skipped.add(slot);
  } else ctx.note("paxos.malformed", { from: ctx.from, text: text.slice(0, 80) });
}

/** Tells clients what was carried out, and gives what they have asked to the leader, if this replica is it. */
function serve(step: Step, state: Replica, ctx: ReplicaContext): void {
  tell(step, state, ctx);
  if (!propose(step, state)) return;
  settle(step);
  tell(step, state, ctx);
}

/** Only the leader tells a client, since the others would all say the same; a client that hears nothing asks them all. */
function tell(step: Step, state: Replica, ctx: ReplicaContext): void {
  const { commands } = logOf(step);
  for (; state.told < commands.length; state.told++) {
    const command = commands[state.told];
    if (command === undefined) break;
    const asked = state.asked.get(command.client);
    if (asked !== undefined && asked.request <= command.request) state.asked.delete(command.client);
    if (!isLeading(step)) continue;
    ctx.send(virtualId(command.client), { type: "text", text: committedText(command) });
  }
  for (const slot of state.skipped) if (slot <= state.decided) state.skipped.delete(slot);
}

/** Whether anything waits for a slot now that did not before. */
function propose(step: Step, { asked }: Replica): boolean {
  if (!isLeading(step)) return false;
  const { pending } = step.state;
  const { sessions } = applicationOf(step);
  let proposed = false;
  for (const [client, command] of asked) {
    const { request, message } = command;
    if (step.rules.judge(sessions, { client, session: 0, request }).kind !== "fresh") {
      // It is carried out already, or the log is full.
      asked.delete(client);
      continue;
    }
    if (pending.has(client)) continue;
    const operation = { client, request, message };
    const entry = { client, session: 0, request, command: { kind: "apply", operation } } as const;
    enqueue(step, entry, JSON.stringify(entry.command).length);
    proposed = true;
  }
  return proposed;
}
