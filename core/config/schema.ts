// The JSON Schema of grid files, from the names and limits that the parser uses and the definitions of agents, so
// that editors complete and judge what somebody types.

import { toJsonSchema, validate } from "../schema.ts";
import type { Json } from "../data.ts";
import { idLengthMax } from "../id.ts";
import { portMax } from "../text.ts";
import { agentKeys, gridKeys, gridLimits } from "./form.ts";
import { type AgentShape, attrsJsonSchema } from "./shape.ts";
import { simulationSchema } from "./simulation.ts";

type JsonObject = { readonly [key: string]: Json };

const ref = (name: string): JsonObject => ({ $ref: `#/$defs/${name}` });
const text: JsonObject = { type: "string", minLength: 1, maxLength: gridLimits.nameLengthMax };

/**
 * The JSON Schema (draft 2020-12) of grid files, in both of their forms, with the attrs of each type in
 * `definitions`. It allows whatever the parser allows; what a schema cannot say, such as that a destination must
 * exist, is left to `parseGrid` and `checkGrid`.
 *
 * @example
 * ```ts
 * import { gridSchema } from "ovid";
 *
 * console.log(JSON.stringify(gridSchema([]), null, 2));
 * ```
 */
export function gridSchema(definitions: readonly AgentShape[]): Json {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Ovid grid",
    description: "The agents of a grid, the boxes they live in, and where each of them sends.",
    type: "object",
    if: {
      required: ["agents"],
      properties: { agents: { not: ref("agentLike") } },
    },
    then: ref("grid"),
    else: ref("agentsAlone"),
    $defs: {
      grid: objectOf(gridKeys, ["agents"], {
        agents: ref("agents"),
        plugins: {
          description: "Types of agents from elsewhere: name -> path, relative to this file.",
          type: "object",
          propertyNames: ref("name"),
          additionalProperties: text,
        },
        simulation: simulationJsonSchema(),
        limits: { description: "No limit can be set yet.", type: "object", maxProperties: 0 },
        security: { description: "Nothing can be set yet.", type: "object", maxProperties: 0 },
        $schema: text,
      }),
      agents: {
        description: "The agents by their ids.",
        type: "object",
        minProperties: 1,
        maxProperties: gridLimits.agentsMax,
        propertyNames: ref("name"),
        additionalProperties: ref("agent"),
      },
      agentsAlone: {
        description: 'GoOvid\'s form: the agents by their ids, and nothing else but "$schema".',
        type: "object",
        propertyNames: ref("name"),
        maxProperties: gridLimits.agentsMax + 1,
        properties: { $schema: { anyOf: [text, ref("agent")] } },
        additionalProperties: ref("agent"),
        anyOf: [
          { minProperties: 2 },
          { minProperties: 1, not: { required: ["$schema"], properties: { $schema: text } } },
        ],
      },
      agent: agentSchema(definitions),
      agentLike: {
        type: "object",
        anyOf: ["type", "box"].map((key) => ({
          required: [key],
          properties: { [key]: { not: { type: "object" } } },
        })),
      },
      routes: {
        description:
          "Where the agent sends: virtual destination -> the agents behind it, each with a port.",
        type: "object",
        propertyNames: ref("name"),
        additionalProperties: {
          type: "object",
          propertyNames: ref("name"),
          additionalProperties: { type: "integer", minimum: 0, maximum: portMax },
        },
      },
      name: { type: "string", minLength: 1, maxLength: idLengthMax, pattern: "^\\S+$" },
    },
  };
}

/** An object with the keys that the parser knows, and no others. */
function objectOf<K extends string>(
  keys: readonly K[],
  required: readonly K[],
  schemas: { readonly [key in K]: JsonObject },
): JsonObject {
  return {
    type: "object",
    required,
    additionalProperties: false,
    properties: Object.fromEntries(keys.map((key) => [key, schemas[key]])),
  };
}

function agentSchema(definitions: readonly AgentShape[]): JsonObject {
  return {
    ...objectOf(agentKeys, ["type", "box"], {
      type: {
        description: "A built-in type, one of plugins, or the path of a plugin.",
        // The names are for completion; any other may be that of a plugin.
        anyOf: [...definitions.map(({ type, doc }) => ({ const: type, description: doc })), text],
      },
      box: {
        description: "The address of the box it lives in: 127.0.0.1:5000 or [::1]:5000.",
        type: "string",
        pattern: "^(\\[[0-9A-Fa-f:.]+\\]|[0-9.]+):[0-9]+$",
      },
      attrs: { description: "What its type wants to know.", type: "object" },
      routes: ref("routes"),
      sandbox: {
        description:
          "Runs the code of its type, a plugin, where it can read no file, open no connection and block nobody.",
        type: "boolean",
      },
    }),
    allOf: definitions.map((definition) => ({
      if: { required: ["type"], properties: { type: { const: definition.type } } },
      then: attrsSchema(definition),
    })),
  };
}

function attrsSchema(definition: AgentShape): JsonObject {
  const { $schema: _, ...attrs } = asJson(attrsJsonSchema(definition));
  // References in it begin with "#", the schema that they stand in: it needs an identity of its own.
  const refers = JSON.stringify(attrs).includes('"$ref"');
  const embedded = refers
    ? { $id: `urn:ovid:attrs:${encodeURIComponent(definition.type)}`, ...attrs }
    : attrs;
  const needed = !allowsNothing(definition);
  return { properties: { attrs: embedded }, ...(needed ? { required: ["attrs"] } : {}) };
}

/** Whether the agent needs no attrs; a schema that cannot judge is given the benefit of the doubt. */
function allowsNothing(definition: AgentShape): boolean {
  try {
    return validate(definition.attrs, {}).ok;
  } catch {
    return true;
  }
}

function simulationJsonSchema(): JsonObject {
  const { $schema: _, ...simulation } = asJson(toJsonSchema(simulationSchema) ?? {});
  return { description: "What `ovid sim` does with this grid; boxes ignore it.", ...simulation };
}

/** What a library gave as JSON Schema, as the JSON that it is. */
function asJson(schema: Record<string, unknown>): { [key: string]: Json } {
  return JSON.parse(JSON.stringify(schema));
}
