// The definition that stands for a type of agent that runs elsewhere: it says what the type is, and can do nothing.

import type { Json } from "../core/data.ts";
import type { AgentDefinition } from "../core/define.ts";
import type { Schema } from "../core/schema.ts";
import type { SandboxShape } from "./sandbox_words.ts";

/** What stands for the code's own address in stacks that come from a sandbox. */
export const codeUrl = "sandbox:code";

type Issues = SandboxShape["judged"][number];

/** Judges the attrs of `known` as their sandbox did, `judged` in the same order, and no others. */
export function judgedSchema(
  json: SandboxShape["attrs"],
  known: readonly Json[],
  judged: SandboxShape["judged"],
): Schema<unknown> {
  const verdicts = new Map(
    known.map((attrs, index) => [JSON.stringify(attrs), judged[index] ?? []]),
  );
  const unknown = [{ message: "has not been judged by the plugin's sandbox", path: [] }];
  return schemaOf(json, (value) => verdicts.get(JSON.stringify(value)) ?? unknown);
}

function schemaOf(json: SandboxShape["attrs"], judge: (value: unknown) => Issues): Schema<unknown> {
  const validate = (value: unknown) => {
    const issues = judge(value);
    return issues.length === 0 ? { value } : { issues };
  };
  const given = json === null ? {} : { jsonSchema: { input: () => ({ ...json }) } };
  return { "~standard": { version: 1, vendor: "ovid", validate, ...given } };
}

/** What is known of a type; where only its messages are, others may ask what it accepts, and no more. */
interface Known extends Partial<Omit<SandboxShape, "attrs" | "messages">> {
  readonly type: string;
  readonly attrs?: Schema<unknown>;
  /** The types of messages that it takes. */
  readonly messages: readonly string[];
  readonly bodies?: SandboxShape["messages"];
}

/** A definition that says what a type is, and can do nothing. */
export function standIn(known: Known): AgentDefinition {
  const { type, messages, bodies = {}, version = 1, doc = "Runs elsewhere." } = known;
  const { ports = {}, routes = [], timers = [], devices = [] } = known;
  const anything = schemaOf(null, () => []);
  return {
    ...{ type, version, doc, ports, routes, timers, devices },
    attrs: known.attrs ?? anything,
    protocol: Object.fromEntries(
      Object.entries(bodies).map(([name, { body }]) => [name, schemaOf(body, () => [])]),
    ),
    init() {
      throw new Error(`Broken belief: ${type} runs in its sandbox`);
    },
    on: Object.fromEntries(messages.map((name) => [name, () => undefined])),
  };
}
