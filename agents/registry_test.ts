import { assert, assertEquals } from "@std/assert";
import { isAgentDefinition } from "../core/define.ts";
import { toJsonSchema } from "../core/schema.ts";
import { builtIns } from "./registry.ts";

Deno.test("builtIns has GoOvid's agents and Ovid's own by their names", () => {
  const names = [
    "chat",
    "dummy",
    "gobby_client",
    "gobby_gateway",
    "gobby_server",
    "kvs_client",
    "kvs_replica",
    "kvs_tty",
    "lease_node",
    "load_player",
    "load_sink",
    "load_source",
    "paxos_client",
    "paxos_controller",
    "paxos_member",
    "paxos_replica",
    "vr_client",
    "vr_replica",
    "vr_tty",
  ];
  assertEquals([...builtIns.keys()], names);
  assertEquals(Array.from(builtIns.values(), ({ type }) => type), names);
  for (const definition of builtIns.values()) assert(isAgentDefinition(definition));
});

Deno.test("builtIns can say what their attrs and messages are, for editors and for people", () => {
  for (const { type, attrs, protocol, doc } of builtIns.values()) {
    assert(doc.endsWith("."), `${type}: ${doc}`);
    for (const [name, schema] of [["attrs", attrs] as const, ...Object.entries(protocol)]) {
      assertEquals(toJsonSchema(schema)?.type, "object", `${type} ${name}`);
    }
  }
});

Deno.test("builtIns: few agents want the terminal, so that a grid has one that does", () => {
  const wanting = [...builtIns.values()].filter(({ devices }) => devices?.includes("terminal"));
  assertEquals(wanting.map(({ type }) => type), [
    "chat",
    "kvs_tty",
    "lease_node",
    "load_player",
    "load_sink",
    "load_source",
    "paxos_controller",
    "vr_tty",
  ]);
});
