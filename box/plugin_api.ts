// What a plugin in a sandbox imports from "ovid": all that agents are made of. Scenarios, boxes and clients are for
// programs, which are not sandboxed.

import { copyData, copyJson, decodeData, encodeData } from "../core/data.ts";
import { defineAgent, isAgentDefinition } from "../core/define.ts";
import { OvidError } from "../core/error.ts";
import { agentId, compareBytes, isToken, virtualId } from "../core/id.ts";
import { deriveSeed, parseSeed, randomInteger, seededRandom, seedMax } from "../core/random.ts";
import { describeIssues, toJsonSchema, validate } from "../core/schema.ts";
import { oneLine, portMax, text } from "../core/text.ts";

/** Under this symbol a sandbox keeps the host's modules, by their names. */
export const hostModules = "ovid.modules";

/** The values of the module "ovid" in a sandbox. */
export const pluginApi: { readonly [name: string]: unknown } = {
  ...{ agentId, compareBytes, copyData, copyJson, decodeData, defineAgent, deriveSeed },
  ...{ describeIssues, encodeData, isAgentDefinition, isToken, oneLine, OvidError, parseSeed },
  ...{ portMax, randomInteger, seededRandom, seedMax, text, toJsonSchema, validate, virtualId },
};
