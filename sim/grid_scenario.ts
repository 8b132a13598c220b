// The scenario that the "simulation" of a grid file describes: the grid's own agents, somebody who asks, and what
// must be true.

import type { Simulation } from "../core/config/simulation.ts";
import type { AgentDefinition } from "../core/define.ts";
import type { AgentEntry, Grid } from "../core/grid.ts";
import { type AgentId, agentId, compareBytes } from "../core/id.ts";
import { InvariantWatch, type NamedInvariant } from "./invariant.ts";
import { counterModel, kvModel, type Model } from "./linearizable_model.ts";
import { plainGrid } from "./plain_grid.ts";
import { defineScenario, type Exposure, type Play, type Scenario, type Sizes } from "./scenario.ts";
import { mailWorkload } from "./workloads/mail.ts";
import { terminalWorkload } from "./workloads/terminal.ts";
import type { Workload } from "./workloads/workload.ts";

/** A grid with what its file says under "simulation", and the modules that are named there. */
export interface GridSimulation {
  /** What the scenario is called: a token, such as the name of the file. */
  readonly name: string;
  readonly grid: Grid;
  readonly definitions: ReadonlyMap<string, AgentDefinition>;
  readonly simulation: Simulation;
  /** The module that `workload` names, if it names one. */
  readonly workload?: Workload;
  /** The module that `model` names, if it names one. */
  readonly model?: Model<unknown>;
  readonly invariants: readonly NamedInvariant[];
}

/** The scenario of a grid. */
export function gridScenario(parts: GridSimulation): Scenario {
  const { name, grid, definitions, simulation } = parts;
  const workload = workloadOf(parts);
  const model = modelOf(parts);
  const types = new Map(definitions);
  for (const definition of workload.definitions ?? []) types.set(definition.type, definition);
  return defineScenario({
    name,
    doc: simulation.doc ?? `The grid ${name}`,
    sizes: workload.sizes,
    grid: (sizes) => withAskers(grid, workload, sizes),
    definitions: types,
    spares: simulation.faults.spares,
    exposure: () => exposureOf(grid, simulation),
    sometimes: simulation.sometimes,
    play(stage) {
      const play = workload.play(stage);
      const watch = new InvariantWatch(stage.world, parts.invariants, stage.violated, grid);
      const judging = model ?? play.model;
      return { ...watched(play, watch), ...judging === undefined ? {} : { model: judging } };
    },
  });
}

function workloadOf({ simulation: { workload }, grid, workload: own }: GridSimulation): Workload {
  if (own !== undefined) return own;
  if (typeof workload === "string") throw new TypeError(`Cannot simulate: no ${workload} is given`);
  return workload.type === "terminal" ? terminalWorkload(workload, grid) : mailWorkload(workload);
}

function modelOf({ simulation, model }: GridSimulation): Model<unknown> | undefined {
  if (model !== undefined) return model;
  if (simulation.model === "kv") return kvModel;
  return simulation.model === "counter" ? counterModel : undefined;
}

/** The grid with the agents that ask, on boxes of their own. */
function withAskers(grid: Grid, { agents }: Workload, sizes: Sizes<string>): Grid {
  if (agents === undefined) return grid;
  const askers = plainGrid(agents(sizes));
  const all = new Map<AgentId, AgentEntry>(grid.agents);
  for (const [id, entry] of askers.agents) {
    if (all.has(id)) throw new RangeError(`Cannot put agent "${id}" into the grid: it has one`);
    all.set(id, entry);
  }
  return { ...grid, agents: all, boxes: [...grid.boxes, ...askers.boxes].sort(compareBytes) };
}

/** Where faults strike: only the grid's own boxes fail by themselves, those who ask live on. */
function exposureOf(grid: Grid, { faults: { victims, disks, quorum } }: Simulation): Exposure {
  const boxesOf = (
    agents: readonly string[],
  ) => [...new Set(agents.flatMap((id) => grid.agents.get(agentId(id))?.box ?? []))];
  return {
    victims: victims === undefined ? grid.boxes : boxesOf(victims),
    ...disks === undefined ? {} : { disks: { boxes: boxesOf(disks.agents), max: disks.max } },
    ...quorum === undefined ? {} : { quorum: { boxes: boxesOf(quorum.agents), size: quorum.size } },
  };
}

/** A play whose invariants are looked after: it is asked whether it is done after every event. */
function watched(play: Play, watch: InvariantWatch): Play {
  return {
    committed: () => play.committed(),
    done() {
      watch.look();
      return play.done();
    },
    waitsFor: () => play.waitsFor?.() ?? watch.waitsFor(),
    healed: (core) => play.healed?.(core),
    mayLose: (box) => play.mayLose?.(box) ?? true,
    ...play.core === undefined ? {} : { core: (random) => play.core?.(random) ?? [] },
    converged() {
      watch.look();
      return (play.converged?.() ?? true) && watch.waitsFor() === undefined;
    },
    conclude() {
      watch.end();
      play.conclude?.();
    },
  };
}
