import { assertEquals } from "@std/assert";
import { count, oneOf, perhaps, quote, show, showPath } from "./wording.ts";

Deno.test("quote: shortens long texts, and lets nothing through that a terminal would obey", () => {
  assertEquals(quote('a "b" \\'), '"a \\"b\\" \\\\"');
  assertEquals(quote("a\n\u001b[2J\u009b\u202e"), '"a\\n\\u001b[2J\\u009b\\u202e"');
  assertEquals(quote("x".repeat(60)), `"${"x".repeat(60)}"`);
  assertEquals(quote("x".repeat(61)), `"${"x".repeat(60)}..."`);
});

Deno.test("show: shows scalars in full and the rest by kind", () => {
  const shown = [null, true, 5, "5", [], {}, undefined].map(show);
  assertEquals(shown, ["null", "true", "5", '"5"', "an array", "an object", "undefined"]);
});

Deno.test("showPath: joins names by dots, and quotes those that could be misread", () => {
  assertEquals(showPath([]), "");
  assertEquals(
    showPath(["agents", "kv/leader/1", "routes", "2"]),
    "agents.kv/leader/1.routes.2",
  );
  assertEquals(showPath(["10", "attrs", "contacts", 1]), "10.attrs.contacts[1]");
  assertEquals(showPath(["a.b", "", "c d", "e]", "\u001b"]), '"a.b".""."c d"."e]"."\\u001b"');
});

Deno.test("count: groups thousands, and knows one from many", () => {
  assertEquals([0, 1, 999, 1000, 1234567].map((n) => count(n, "agent")), [
    "0 agents",
    "1 agent",
    "999 agents",
    "1,000 agents",
    "1,234,567 agents",
  ]);
});

Deno.test("oneOf: lists ten choices and counts the rest", () => {
  const choices = Array.from({ length: 12 }, (_, index) => `b${index}`);
  assertEquals(oneOf([]), "none, for there is none");
  assertEquals(oneOf(["b1"]), "b1");
  assertEquals(oneOf(["b1", "b2"]), "one of b1, b2");
  assertEquals(oneOf(choices.slice(0, 10)), "one of b0, b1, b2, b3, b4, b5, b6, b7, b8, b9");
  assertEquals(oneOf(choices.slice(0, 11)), `${oneOf(choices.slice(0, 10))} and 1 other`);
  assertEquals(oneOf(choices), `${oneOf(choices.slice(0, 10))} and 2 others`);
});

Deno.test("perhaps: knows slips of the fingers and parts of names", () => {
  const types = ["chat", "dummy", "kvs_client", "kvs_replica", "kvs_tty"];
  assertEquals(perhaps("chta", types), 'perhaps "chat"');
  assertEquals(perhaps("Dummy", types), 'perhaps "dummy"');
  assertEquals(perhaps("tty", types), 'perhaps "kvs_tty"');
  assertEquals(perhaps("kvs", types), 'perhaps "kvs_client" or "kvs_replica" or "kvs_tty"');
  assertEquals(perhaps("chatroom", types), 'perhaps "chat"');
});

Deno.test("perhaps: keeps quiet about what is far off, a number, or too much to search", () => {
  assertEquals(perhaps("paxos", ["chat", "dummy"]), undefined);
  assertEquals(perhaps("320", ["300", "321"]), undefined);
  assertEquals(perhaps("", ["a"]), undefined);
  assertEquals(perhaps("chta", []), undefined);
  const many = Array.from({ length: 1000 }, (_, index) => `agent${index}`);
  assertEquals(perhaps("agent9x", many), 'perhaps "agent9"');
  assertEquals(perhaps("agent9x", [...many, "other"]), undefined);
});
