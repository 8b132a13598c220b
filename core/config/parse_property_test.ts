// Laws of the parser over generated grids and over broken texts.

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { agentId, virtualId } from "../id.ts";
import { parseBox } from "./address.ts";
import { checkGrid } from "./check.ts";
import { parseGrid } from "./parse.ts";
import { describeProblem } from "./problem.ts";

const token = fc.oneof(
  fc.nat({ max: 40 }).map(String),
  fc.stringMatching(/^[a-z/.#é-]{1,6}$/),
  fc.constantFrom("agents", "plugins", "type", "box", "routes", "constructor"),
);

const box = fc.tuple(
  fc.constantFrom("127.0.0.1", "127.0.00.1", "[::1]", "[0:0::1]", "[::ffff:127.0.0.1]"),
  fc.integer({ min: 1, max: 65535 }),
).map(([host, port]) => `${host}:${port}`);

const targets = fc.uniqueArray(fc.tuple(token, fc.nat({ max: 65535 })), {
  maxLength: 3,
  selector: ([agent]) => agent,
});

const attrValue = fc.jsonValue({ maxDepth: 3 }).filter((value) =>
  !JSON.stringify(value).includes('"__proto__"')
);

const agent = fc.record({
  type: fc.constantFrom("dummy", "./own.ts", "a b"),
  box,
  attrs: fc.option(
    fc.uniqueArray(fc.tuple(token, attrValue), { maxLength: 3, selector: ([k]) => k }),
    {
      nil: undefined,
    },
  ),
  routes: fc.uniqueArray(fc.tuple(token, targets), {
    maxLength: 3,
    selector: ([virtual]) => virtual,
  }),
});

const agents = fc.uniqueArray(fc.tuple(token, agent), {
  minLength: 1,
  maxLength: 5,
  selector: ([id]) => id,
});

type Entries = readonly (readonly [string, string])[];

// Written by hand, for objects put keys that look like numbers first.
const object = (entries: Entries) =>
  `{${entries.map(([key, value]) => `${JSON.stringify(key)}: ${value}`).join(",\n")}}`;

type Agents = typeof agents extends fc.Arbitrary<infer T> ? T : never;

function write(generated: Agents): string {
  return object(generated.map(([id, { type, box, attrs, routes }]) => [
    id,
    object([
      ["type", JSON.stringify(type)],
      ...attrs === undefined
        ? []
        : [["attrs", object(attrs.map(([key, value]) => [key, JSON.stringify(value)]))] as const],
      ["box", JSON.stringify(box)],
      [
        "routes",
        object(routes.map(([virtual, targets]) => [
          virtual,
          object(targets.map(([agent, port]) => [agent, String(port)])),
        ])),
      ],
    ]),
  ]));
}

Deno.test("parseGrid: reads back every grid that can be written, in both forms", () => {
  fc.assert(fc.property(agents, fc.boolean(), (generated, extended) => {
    const text = extended ? object([["agents", write(generated)]]) : write(generated);
    const { grid, problems } = parseGrid(text, "g.json");
    assertEquals(problems.map(describeProblem), []);
    assert(grid !== undefined);
    const read = [...grid.agents.values()];
    assertEquals(read.map(({ id }) => String(id)), generated.map(([id]) => id));
    for (const [index, [, { type, box, attrs, routes }]] of generated.entries()) {
      const entry = read[index];
      assertEquals([entry?.type, entry?.box], [type, parseBox(box)]);
      const wanted = JSON.parse(object((attrs ?? []).map(([k, v]) => [k, JSON.stringify(v)])));
      assertEquals<unknown>(entry?.attrs, wanted);
      assertEquals(
        [...entry?.routes ?? []],
        routes.map(([virtual, targets]) => [
          virtualId(virtual),
          targets.map(([agent, port]) => ({ agent: agentId(agent), port })),
        ]),
      );
    }
  }));
});

/** Whatever the text, the parser and the checks give an answer, and the answer is consistent. */
function survives(text: string): void {
  const { grid, draft, problems, source } = parseGrid(text, "g.json");
  const lines = text.split(/\r\n|\n|\r/);
  assertEquals(grid === undefined, problems.some(({ severity }) => severity === "error"));
  const checked = checkGrid(draft, source, { lookUp: () => undefined, known: ["dummy"] });
  for (const problem of [...problems, ...checked]) {
    const { line, column } = problem;
    assert(line >= 1 && line <= lines.length, describeProblem(problem));
    assert(column >= 1 && column <= (lines[line - 1]?.length ?? 0) + 1, describeProblem(problem));
    assert(!/\p{Cc}/u.test(describeProblem(problem)));
  }
}

Deno.test("parseGrid: never throws on any text", () => {
  const signs = fc.constantFrom(
    ...'{}[]:,"\\/*1-.e \n\r\t',
    '"agents"',
    '"type"',
    '"routes"',
    "null",
  );
  const soup = fc.array(signs, { maxLength: 40 }).map((parts) => parts.join(""));
  const text = fc.oneof(fc.string({ unit: "binary" }), soup, fc.json());
  fc.assert(fc.property(text, survives), { numRuns: 1000 });
});

Deno.test("parseGrid: never throws on a grid with a change in it", () => {
  const pieces = fc.constantFrom(
    ...[
      "",
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      "\\",
      "//",
      "/*",
      "5",
      "1e999",
      "-0",
      "null",
      " ",
      "\n",
    ],
    ...[
      '"__proto__"',
      '"type"',
      '"box"',
      '"routes"',
      '"1"',
      '""',
      "\u0000",
      "\ud800",
      "[[[[",
      "{}",
    ],
  );
  const change = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat({ max: 12 }), pieces);
  fc.assert(
    fc.property(agents, fc.array(change, { minLength: 1, maxLength: 4 }), (generated, changes) => {
      let text = write(generated);
      for (const [where, length, piece] of changes) {
        const at = Math.floor(where * text.length);
        text = text.slice(0, at) + piece + text.slice(at + length);
      }
      survives(text);
    }),
    { numRuns: 2000 },
  );
});
