// The acceptor: promises ballots, and accepts one lease at a time. Sections 3, 6 and 7.

import type { AgentId } from "../../core/id.ts";
import type { Answer, Lease } from "./protocol.ts";
import type { AcceptedLease } from "./state.ts";
import type { LeaseStep } from "./step.ts";

/** Section 3: an acceptor that has just started sits out one maximum lease. */
export function startAcceptor({ state, ctx, options, rules }: LeaseStep): void {
  state.acceptor.votesAt = rules.firstVoteAt(ctx.now, options.maxLeaseMs);
}

/** The lease that the acceptor holds, if it is not over. */
export function acceptedLease({ state, ctx, rules }: LeaseStep): AcceptedLease | undefined {
  const { accepted } = state.acceptor;
  return accepted === undefined || rules.isOver(accepted, ctx.now) ? undefined : accepted;
}

/** Section 3, step 2. */
export function onPrepareRequest(
  step: LeaseStep,
  from: AgentId,
  request: Lease<"prepareRequest">,
): void {
  if (!takesPart(step, from, request)) return;
  const { ballot } = request;
  const { proposer } = step.state;
  // What it does not promise here the asker has promised itself: the own next ballot is to be higher all the same.
  proposer.number = Math.max(proposer.number, ballot.number);
  step.ctx.sendTo(from, { type: "prepareResponse", ballot, answer: answerTo(step, request) });
}

function answerTo(step: LeaseStep, { ballot }: Lease<"prepareRequest">): Answer {
  const { state: { acceptor }, ctx, rules } = step;
  const accepted = acceptedLease(step);
  // The paper promises first. Without a promise, those who only ask cannot keep the owner from renewing.
  const number = acceptor.promised?.number ?? 0;
  if (accepted !== undefined && !rules.isOpen(accepted.ballot, ballot)) {
    return { kind: "held", leftMs: accepted.until - ctx.now, number };
  }
  if (!rules.mayPromise(acceptor.promised, ballot)) return { kind: "refused", number };
  acceptor.promised = rules.promisedAfter(acceptor.promised, ballot);
  if (ballot.node !== ctx.self) acceptor.rivalAt = ctx.now;
  return { kind: "open" };
}

/** Section 3, step 4. */
export function onProposeRequest(
  step: LeaseStep,
  from: AgentId,
  request: Lease<"proposeRequest">,
): void {
  if (!takesPart(step, from, request)) return;
  const { state: { acceptor }, ctx, rules } = step;
  const { ballot, leaseMs } = request;
  const before = acceptedLease(step);
  const accepted = rules.mayAccept(acceptor.promised, ballot) &&
    (before === undefined || rules.mayReplace(before.ballot, ballot));
  if (accepted) {
    acceptor.promised = rules.promisedAfter(acceptor.promised, ballot);
    acceptor.accepted = { ballot, until: rules.acceptedUntil(ctx.now, leaseMs, before) };
    if (before === undefined) ctx.note("lease.accepted", { ballot });
  }
  const number = acceptor.promised?.number ?? 0;
  ctx.sendTo(from, { type: "proposeResponse", ballot, accepted, number });
}

/** Section 7. */
export function onReleased(
  { state: { acceptor }, rules }: LeaseStep,
  from: AgentId,
  { ballot }: Lease<"released">,
): void {
  if (ballot.node !== from || acceptor.accepted === undefined) return;
  if (rules.isReleased(acceptor.accepted.ballot, ballot)) acceptor.accepted = undefined;
}

/** Whether the acceptor takes a request at all. */
function takesPart(
  { state, ctx, options }: LeaseStep,
  from: AgentId,
  { ballot, leaseMs }: Pick<Lease<"prepareRequest">, "ballot" | "leaseMs">,
): boolean {
  // Section 2: a longer lease might outlast the silence of an acceptor that has forgotten it.
  return ctx.now >= state.acceptor.votesAt && leaseMs <= options.maxLeaseMs &&
    ballot.node === from && options.nodes.includes(from);
}
