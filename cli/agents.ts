// `ovid agents`: the types of agents there are, and one of them in full, from their definitions.

import { builtIns } from "../agents/registry.ts";
import { type Schema, toJsonSchema } from "../core/schema.ts";
import { type Command, exitCodes, unknownWord, UsageError } from "./command.ts";
import { gridFlags, noPluginsFlag } from "./grid_file.ts";
import { findAgents, type KnownAgent } from "./known_agents.ts";
import { sandboxFlags } from "./sandbox.ts";

/** `ovid agents`. */
export const command: Command = {
  name: "agents",
  synopsis: "[NAME]",
  summary: "Lists the types of agents, or describes one.",
  doc:
    `Built-in types, and the plugins of --grid, of --plugins, and of the folder plugins/ here. Plugins are loaded,
which runs their code unless --no-plugins says otherwise; with --sandbox where it can do nothing.`,
  words: [...builtIns.keys()],
  operands: [0, 1],
  flags: [
    { name: "grid", value: "GRID", doc: "Lists the plugins of this grid, too" },
    { name: "json", doc: "Prints JSON, with the schemas of attrs and messages" },
    { ...noPluginsFlag, doc: "Loads no plugins, so that none of their code runs" },
    ...gridFlags.filter((flag) => flag.name === "plugins"),
    ...sandboxFlags,
  ],
  examples: [
    { line: "ovid agents", doc: "All types" },
    { line: "ovid agents kvs_replica", doc: "Attrs, ports and messages of one" },
  ],
  async run(call) {
    const { found, failed } = await findAgents(call.value("grid"), call);
    const [name] = call.operands;
    const chosen = found.filter((each) => name === undefined || each.name === name);
    const failure = failed.find((each) => each.name === name);
    if (failure !== undefined) throw new Error(failure.why);
    if (name !== undefined && chosen.length === 0) {
      throw new UsageError(unknownWord(`agent type ${name}`, name, found));
    }
    if (call.has("json")) console.log(JSON.stringify(chosen.map(asJson), undefined, 2));
    else if (name === undefined) console.log(list(found));
    else for (const each of chosen) console.log(describe(each));
    for (const { why } of failed) console.error(`ovid: ${why}`);
    return failed.length === 0 ? exitCodes.fine : exitCodes.failure;
  },
};

function list(found: readonly KnownAgent[]): string {
  const width = Math.max(...found.map(({ name }) => name.length));
  return found.map(({ name, definition, file }) =>
    `${name.padEnd(width)}  ${definition.doc}${file === undefined ? "" : `  (${file})`}`
  ).join("\n");
}

function describe({ name, definition, file }: KnownAgent): string {
  const { doc, version, ports = {}, routes = [], timers = [], devices = [], protocol, on } =
    definition;
  const lines = [
    `${name}, version ${version}${file === undefined ? ", built in" : `, from ${file}`}`,
    "",
    doc,
  ];
  const section = (title: string, rows: readonly string[]) => {
    if (rows.length > 0) lines.push("", `${title}:`, ...rows.map((row) => `  ${row}`));
  };
  section("Attrs", fieldsOf(definition.attrs));
  section("Ports", Object.entries(ports).map(([port, meaning]) => `${port}  ${meaning}`));
  section("Routes", routes);
  const message = (
    type: string,
    schema: Schema<unknown>,
  ) => [type, ...fieldsOf(schema).map((row) => `  ${row}`)];
  const entries = Object.entries(protocol);
  section(
    "Takes",
    entries.filter(([type]) => type in on).flatMap(([type, schema]) => message(type, schema)),
  );
  section(
    "Sends only",
    entries.filter(([type]) => !(type in on)).flatMap(([type, schema]) => message(type, schema)),
  );
  section("Timers", timers);
  section("Devices", devices);
  section("Durable", definition.record === undefined ? [] : fieldsOf(definition.record, "records"));
  return lines.join("\n");
}

// A row for each property of an object's schema; for any other schema a row with its type.
function fieldsOf(schema: Schema<unknown>, fallback = "nothing"): string[] {
  let json: Record<string, unknown> | undefined;
  try {
    json = toJsonSchema(schema);
  } catch {
    // A schema may validate what JSON Schema cannot say.
  }
  if (json === undefined) return ["(its validator gives no JSON Schema)"];
  const { properties, required } = json;
  if (typeof properties !== "object" || properties === null) return [typeOf(json) || fallback];
  const names = Array.isArray(required) ? required : [];
  return Object.entries(properties).map(([name, property]) => {
    const { description } = property as { description?: string };
    const optional = names.includes(name) ? "" : "?";
    return `${name}${optional}: ${typeOf(property)}${
      description === undefined ? "" : `  ${description}`
    }`;
  });
}

function typeOf(schema: Record<string, unknown>): string {
  const { type, items, anyOf, oneOf, enum: choices, const: only } = schema;
  if (only !== undefined) return JSON.stringify(only);
  if (Array.isArray(choices)) return choices.map((choice) => JSON.stringify(choice)).join(" | ");
  const union = anyOf ?? oneOf;
  if (Array.isArray(union)) return union.map((each) => typeOf(each)).join(" | ");
  if (type === "array") return `${typeOf((items ?? {}) as Record<string, unknown>)}[]`;
  return typeof type === "string" ? type : "any";
}

function asJson({ name, definition, file }: KnownAgent) {
  const schemaOf = (schema: Schema<unknown>) => {
    try {
      return toJsonSchema(schema) ?? null;
    } catch {
      return null;
    }
  };
  const { version, doc, ports = {}, routes = [], timers = [], devices = [], protocol, on, attrs } =
    definition;
  return {
    name,
    file: file ?? null,
    version,
    doc,
    attrs: schemaOf(attrs),
    ports,
    routes,
    timers,
    devices,
    messages: Object.fromEntries(
      Object.entries(protocol).map((
        [type, schema],
      ) => [type, { taken: type in on, body: schemaOf(schema) }]),
    ),
  };
}
