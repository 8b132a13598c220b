import { assert, assertEquals } from "@std/assert";
import type { AnyMessage } from "../core/agent.ts";
import type { Envelope } from "../core/envelope.ts";
import { type AgentId, agentId } from "../core/id.ts";
import { traceBodyMax, traceQueueMax, tracersMax, Tracing } from "./tracing.ts";

const here = "127.0.0.1:40000";

/** A box's tracing, and what its tracers have been sent. */
function rig() {
  const sent: { to: string; message: AnyMessage }[] = [];
  const queued = new Map<AgentId, number>();
  let saw: ((envelope: Envelope) => void) | undefined;
  const tracing = new Tracing({
    queued: (tracer) => queued.get(tracer) ?? 0,
    send: (to, message) => sent.push({ to, message }),
    date: () => 7,
    watch: (watcher) => saw = watcher,
  });
  return {
    tracing,
    sent,
    queued,
    watched: () => saw !== undefined,
    mail: (from: string, to: string, message: AnyMessage) =>
      saw?.({ from: agentId(from), to: agentId(to), message }),
    join: (name: string, trace?: unknown) =>
      tracing.admit(agentId(name), {
        hello: JSON.parse(JSON.stringify({ ovid: 1, client: name, trace })),
        remote: here,
      }),
    got: (name: string) => sent.filter(({ to }) => to === name).map(({ message }) => message),
  };
}

Deno.test("Tracing: nothing is watched before the first tracer comes and after the last has left", () => {
  const { tracing, watched, join } = rig();
  assertEquals([join("guest"), watched()], [undefined, false]);
  join("a", {});
  join("b", {});
  assertEquals(watched(), true);
  tracing.remove(agentId("a"));
  tracing.remove(agentId("guest"));
  assertEquals(watched(), true);
  tracing.remove(agentId("b"));
  assertEquals(watched(), false);
});

Deno.test("Tracing: tells each tracer the mail that fits its filter", () => {
  const { join, mail, got } = rig();
  join("all", {});
  join("agent", { agent: "1" });
  join("type", { type: "put" });
  join("text", { text: '"key":"a"', agent: "2" });
  mail("1", "2", { type: "put", key: "a" });
  mail("2", "1", { type: "done" });
  mail("2", "3", { type: "get", key: "a" });
  mail("3", "4", { type: "put", key: "b" });
  const types = (name: string) => got(name).map(({ mail }) => mail);
  assertEquals(types("all"), ["put", "done", "get", "put"]);
  assertEquals(types("agent"), ["put", "done"]);
  assertEquals(types("type"), ["put", "put"]);
  assertEquals(types("text"), ["put", "get"]);
  assertEquals(got("all")[0], {
    type: "trace",
    ...{ at: 7, from: "1", to: "2", mail: "put", cut: false },
    body: '{"type":"put","key":"a"}',
  });
});

Deno.test("Tracing: cuts a long body, and says so", () => {
  const { join, mail, got } = rig();
  join("a", { text: "end" });
  mail("1", "2", { type: "put", text: `${"x".repeat(traceBodyMax)}end` });
  const [told] = got("a");
  assertEquals([String(told?.["body"]).length, told?.["cut"]], [traceBodyMax, true]);
});

Deno.test("Tracing: a tracer that does not read misses mail, and is told how much before the next", () => {
  const { tracing, join, mail, got, queued } = rig();
  join("slow", {});
  join("fast", {});
  queued.set(agentId("slow"), traceQueueMax + 1);
  for (let round = 0; round < 3; round++) mail("1", "2", { type: "put" });
  tracing.tellMissed();
  assertEquals([got("slow").length, got("fast").length], [0, 3]);
  queued.set(agentId("slow"), traceQueueMax);
  mail("1", "2", { type: "get" });
  assertEquals(got("slow").map(({ type, count, mail }) => [type, count ?? mail]), [
    ["trace_missed", 3],
    ["trace", "get"],
  ]);
  queued.set(agentId("slow"), traceQueueMax + 1);
  mail("1", "2", { type: "put" });
  queued.set(agentId("slow"), 0);
  tracing.tellMissed();
  tracing.tellMissed();
  assertEquals(got("slow").slice(2), [{ type: "trace_missed", count: 1 }]);
});

Deno.test("Tracing: turns away wrong filters, programs from elsewhere, and one too many", () => {
  const { tracing, join, watched } = rig();
  for (const trace of [5, [], { agnet: "1" }, { agent: 1 }, null]) {
    assertEquals(join("a", trace), "its trace is no filter", JSON.stringify(trace));
  }
  for (const remote of ["10.0.0.7:5000", "[2001:db8::1]:5000", "elsewhere", ""]) {
    const fault = tracing.admit(agentId("b"), { hello: { trace: {} }, remote });
    assertEquals(fault, "it traces from another machine", remote);
  }
  assertEquals(watched(), false);
  for (const remote of ["127.8.0.1:5", "[::1]:5", "[::ffff:127.0.0.1]:5"]) {
    assertEquals(tracing.admit(agentId(remote), { hello: { trace: {} }, remote }), undefined);
  }
  for (let index = 3; index < tracersMax; index++) assertEquals(join(`c${index}`, {}), undefined);
  assert(join("late", {})?.includes("too many"));
});
