// What a grid says about a replica, and what it may leave to the defaults.

import { z } from "zod";
import { type AgentId, agentId, isToken } from "../../core/id.ts";
import type { Machines } from "../machine/registry.ts";
import { replicasMax } from "./protocol.ts";

/** The id of an agent of the grid, as a number or a word. */
export const agentIdAttr = z
  .union([z.int().nonnegative(), z.string().refine(isToken)], { error: "want the id of an agent" })
  .transform((id): AgentId => agentId(String(id)));

/** The founders of a group, in the order in which they take turns as primary. */
export const replicasAttr = z.array(agentIdAttr).min(1).max(replicasMax).refine(
  (replicas) => new Set(replicas).size === replicas.length,
  "want each replica once",
);

/** The schema of a replica's attrs, for the machines there are. */
export function replicaAttrs(machines: Machines) {
  const names = [...machines.keys()];
  return z.strictObject({
    /** The founders of the group; a replica that is not among them is a spare. */
    replicas: replicasAttr,
    machine: z.enum(names, `want one of ${names.join(", ")}`),
    /**
     * Whether a founder may begin with an empty disk: true at the first start of the group and never again, since
     * later an empty disk is one that was lost.
     */
    bootstrap: z.boolean().default(false),
    /** How long a backup waits for a silent primary; up to half as much again is left to chance. */
    viewChangeMs: z.int().min(1).max(600_000).default(120),
    /** How often a primary that has nothing to say shows that it is there. */
    heartbeatMs: z.int().min(1).max(60_000).default(25),
    /** How long what was not answered takes to be sent again. */
    resendMs: z.int().min(1).max(60_000).default(40),
    batch: z.strictObject({
      /** How many operations one PREPARE carries; 1 turns batching off. */
      operations: z.int().min(1).max(10_000).default(256),
      /** How many PREPAREs may be under way before operations wait for a batch. With one, batches are largest. */
      prepares: z.int().min(1).max(1000).default(1),
    }).prefault({}),
    /** How many operations are executed between two checkpoints. */
    checkpointOperations: z.int().min(1).max(1_000_000).default(1000),
    /** How many operations before a checkpoint stay in the log, for replicas that are a little behind. */
    keepOperations: z.int().min(0).max(1_000_000).default(1000),
    /** For how long a backup promises not to replace its primary, so that reads need no PREPARE; 0 for never. */
    leaseMs: z.int().min(0).max(60_000).default(0),
    /** By how much a clock of any box may be too fast or too slow, in millionths; reads under a lease rely on it. */
    clockDriftPpm: z.int().min(0).max(500_000).default(10_000),
  });
}

/** A replica's attrs. */
export type ReplicaAttrs = z.infer<ReturnType<typeof replicaAttrs>>;
