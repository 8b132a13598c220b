// What a grid file may say under "simulation": who asks what of the grid in simulated runs, what must be true of it,
// and which faults it does not promise to survive. A real box takes no notice of it.

import { z } from "zod";
import { idLengthMax, isToken } from "../id.ts";
import { faultNames } from "./fault_kinds.ts";
import { gridLimits } from "./form.ts";

/** How much a simulation may ask for. */
export const simulationLimits = {
  /** Lines or messages to draw from. */
  choicesMax: 1000,
  clientsMax: 20,
  requestsMax: 200,
  keysMax: 100,
} as const;

/** What stands in a request for something that is drawn anew each time. */
export const drawnHoles = {
  key: "one of a few keys: key1, key2",
  value: "a value that no other request has: value7",
  amount: "a number from 1 to 9",
} as const;

/** The models that come with Ovid. */
export const modelNames = ["kv", "counter"] as const;

/** `{key}`, `{reply.total}`: a place to be filled in. Other braces are what they are. */
export const holePattern = /\{([a-z]+(?:\.[A-Za-z0-9_]+)?)\}/g;

const agent = z.string().max(idLengthMax).refine(isToken, "want the id of an agent");
const modulePath = z.string().min(1).max(gridLimits.nameLengthMax)
  // Aborting: only so does a union of this and something else tell what else is wanted.
  .regex(/\.[jt]s$/, { error: "want the path of a .ts or .js file", abort: true });
const millis = z.int().min(1).max(60_000);

function range(most: number, what: string) {
  const part = z.int().min(1).max(most);
  return z.tuple([part, part], { error: "want two numbers, the least and the most" })
    .refine(([least, most]) => least <= most, "want the least before the most")
    .describe(`${what}: least and most; a seed draws from between`);
}

const operation = z.unknown()
  .describe("The request as the model takes it; without it, the request as it is written");

function answers(what: string, result: string) {
  return z.union([
    z.array(z.string().min(1)).max(simulationLimits.choicesMax),
    z.record(z.string().min(1), z.unknown()),
  ]).describe(`${what}. As a list, the result is ${result}; as an object, what it is mapped to.`);
}

const requests = range(simulationLimits.requestsMax, "How many requests each of them makes")
  .default([1, 20]);
const keys = range(simulationLimits.keysMax, "How many keys {key} is drawn from").default([1, 3]);

const line = z.string().min(1).max(gridLimits.nameLengthMax);

const terminal = z.strictObject({
  type: z.literal("terminal"),
  agents: z.array(agent).min(1).max(simulationLimits.clientsMax)
    .describe("The agents at whose terminals somebody types"),
  lines: z.array(z.union([
    line,
    z.strictObject({
      line,
      operation: operation.optional(),
      answers: answers(
        "The lines that answer it, with {text} and {number} for what may be anything; none if none does",
        "the line that was printed",
      ).optional(),
    }),
  ])).min(1).max(simulationLimits.choicesMax)
    .describe("What is typed, drawn from these, with {key}, {value} and {amount} filled in"),
  requests,
  keys,
}).describe("Lines typed at terminals, each once the one before is answered");

const message = z.looseObject({ type: z.string().min(1) });

const mail = z.strictObject({
  type: z.literal("mail"),
  to: z.union([agent, z.array(agent).min(1).max(simulationLimits.clientsMax)])
    .describe("The agent that is asked, or several, of which each request goes to one"),
  messages: z.array(z.strictObject({
    message,
    operation: operation.optional(),
    answers: answers(
      "The types of the messages that answer it",
      "the message; in an object {reply.FIELD} is a field of it",
    ),
  })).min(1).max(simulationLimits.choicesMax)
    .describe("What is sent, drawn from these, with {key}, {value}, {amount} and {id} filled in"),
  clients: range(simulationLimits.clientsMax, "How many clients ask at once").default([1, 4]),
  requests,
  keys,
  patienceMs: millis.default(1000)
    .describe("How long a client waits before it gives a request up and makes the next"),
  retryMs: millis.optional()
    .describe("How long a client waits before it sends a request once more; without it, never"),
}).describe("Messages sent to agents by clients that are put into the grid for it");

/** What {@linkcode Simulation} is read by. */
export const simulationSchema = z.strictObject({
  doc: z.string().min(1).max(gridLimits.nameLengthMax).optional()
    .describe("What the simulation shows, a sentence"),
  workload: z.union([modulePath, z.discriminatedUnion("type", [terminal, mail])])
    .describe("Who asks what: a built-in workload, or a module with defineWorkload"),
  model: z.union([z.enum(modelNames), modulePath]).optional()
    .describe("What the answers must be explained by, one request after the other"),
  invariants: z.array(modulePath).max(simulationLimits.choicesMax).default([])
    .describe("Modules with defineInvariant: what must be true after every event"),
  faults: z.strictObject({
    spares: z.array(z.enum([...faultNames])).default([])
      .describe("Kinds of faults that it does not promise to survive"),
    victims: z.array(agent).optional()
      .describe("Agents whose boxes may crash, stand still and so on; without it, all of the grid"),
    disks: z.strictObject({ agents: z.array(agent).min(1), max: z.int().min(1) }).optional()
      .describe("Agents whose boxes may lose their disks, and how many of them in one run"),
    quorum: z.strictObject({ agents: z.array(agent).min(1), size: z.int().min(1) }).optional()
      .describe("Of these so many are healed in the end; without it, all"),
  }).default({ spares: [] }).describe("Where faults may strike"),
  sometimes: z.array(z.string().min(1)).default([])
    .describe("What many runs must reach, as the summary of a batch counts it: fault.kill"),
});

/** The "simulation" of a grid file, with what was left out filled in. */
export type Simulation = z.infer<typeof simulationSchema>;

/** Lines typed at terminals. */
export type TerminalSettings = z.infer<typeof terminal>;

/** Messages sent to agents. */
export type MailSettings = z.infer<typeof mail>;

/** The holes in a template, each as often as it is there. */
export function holesIn(template: unknown): string[] {
  if (typeof template === "string") {
    return Array.from(template.matchAll(holePattern), ([, hole = ""]) => hole);
  }
  if (typeof template !== "object" || template === null) return [];
  return Object.values(template).flatMap(holesIn);
}
