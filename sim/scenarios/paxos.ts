// A machine replicated by Multi-Paxos, its clients, and an administrator who changes the group while they work: what is
// asked of it is what is asked of a group under Viewstamped Replication.

import { paxosMember } from "../../agents/paxos/member.ts";
import { vrClient } from "../../agents/vr/client.ts";
import type { AgentDefinition } from "../../core/define.ts";
import { counterModel, kvModel } from "../linearizable_model.ts";
import { defineScenario, type Scenario, type Sizes } from "../scenario.ts";
import {
  administratorOf,
  Asker,
  boxOf,
  type Engine,
  groupCalmMs,
  groupExposure,
  groupGrid,
  groupSizes,
  replicasOf,
  smallCore,
} from "./group.ts";
import { PaxosWatch } from "./paxos_watch.ts";
import { vrAsker } from "./vr_agents.ts";

const sizes = {
  ...groupSizes,
  prepares: [1, 8],
  /** WINDOW. */
  window: [1, 12],
  /** How long a silent leader is waited for, in ms. */
  patience: [10, 150],
  /** Whether clients go on asking when the faults are over; else whoever is behind must catch up without that. */
  afterwards: [0, 1],
} as const;

type PaxosSizes = Sizes<keyof typeof sizes>;

const engineOf = ({ patience, window }: PaxosSizes): Engine => ({
  type: "paxos_member",
  attrs: { viewChangeMs: patience, heartbeatMs: Math.ceil(patience / 5), window },
});

const ambushes = [
  "paxos.scout",
  // Whoever has just begun has something under way that others will have to make sense of.
  ...Array(6).fill("paxos.leads"),
  "paxos.preempted",
  "paxos.behind",
  "paxos.learned",
  "paxos.checkpoint",
  "paxos.snapshot_installed",
  "paxos.reconfigured",
];

/**
 * The scenario `paxos`, with the member that it is about.
 *
 * @param member A test gives one that is broken, to see whether it is found out.
 */
export function paxosScenarioOf(member: AgentDefinition): Scenario {
  return defineScenario({
    name: "paxos",
    doc: "Multi-Paxos of a machine: linearizable, one value a slot, nothing decided is lost.",
    sizes,
    grid: (sizes) => groupGrid(sizes, true, engineOf(sizes)),
    laterGrid: (sizes) => groupGrid(sizes, false, engineOf(sizes)),
    definitions: [member, vrClient, vrAsker],
    exposure: (sizes) => groupExposure(sizes, ambushes),
    calmMs: groupCalmMs,
    safetyMs: [500, 4000],
    livenessMs: 120_000,
    play(stage) {
      const { world, sizes, count, violated } = stage;
      const { founders, all } = replicasOf(sizes);
      const boxes = new Map(all.map((agent) => [agent, boxOf(agent)]));
      const watch = new PaxosWatch(world, boxes, count, violated);
      const askers = Array.from(
        { length: sizes.clients },
        // Who asks nothing afterwards is done early, so that the last decisions are told under faults as well.
        (_, index) => {
          const safetyMs = sizes.afterwards === 1 ? stage.safetyMs : Math.ceil(stage.safetyMs / 3);
          return new Asker(`c${index + 1}`, { ...stage, safetyMs });
        },
      );
      const { typist: administrator, asked, retire } = administratorOf(stage);
      const typists = [...askers.map(({ typist }) => typist), administrator];
      let lost = 0;
      let over = false;
      let core: readonly string[] = world.grid.boxes;
      const members = () => watch.members().filter((agent) => core.includes(boxOf(agent)));
      return {
        committed: () => askers.reduce((sum, { committed }) => sum + committed, 0),
        done: () => over && typists.every(({ done }) => done),
        mayLose(box) {
          // A reconfiguration may be about to name the member as what it was.
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
          // A new group might need those that stay away for ever.
          if (boxes.length < world.grid.boxes.length) retire();
          const isIdle = askers.every(({ committed }) => committed === 0);
          if (sizes.afterwards === 0 && !isIdle) return;
          for (const asker of askers) asker.askMore();
        },
        model: sizes.machine === 0 ? kvModel : counterModel,
        converged: () => watch.agree(members()),
        conclude: () => watch.requireEqual(members()),
      };
    },
    sometimes: [
      "leader changed",
      "note.paxos.preempted",
      "note.paxos.unheard",
      "note.paxos.learned",
      "note.paxos.snapshot_installed",
      "note.paxos.truncated",
      "note.paxos.reconfigured",
      "note.paxos.replaced",
      "note.paxos.window_full",
      "note.paxos.lease_read",
      "caught up without a later decision",
      "crash.leader",
      "quorum.gone",
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

/** The built-in scenario `paxos`. */
export const paxosScenario: Scenario = paxosScenarioOf(paxosMember);
