// A machine replicated by Viewstamped Replication, its clients, and an administrator who changes the group while they
// work. Of every two replicas at least one quorum keeps its disks; everything else may go wrong.

import { counter } from "../../agents/machine/counter.ts";
import { kv } from "../../agents/machine/kv.ts";
import { vrClient } from "../../agents/vr/client.ts";
import { vrReplica } from "../../agents/vr/replica.ts";
import type { AgentDefinition } from "../../core/define.ts";
import { modelOf } from "../linearizable_model.ts";
import { defineScenario, type Scenario } from "../scenario.ts";
import {
  administratorOf,
  Asker,
  boxOf,
  groupCalmMs,
  groupExposure,
  groupGrid,
  groupSizes,
  replicasOf,
  smallCore,
} from "./group.ts";
import { vrAsker } from "./vr_agents.ts";
import { VrWatch } from "./vr_watch.ts";

const engine = { type: "vr_replica" };

const ambushes = [
  "vr.view_change.started",
  "vr.view_change.completed",
  "vr.recovery.started",
  "vr.state_transferred",
  "vr.checkpoint",
  "vr.checkpoint_installed",
  "vr.reconfigured",
  "vr.epoch_learned",
];

/**
 * The scenario `vr`, with the replica that it is about.
 *
 * @param replica A test gives one that is broken, to see whether it is found out.
 */
export function vrScenarioOf(
  replica: AgentDefinition,
  client: AgentDefinition = vrClient,
): Scenario {
  return defineScenario({
    name: "vr",
    doc:
      "Viewstamped Replication of a machine: linearizable, nothing committed is lost, all agree.",
    sizes: groupSizes,
    grid: (sizes) => groupGrid(sizes, true, engine),
    laterGrid: (sizes) => groupGrid(sizes, false, engine),
    definitions: [replica, client, vrAsker],
    exposure: (sizes) => groupExposure(sizes, ambushes),
    calmMs: groupCalmMs,
    safetyMs: [500, 4000],
    livenessMs: 120_000,
    play(stage) {
      const { world, sizes, count, violated } = stage;
      const { founders, all } = replicasOf(sizes);
      const boxes = new Map(all.map((agent) => [agent, boxOf(agent)]));
      const watch = new VrWatch(world, boxes, count, violated);
      const askers = Array.from(
        { length: sizes.clients },
        (_, index) => new Asker(`c${index + 1}`, stage),
      );
      const { typist: administrator, asked, retire } = administratorOf(stage);
      const typists = [...askers.map(({ typist }) => typist), administrator];
      const machine = sizes.machine === 0 ? kv : counter;
      let lost = 0;
      let over = false;
      let core: readonly string[] = world.grid.boxes;
      const members = () => watch.members().filter((agent) => core.includes(boxOf(agent)));
      return {
        committed: () => askers.reduce((sum, { committed }) => sum + committed, 0),
        done: () => over && typists.every(({ done }) => done),
        mayLose(box) {
          // A reconfiguration may be about to name the replica as what it was.
          if (administrator.waits || !watch.mayLose(box.slice("box_".length))) return false;
          lost++;
          return true;
        },
        // In a group that has changed, the founders are not who is needed, and who is down cannot be asked who is.
        core: (random) =>
          asked() > 0 || lost > 0
            ? world.grid.boxes
            : smallCore(random, founders, world.grid.boxes),
        healed(boxes) {
          over = true;
          core = boxes;
          for (const asker of askers) asker.askMore();
          // A new group might need those that stay away for ever.
          if (boxes.length < world.grid.boxes.length) retire();
        },
        model: modelOf(machine),
        converged: () => watch.agree(members()),
        conclude() {
          watch.look();
          watch.requireEqual(members());
          if (watch.requireOnce(members(), machine)) count("executions judged");
        },
      };
    },
    sometimes: [
      "note.vr.view_change.completed",
      "note.vr.recovery.completed",
      "note.vr.state_transferred",
      "note.vr.checkpoint_installed",
      "note.vr.truncated",
      "note.vr.reconfigured",
      "note.vr.replaced",
      "note.vr.lease_read",
      "crash.primary",
      { mark: "crash.elected primary in a view change", share: 1 / 16 },
      "quorum.gone",
      "executions judged",
      "calls of unknown outcome",
      "fault.lostDisk",
      "fault.fullDisk",
      "fault.tornTail",
      "fault.unsyncedBytes",
      "fault.ambush",
      "fault.partition",
      "fault.oneWay",
      "fault.pause",
      "fault.jump",
    ],
  });
}

/** The built-in scenario `vr`. */
export const vrScenario: Scenario = vrScenarioOf(vrReplica);
