import { assertEquals } from "@std/assert";
import { rig } from "../../sim/rig.ts";
import { loadPlayer } from "./player.ts";
import { loadMessage } from "./protocol.ts";
import { loadSink } from "./sink.ts";
import { loadSource } from "./source.ts";

const source = (attrs: { window: number; kind?: string; runs?: boolean }) =>
  rig(loadSource, { attrs: { length: 5, ...attrs }, routes: { sink: { sink: 1 } } });

Deno.test("load_source sends as much as its window allows, and more when it gets credit", () => {
  const agent = source({ window: 3 });
  agent.line("go");
  const texts = agent.take().sent.map(({ message }) => message.text);
  assertEquals(texts, ["0xxxx", "1xxxx", "2xxxx"]);
  agent.deliver("sink", { type: "credit", messages: 2 });
  assertEquals(agent.take().sent.length, 2);
  agent.line("stop");
  agent.deliver("sink", { type: "credit", messages: 3 });
  assertEquals(agent.take().sent, []);
});

Deno.test("load_source counts as lost what is not credited for long, and begins by itself if it is to", () => {
  const agent = source({ window: 2, runs: true, kind: "order" });
  assertEquals(agent.take().sent.map(({ message }) => message.number), [0, 1]);
  agent.advance(1000);
  assertEquals(agent.take().sent.length >= 2, true);
});

Deno.test("load_sink gives credit to each sender for what it has taken, and says how much that was", () => {
  const agent = rig(loadSink, { attrs: { every: 2 }, peers: ["a", "b"] });
  for (const from of ["a", "b", "a", "a"]) agent.deliver(from, loadMessage("order", 1, 0));
  agent.deliver("b", { ...loadMessage("text", 1, 10), port: 1 });
  agent.line("count");
  const { sent, printed } = agent.take();
  assertEquals(sent, [
    { to: "a", message: { type: "credit", messages: 2 } },
    { to: "b", message: { type: "credit", messages: 2 } },
  ]);
  assertEquals(JSON.parse(printed[0] ?? "").taken, 5);
});

Deno.test("load_player returns what others serve, and says how long its own took", () => {
  const agent = rig(loadPlayer, { routes: { partner: { partner: 1 } } });
  agent.deliver("partner", { type: "text", port: 1, text: "served" });
  const message = { type: "text", port: 1, text: "returned" };
  assertEquals(agent.take().sent, [{ to: "partner", message }]);
  agent.line("go");
  assertEquals(agent.take().sent.length, 1);
  agent.advance(4);
  agent.deliver("partner", { type: "text", port: 1, text: "returned" });
  agent.line("stop");
  assertEquals(agent.take().printed, ["[4]"]);
});
