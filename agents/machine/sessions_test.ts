import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { judge, open, remember, type Sessions, sessionsMax } from "./sessions.ts";

function opened(client = "ann", incarnation = 1, position = 5): Sessions {
  const sessions: Sessions = new Map();
  open(sessions, client, incarnation, position);
  return sessions;
}

Deno.test("judge() takes a request that is newer than the latest for fresh", () => {
  const sessions = opened();
  assertEquals(judge(sessions, { client: "ann", session: 5, request: 1 }), { kind: "fresh" });
  remember(sessions, { client: "ann", session: 5, request: 1 }, "done");
  assertEquals(judge(sessions, { client: "ann", session: 5, request: 2 }), { kind: "fresh" });
});

Deno.test("judge() answers the latest request again, and older ones not at all", () => {
  const sessions = opened();
  remember(sessions, { client: "ann", session: 5, request: 3 }, "done");
  const mark = { client: "ann", session: 5 };
  assertEquals(judge(sessions, { ...mark, request: 3 }), { kind: "repeated", result: "done" });
  assertEquals(judge(sessions, { ...mark, request: 2 }), { kind: "stale" });
});

Deno.test("judge() knows only the session that was opened last", () => {
  const sessions = opened();
  assertEquals(judge(sessions, { client: "bob", session: 5, request: 1 }).kind, "expired");
  assertEquals(judge(sessions, { client: "ann", session: 4, request: 1 }).kind, "expired");
  open(sessions, "ann", 2, 9);
  assertEquals(judge(sessions, { client: "ann", session: 5, request: 1 }).kind, "expired");
  assertEquals(judge(sessions, { client: "ann", session: 9, request: 1 }).kind, "fresh");
});

Deno.test("open() gives the same start of a client the same session", () => {
  const sessions = opened();
  remember(sessions, { client: "ann", session: 5, request: 1 }, "done");
  assertEquals(open(sessions, "ann", 1, 8), { kind: "opened", session: 5 });
  assertEquals(judge(sessions, { client: "ann", session: 5, request: 1 }).kind, "repeated");
});

Deno.test("open() refuses a start that a later one has outlived", () => {
  const sessions = opened("ann", 3);
  assertEquals(open(sessions, "ann", 2, 8), { kind: "outlived", incarnation: 3 });
  assertEquals(sessions.get("ann")?.session, 5);
});

Deno.test("open() forgets the client that was longest idle, and refuses what it still has under way", () => {
  const sessions: Sessions = new Map();
  for (let number = 1; number <= sessionsMax; number++) open(sessions, `c${number}`, 1, number);
  assertEquals(sessions.size, sessionsMax);
  remember(sessions, { client: "c1", session: 1, request: 1 }, null);
  open(sessions, "late", 1, sessionsMax + 1);
  assertEquals(sessions.size, sessionsMax);
  assertEquals(judge(sessions, { client: "c1", session: 1, request: 1 }).kind, "repeated");
  assertEquals(judge(sessions, { client: "c2", session: 2, request: 1 }).kind, "expired");
  // Even if its opening comes a second time, what it had asked for before is not executed again.
  open(sessions, "c2", 1, sessionsMax + 2);
  assertEquals(judge(sessions, { client: "c2", session: 2, request: 1 }).kind, "expired");
});

Deno.test("judge() lets no request of any history be executed twice", () => {
  const step = fc.record({
    client: fc.constantFrom("ann", "bob"),
    incarnation: fc.integer({ min: 1, max: 3 }),
    session: fc.integer({ min: 1, max: 12 }),
    request: fc.integer({ min: 1, max: 4 }),
    opens: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const sessions: Sessions = new Map();
    const executed = new Set<string>();
    for (const [position, { opens, incarnation, ...mark }] of steps.entries()) {
      if (opens) open(sessions, mark.client, incarnation, position + 1);
      else if (judge(sessions, mark).kind === "fresh") {
        const name = `${mark.client} ${mark.session} ${mark.request}`;
        if (executed.has(name)) throw new Error(`${name} is executed twice`);
        executed.add(name);
        remember(sessions, mark, name);
      }
    }
  }));
});
