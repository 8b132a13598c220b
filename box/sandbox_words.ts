// What a box and a sandbox say to each other: a line of JSON each, one answer to every request. Whatever a sandbox
// says may come from the stranger's code itself, so all of it is judged before it is used.

import { z } from "zod";
import { type Json, parseJson } from "../core/data.ts";
import type { DeviceName } from "../core/devices.ts";
import type { DurableImage, Input } from "../core/envelope.ts";
import type { AgentId, BoxId } from "../core/id.ts";
import { oneLine, portMax } from "../core/text.ts";

/** The longest answer of a sandbox, in bytes: all that its agent asks for in one step. */
export const answerBytesMax = 16 * 1024 * 1024;

/** How long the words of a stranger may be where they are shown. */
export const wordsLengthMax = 4000;

/** A kind of agent that other agents send to: the types of messages it takes, all if nobody knows. */
export interface Neighbour {
  readonly id: AgentId;
  readonly type: string;
  readonly box: BoxId;
}

/** Loads a plugin to tell what it is, and judges attrs by it. */
export interface DescribeRequest {
  readonly do: "describe";
  readonly code: string;
  readonly attrs: readonly Json[];
}

/** Loads a plugin and starts an agent of it. */
export interface StartRequest {
  readonly do: "start";
  readonly code: string;
  readonly agent: {
    readonly id: AgentId;
    readonly attrs: { readonly [name: string]: Json };
    readonly routes: readonly [
      string,
      readonly { readonly agent: AgentId; readonly port: number }[],
    ][];
  };
  readonly box: BoxId;
  /** All other agents of the grid. */
  readonly others: readonly Neighbour[];
  /** The types of messages that each of their types takes. */
  readonly takes: { readonly [type: string]: readonly string[] };
  /** An unsigned 64-bit number, as text. */
  readonly seed: string;
  readonly loss: number;
  readonly image: DurableImage | undefined;
  readonly now: number;
  /** The boxes that take only text. */
  readonly untyped: readonly BoxId[];
}

/** Lets time pass, and hands over inputs. */
export interface StepRequest {
  readonly do: "step";
  readonly now: number;
  readonly inputs: readonly Input[];
  readonly untyped: readonly BoxId[];
}

export type SandboxRequest =
  | DescribeRequest
  | StartRequest
  | StepRequest
  /** Asks for the durable state. */
  | { readonly do: "snapshot" };

const words = z.string().transform((text) => text.slice(0, wordsLengthMax));
const name = z.string().max(256);
const json = z.custom<Json>();
const schema = z.record(z.string(), json).nullable();

const issue = z.object({
  message: words,
  path: z.array(z.union([z.string(), z.number()])).max(100),
});

/** What a plugin is, as far as others need to know. */
export const shapeSchema = z.object({
  type: name,
  version: z.int().min(1),
  doc: words,
  attrs: schema,
  messages: z.record(name, z.object({ taken: z.boolean(), body: schema })),
  ports: z.record(z.string().regex(/^\d{1,5}$/), words),
  routes: z.array(name).max(10_000),
  timers: z.array(name).max(10_000),
  devices: z.array(z.enum(["terminal", "console", "file"])),
  /** What is wrong with each of the attrs that were sent, in their order. */
  judged: z.array(z.array(issue).max(1000)),
});

/** See {@linkcode shapeSchema}. */
export type SandboxShape = z.infer<typeof shapeSchema>;

const print = z.object({ type: z.literal("print"), text: z.string() });
const path = z.string().max(1000);
const output = z.discriminatedUnion("device", [
  z.object({
    device: z.literal("terminal"),
    output: z.union([print, z.object({ type: z.literal("prompt"), text: z.string() })]),
  }),
  z.object({ device: z.literal("console"), output: print }),
  z.object({
    device: z.literal("file"),
    output: z.union([
      z.object({
        type: z.literal("append"),
        path,
        text: z.string(),
        stamp: z.boolean().default(false),
      }),
      z.object({ type: z.literal("write"), path, lines: z.array(z.string()) }),
    ]),
  }),
]);

/** An output of an agent in a sandbox. */
export type SandboxOutput = z.infer<typeof output>;

const text = z.object({
  type: z.literal("text"),
  port: z.int().min(0).max(portMax),
  text: z.string().transform(oneLine),
});
const message = z.looseObject({ type: name }).pipe(
  z.custom<{ type: string; [field: string]: Json }>(),
);
const sent = z.union([text, message.refine((each) => each.type !== "text")]);

const batch = z.object({
  /** Records, as JSON. */
  appends: z.array(z.string().regex(/^[^\r\n]*$/).refine(isJson)),
  sends: z.array(z.object({ to: name, message: sent })),
  outputs: z.array(output),
  notes: z.array(
    z.object({ event: z.string().max(200).transform(oneLine), detail: json.optional() }),
  ),
  /** What it wrote to its console, which is the box's log. */
  said: z.array(words).max(100),
  /** How many of the inputs it took. */
  taken: z.int().min(0),
  fault: z.object({ words, final: z.boolean() }).optional(),
  ended: z.boolean(),
  wakeAt: z.number().optional(),
  busy: z.boolean(),
});

/** All that an agent in a sandbox wants done. */
export type SandboxBatch = z.infer<typeof batch>;

const snapshot = z.object({
  version: z.int().min(1),
  durable: z.string().regex(/^[^\r\n]*$/),
}).nullable();

const answer = z.union([
  z.strictObject({ shape: shapeSchema }),
  z.strictObject({ batch }),
  z.strictObject({ snapshot }),
  /** The plugin cannot be used, or the agent cannot be started. */
  z.strictObject({ failed: words }),
  /** The process ends, for something that its code did. */
  z.strictObject({ dead: words }),
]);

export type SandboxAnswer = z.infer<typeof answer>;

/** What a sandbox answered; undefined if it is not an answer. */
export function parseAnswer(line: string): SandboxAnswer | undefined {
  try {
    const read = answer.safeParse(parseJson(line));
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}

/** The devices that an agent in a sandbox may have: the others open sockets and run processes. */
export const sandboxDevices: ReadonlySet<DeviceName> = new Set(["terminal", "console", "file"]);

function isJson(text: string): boolean {
  try {
    parseJson(text);
    return true;
  } catch {
    return false;
  }
}
