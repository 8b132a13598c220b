// A node that is nothing but an acceptor and a proposer of one lease: who wants it, gets it, and tells who has it.

import { z } from "zod";
import type { Context } from "../../core/agent.ts";
import { type AgentDefinition, defineAgent } from "../../core/define.ts";
import { agentIdAttr } from "../vr/attrs.ts";
import { checkLease } from "./invariants.ts";
import { acquire, advance, knownOwner, release, restMs, startLease, takeMessage } from "./lease.ts";
import { leaseMsMax, leaseNodeProtocol, nodesMax } from "./protocol.ts";
import { type LeaseRules, leaseRules } from "./rules.ts";
import { type LeaseState, newLeaseState } from "./state.ts";
import type { LeaseStep } from "./step.ts";

const duration = z.int().min(1).max(leaseMsMax);

/** What a grid says about a lease. */
export const leaseAttrs = {
  /** All nodes, this one included. Each of them should have the same attrs. */
  nodes: z.array(agentIdAttr).min(1).max(nodesMax).refine(
    (nodes) => new Set(nodes).size === nodes.length,
    "want each node once",
  ),
  /** How long a lease lasts, unless it is renewed. */
  leaseMs: duration.default(3000),
  /** The longest lease of any node: so long a node takes no part in votes after a start. */
  maxLeaseMs: duration.default(3000),
  /** How long after asking for it the owner asks for its lease again; default a third of the lease. */
  renewMs: duration.optional(),
  /** How long an attempt to get the lease may take. */
  roundMs: duration.default(200),
  /**
   * How long a node lets another have its turn when a lease has ended, and about how long it waits after an attempt that
   * another has thwarted. Longer than two round trips.
   */
  retryMs: duration.default(50),
  /** By how much the clock of any node may be too fast or too slow, in millionths. */
  clockDriftPpm: z.int().min(0).max(500_000).default(10_000),
};

const nodeAttrs = z.strictObject({
  ...leaseAttrs,
  /** Whether the node wants the lease from its start on, and not only once it is told to acquire it. */
  wants: z.boolean().default(true),
}).refine(({ leaseMs, maxLeaseMs }) => leaseMs <= maxLeaseMs, {
  error: "want no lease longer than the longest",
  path: ["leaseMs"],
});

interface NodeState {
  readonly lease: LeaseState;
}

type NodeContext = Context<
  z.infer<typeof nodeAttrs>,
  typeof leaseNodeProtocol,
  never,
  "lease",
  never,
  "terminal"
>;

const usage = "want ACQUIRE, RELEASE or OWNER";

/**
 * Makes the type of agent that owns a lease or waits for it, together with others like it.
 *
 * @param rules Default: the rules of the protocol. A test replaces one to see who notices.
 */
export function makeLeaseNode(rules: LeaseRules = leaseRules): AgentDefinition {
  /** Does `act` at a node, and whatever is due before and after it. */
  function step(state: NodeState, ctx: NodeContext, act: (step: LeaseStep) => void): void {
    const { renewMs, ...attrs } = ctx.attrs;
    const options = { ...attrs, renewMs: renewMs ?? Math.ceil(attrs.leaseMs / 3) };
    const taken: LeaseStep = { state: state.lease, ctx, options, rules };
    advance(taken);
    act(taken);
    advance(taken);
    const ms = restMs(taken);
    if (ms === undefined) ctx.clearTimer("lease");
    else ctx.setTimer("lease", ms);
  }

  function onMessage(
    state: NodeState,
    message: Parameters<typeof takeMessage>[2],
    ctx: NodeContext,
  ): void {
    step(state, ctx, (taken) => takeMessage(taken, ctx.from, message));
  }

  return defineAgent({
    type: "lease_node",
    version: 1,
    doc:
      "Owns a lease that at most one node has at any time, or waits for it: PaxosLease, without a disk.",
    attrs: nodeAttrs,
    protocol: leaseNodeProtocol,
    timers: ["lease"],
    devices: ["terminal"],
    init: (): NodeState => ({ lease: newLeaseState() }),
    start(state, ctx: NodeContext) {
      step(state, ctx, (taken) => {
        startLease(taken);
        if (ctx.attrs.wants) acquire(taken);
      });
    },
    on: {
      prepareRequest: onMessage,
      prepareResponse: onMessage,
      proposeRequest: onMessage,
      proposeResponse: onMessage,
      released: onMessage,
      acquire: (state, _message, ctx) => step(state, ctx, acquire),
      release: (state, _message, ctx) => step(state, ctx, release),
      locate(state, _message, ctx) {
        step(state, ctx, (taken) => ctx.reply({ type: "owner", ...knownOwner(taken) }));
      },
    },
    onTimer: {
      lease: (state, ctx) => step(state, ctx, () => {}),
    },
    onDevice: {
      terminal(state, event, ctx) {
        if (event.type !== "line") return;
        const print = (text: string) => ctx.output("terminal", { type: "print", text });
        const word = event.text.trim().toUpperCase();
        step(state, ctx, (taken) => {
          if (word === "ACQUIRE") acquire(taken);
          else if (word === "RELEASE") release(taken);
          else if (word === "OWNER") print(knownOwner(taken).owner ?? "nobody");
          else if (word !== "") print(usage);
        });
      },
    },
    check: ({ lease }) => checkLease(lease),
  });
}

/** The built-in `lease_node`. */
export const leaseNode = makeLeaseNode();
