// How each record changes what a member keeps on disk, live and on replay alike.

import type { DeepReadonly } from "../../core/data.ts";
import { assert } from "../../core/error.ts";
import type { AnyMachine } from "../machine/machine.ts";
import { decodeApplication, execute } from "./execute.ts";
import type { PaxosRules } from "./rules.ts";
import { type Durable, logEnd, type PaxosRecord, valueAt } from "./state.ts";

/** Changes the durable state by a record. */
export function applyRecord(
  durable: Durable,
  record: DeepReadonly<PaxosRecord>,
  machine: AnyMachine,
  rules: PaxosRules,
): void {
  switch (record.kind) {
    case "start":
      durable.incarnation = record.incarnation;
      if (durable.starts++ === 0) durable.checkpoint.application.window = record.window;
      durable.accepted = rules.acceptedAtStart(durable.accepted);
      return;
    case "promise":
      durable.promise = { epoch: record.epoch, ballot: record.ballot };
      return;
    case "accept":
      // Whoever accepts in a ballot has promised it.
      durable.promise = { epoch: record.epoch, ballot: record.ballot };
      durable.accepted.set(record.slot, { ballot: record.ballot, value: record.value });
      return;
    case "decided":
      for (let slot = logEnd(durable) + 1; slot <= record.to; slot++) {
        const pvalue = durable.accepted.get(slot);
        assert(pvalue !== undefined, "what is said to be decided was accepted here");
        durable.log.push(pvalue.value);
      }
      return forget(durable);
    case "learned":
      durable.log.push(...record.values);
      return forget(durable);
    case "snapshot":
      durable.checkpoint = { slot: record.slot, application: decodeApplication(record.text) };
      durable.base = record.slot;
      durable.log = [];
      return forget(durable);
    case "checkpoint":
      return takeCheckpoint(durable, record, machine, rules);
  }
}

/**
 * Section 4.2: acceptors forget what is decided, once f + 1 replicas know the decisions. Here the acceptor's own replica
 * knows them, on the same disk: it says so instead of what it had accepted.
 */
function forget(durable: Durable): void {
  const decided = logEnd(durable);
  for (const slot of durable.accepted.keys()) {
    if (slot <= decided) durable.accepted.delete(slot);
  }
}

/** Carries out what was decided up to a slot, and drops what of the log nobody is likely to ask for. */
function takeCheckpoint(
  durable: Durable,
  { slot, keep }: Extract<PaxosRecord, { kind: "checkpoint" }>,
  machine: AnyMachine,
  rules: PaxosRules,
): void {
  const { application } = durable.checkpoint;
  for (let next = durable.checkpoint.slot + 1; next <= slot; next++) {
    const value = valueAt(durable, next);
    assert(value !== undefined, "what a checkpoint covers is in the log");
    execute(application, next, value, machine, rules);
  }
  durable.checkpoint = { slot, application };
  // Empty slots count as well, or a log of nothing else would grow for ever.
  let base = slot;
  for (let operations = 0; base > durable.base; base--) {
    operations += Math.max(1, valueAt(durable, base)?.length ?? 0);
    if (operations > keep) break;
  }
  durable.log = durable.log.slice(base - durable.base);
  durable.base = base;
}
