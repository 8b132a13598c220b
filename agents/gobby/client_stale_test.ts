import { assertEquals } from "@std/assert";
import type { Json } from "../../core/data.ts";
import type { Rig } from "../../sim/rig.ts";
import { asksMax } from "./client_state.ts";
import {
  ask,
  client,
  done,
  get,
  nameOf,
  nothing,
  reply,
  seated,
  sent,
  servers,
} from "../../tests/gobby/client_rig.ts";

/** Whom an old read was sent to since the last look. */
function staleReads(agent: Rig): { to: string; number: Json | undefined }[] {
  return sent(agent, "staleRead").map(({ to, message }) => ({ to, number: message["number"] }));
}

function answer(agent: Rig, from: string, number: Json | undefined, ageMs: number | null): void {
  const result = ageMs === null ? null : nothing;
  agent.deliver(from, { type: "staleReply", client: nameOf(agent), number, result, ageMs });
}

const outcomes = (agent: Rig) => sent(agent, "answer").map(({ message }) => message["outcome"]);

Deno.test("gobby_client reads what is old beside what waits, and adds what the answer took", () => {
  const agent = client({ clockDriftPpm: 100_000 });
  ask(agent, 1, get);
  ask(agent, 2, get, { maxAgeMs: 1000 });
  const [read, ...more] = staleReads(agent);
  assertEquals(more, []);
  agent.advance(9);
  answer(agent, read?.to ?? "", read?.number, 40);
  assertEquals(outcomes(agent), [{ kind: "done", result: nothing, ageMs: 50 }]);
});

Deno.test("gobby_client asks each server in turn for what is young enough, then the master", () => {
  const agent = client();
  seated(agent);
  ask(agent, 1, get, { maxAgeMs: 100 });
  const [first] = staleReads(agent);
  // One that does not answer, one that is too old, one that cannot say.
  agent.advance(150);
  const [second] = staleReads(agent);
  answer(agent, second?.to ?? "", second?.number, 101);
  const [third] = staleReads(agent);
  assertEquals([first?.to, second?.to, third?.to].sort(), servers);
  answer(agent, third?.to ?? "", third?.number, null);
  seated(agent);
  const [request] = sent(agent, "request");
  agent.advance(5);
  reply(agent, Number(request?.message["request"]), done(nothing));
  assertEquals(outcomes(agent), [{ kind: "done", result: nothing, ageMs: 5 }]);
});

Deno.test("gobby_client asks on for what is old while nobody answers", () => {
  const agent = client();
  ask(agent, 1, get, { maxAgeMs: 10_000 });
  const asked = staleReads(agent);
  while (asked.length < 5) {
    agent.advance(10);
    asked.push(...staleReads(agent));
  }
  assertEquals(asked.map(({ to }) => to).slice(0, 2), asked.map(({ to }) => to).slice(3));
  answer(agent, asked.at(-1)?.to ?? "", asked.at(-1)?.number, 1);
  assertEquals(Object(outcomes(agent)[0]).kind, "done");
});

Deno.test("gobby_client counts a late answer from when the read was asked first", () => {
  const agent = client();
  ask(agent, 1, get, { maxAgeMs: 1000 });
  const [first] = staleReads(agent);
  agent.advance(150);
  answer(agent, first?.to ?? "", first?.number, 10);
  assertEquals(outcomes(agent), [{ kind: "done", result: nothing, ageMs: 160 }]);
});

Deno.test("gobby_client fails an old read that nobody answers in time, or that is no read", () => {
  const agent = client();
  ask(agent, 1, get, { maxAgeMs: 1000, deadlineMs: 80 });
  ask(agent, 2, { kind: "delete", key: "a" }, { maxAgeMs: 1000 });
  agent.advance(80);
  const failures = outcomes(agent).map((outcome) => Object(outcome).certain);
  assertEquals(failures, [true, true]);
});

Deno.test("gobby_client lets only so many old reads be under way", () => {
  const agent = client();
  for (let id = 0; id < asksMax; id++) ask(agent, id, get, { maxAgeMs: 1 });
  assertEquals(outcomes(agent), []);
  ask(agent, asksMax, get, { maxAgeMs: 1 });
  assertEquals(outcomes(agent).length, 1);
});
