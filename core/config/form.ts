// The form of a grid file: the names and limits that the parser enforces and the JSON Schema states.

/** The keys of an agent. `type` and `box` are required, `attrs` and `routes` are empty where they are left out, `sandbox` is false. */
export const agentKeys = ["type", "box", "attrs", "routes", "sandbox"] as const;

/** The keys of a grid whose agents stand under `agents`. */
export const gridKeys = [
  "agents",
  "plugins",
  "simulation",
  "limits",
  "security",
  "$schema",
] as const;

/** What a grid file may hold at most. */
export const gridLimits = {
  /** Characters (UTF-16 units) of the whole file. */
  charactersMax: 16 * 1024 * 1024,
  /** Objects and arrays within each other. */
  depthMax: 128,
  agentsMax: 100_000,
  /** Characters of a type or of a plugin's path. */
  nameLengthMax: 1024,
  /** Problems that are reported one by one; those beyond are only counted. */
  problemsMax: 1000,
} as const;
