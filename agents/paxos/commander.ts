// Commanders: section 2.3. The leader gives slots their values, and knows them decided once a quorum has accepted. Many
// slots are under way at once, and many commands share one.

import type { AgentId } from "../../core/id.ts";
import { partLengthMax } from "../vr/protocol.ts";
import { accept } from "./acceptor.ts";
import { announce, hearBallot } from "./leadership.ts";
import { leaseStamp, takeGrant } from "./lease.ts";
import type { Paxos, Value } from "./protocol.ts";
import type { Commander, Leader } from "./state.ts";
import { applicationOf, configurationOf, hasQuorum, isMember, newPoll, type Step } from "./step.ts";

/** Section 2.1: gives slots to what waits, as far as the window reaches. Whether anything was decided by that. */
export function propose(step: Step): boolean {
  const { state } = step;
  const { leader } = state;
  if (leader === undefined || leader.scout !== undefined) return false;
  const decided = state.decided;
  while (state.leader === leader && maySend(step, leader)) {
    const value = nextValue(step, leader);
    if (value === undefined) break;
    command(step, leader, leader.next++, value);
  }
  return state.decided > decided;
}

/** Whether the next slot lies in the window, and in the configuration. */
function maySend({ state, ctx, rules }: Step, leader: Leader): boolean {
  const { window, next } = applicationOf({ state });
  if (next !== null && leader.next >= next.start) return false;
  if (rules.isInWindow(leader.next, state.executed, window)) return true;
  if (state.queue.length > 0) ctx.note("paxos.window_full", { slot: leader.next });
  return false;
}

/** What the next slot is to be given; undefined if there is nothing. */
function nextValue(step: Step, leader: Leader): Value | undefined {
  const { state, ctx } = step;
  const slot = leader.next;
  // Section 2.2, pmax; and a hole between what was accepted is filled with nothing, or the rest could not be executed.
  if (slot <= leader.adoptedTop) return leader.adopted.get(slot) ?? [];
  if (state.queue.length > 0 && leader.commanders.size < ctx.attrs.batch.prepares) {
    if (!state.skipped.has(slot)) return takeBatch(step);
    // What waits gets the slot behind it, and could not be carried out if this one had no value at all.
    ctx.note("paxos.skipped", { slot });
    return [];
  }
  // A reconfiguration takes effect only when all slots before are decided, whether anybody asks for anything or not.
  return applicationOf(step).next !== null && state.queue.length === 0 ? [] : undefined;
}

/** While enough is under way, commands gather for one slot. */
function takeBatch({ state, ctx }: Step): Value {
  let count = 0;
  let length = 0;
  for (const queued of state.queue) {
    length += queued.length;
    if (count === ctx.attrs.batch.operations || (count > 0 && length > partLengthMax)) break;
    count++;
  }
  return state.queue.splice(0, count).map(({ entry }) => entry);
}

function command(step: Step, leader: Leader, slot: number, value: Value): void {
  const commander: Commander = { ...newPoll(step), value, chosen: false };
  leader.commanders.set(slot, commander);
  leader.adopted.delete(slot);
  for (const acceptor of commander.acceptors) askToAccept(step, leader, slot, commander, acceptor);
}

function askToAccept(
  step: Step,
  leader: Leader,
  slot: number,
  commander: Commander,
  acceptor: AgentId,
): void {
  const { ctx } = step;
  const { ballot } = leader;
  const { value } = commander;
  commander.asked.add(acceptor);
  if (acceptor === ctx.self) {
    // What is appended in this step counts: nobody hears of it before it is on disk.
    if (accept(step, { ballot, slot, value })) takeP2b(step, slot, ctx.self);
    return;
  }
  const { epoch } = configurationOf(step);
  const decided = announce(step, leader);
  ctx.sendTo(acceptor, { type: "p2a", epoch, ballot, slot, value, decided, ...leaseStamp(step) });
}

/** Asks again those that have not answered, of what a quorum has not accepted yet. */
export function resendP2a(step: Step, leader: Leader): void {
  const { ctx } = step;
  for (const [slot, commander] of leader.commanders) {
    if (commander.chosen || commander.askedAt + ctx.attrs.resendMs > ctx.now) continue;
    commander.askedAt = ctx.now;
    for (const acceptor of commander.acceptors) {
      if (!commander.answered.has(acceptor)) askToAccept(step, leader, slot, commander, acceptor);
    }
  }
}

/** An acceptor has answered a commander. */
export function onP2b(step: Step, message: Paxos<"p2b">): void {
  const { state, ctx, rules } = step;
  hearBallot(step, message.ballot);
  const { leader } = state;
  if (leader === undefined || !rules.isConsent(leader.ballot, message)) return;
  if (!isMember(step, ctx.from)) return;
  leader.heard.set(ctx.from, ctx.now);
  takeGrant(step, leader, message);
  takeP2b(step, message.slot, ctx.from);
}

function takeP2b(step: Step, slot: number, from: AgentId): void {
  const { leader } = step.state;
  const commander = leader?.commanders.get(slot);
  if (leader === undefined || commander === undefined || commander.chosen) return;
  if (!commander.acceptors.includes(from)) return;
  commander.answered.add(from);
  if (!hasQuorum(step, commander)) return;
  commander.chosen = true;
  decide(step, leader);
}

/** Section 2.1: decisions are carried out in the order of their slots, whatever order they are made in. */
function decide({ state }: Step, { commanders }: Leader): void {
  while (commanders.get(state.decided + 1)?.chosen === true) commanders.delete(++state.decided);
}
