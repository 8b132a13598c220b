import { assertEquals } from "@std/assert";
import { toJsonSchema, validate } from "./schema.ts";
import { oneLine, portMax, text } from "./text.ts";

Deno.test("text takes a string at a port from 0 to 65535", () => {
  for (const port of [0, 1, portMax]) {
    assertEquals(validate(text, { type: "text", port, text: "a b" }), {
      ok: true,
      value: { port, text: "a b" },
    });
  }
  assertEquals(validate(text, { port: 1, text: "" }).ok, true);
});

Deno.test("text refuses other ports, and what is no string", () => {
  for (const port of [-1, 0.5, portMax + 1, NaN, "1", null, undefined]) {
    assertEquals(validate(text, { port, text: "a" }), {
      ok: false,
      issues: [{ message: "want a port from 0 to 65535", path: ["port"] }],
    });
  }
  for (const body of [1, null, undefined, {}]) {
    assertEquals(validate(text, { port: 1, text: body }), {
      ok: false,
      issues: [{ message: "want a string", path: ["text"] }],
    });
  }
  for (const value of [null, undefined, 1, "text"]) assertEquals(validate(text, value).ok, false);
});

Deno.test("text says in JSON Schema what it takes", () => {
  assertEquals(toJsonSchema(text), {
    type: "object",
    properties: {
      port: { type: "integer", minimum: 0, maximum: 65535 },
      text: { type: "string" },
    },
    required: ["port", "text"],
  });
});

Deno.test("oneLine() trims, and makes one line of several", () => {
  assertEquals(oneLine("  a  b "), "a  b");
  assertEquals(oneLine("a\r\n\nb\rc\n"), "a b c");
  assertEquals(oneLine("\n \t"), "");
});
