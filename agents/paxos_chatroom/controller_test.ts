import { assertEquals } from "@std/assert";
import { type Rig, rig } from "../../sim/rig.ts";
import { paxosController } from "./controller.ts";

function controller(): Rig {
  return rig(paxosController, {
    id: "999",
    attrs: { replicas: [1, 2], clients: [100] },
    routes: { "1": { "1": 9 }, "2": { "2": 9 }, "100": { "100": 9 } },
  });
}

/** What came of a line. */
function type(agent: Rig, line: string) {
  agent.take();
  agent.line(line);
  const { sent, printed, processes } = agent.take();
  return {
    sent: sent.map(({ to, message }) => `${to} ${message.port} ${message.text}`),
    printed,
    processes,
  };
}

const nothing = { sent: [], printed: [], processes: [] };

Deno.test("paxos_controller: req, dump and skip go to whom they concern", () => {
  const agent = controller();
  const sends = (line: string, ...sent: string[]) =>
    assertEquals(type(agent, line), { ...nothing, sent }, line);
  sends("req 100 good  morning", "100 9 issue good  morning");
  sends("dump", "1 9 dump", "2 9 dump");
  sends("skip 2 7", "2 9 skip 7");
  sends("");
});

Deno.test("paxos_controller: start, kill and exit are for its box to do", () => {
  const agent = controller();
  const box = "127.0.0.1:5001";
  assertEquals(type(agent, "start 5001 0.1").processes, [{ type: "start", box, loss: 0.1 }]);
  assertEquals(type(agent, "kill 5001").processes, [{ type: "kill", box }]);
  assertEquals(type(agent, "exit").processes, [{ type: "end" }]);
});

Deno.test("paxos_controller says what became of boxes", () => {
  const agent = controller();
  const box = "127.0.0.1:5001";
  agent.event({ device: "process", event: { type: "started", box } });
  agent.event({ device: "process", event: { type: "exited", box, code: 1 } });
  agent.event({ device: "process", event: { type: "failed", box, reason: "it runs already" } });
  assertEquals(agent.printed, [
    `Started ${box}`,
    `${box} has ended`,
    `Nothing done about ${box}: it runs already`,
  ]);
});

Deno.test("paxos_controller refuses lines that it cannot take, and does nothing", () => {
  const agent = controller();
  for (
    const line of [
      ...["nonsense", "start", "start 5001", "start 0 0", "start 65536 0", "start x 0"],
      ...["start 5001 1.5", "start 5001 -1", "start 5001 x", "kill", "kill 5001 now", "kill x"],
      ...["req", "req 100", "req 101 a", "dump 1", "skip", "skip 1", "skip 3 1", "skip 1 0"],
    ]
  ) {
    const { printed, ...rest } = type(agent, line);
    assertEquals([printed.length, rest], [1, { sent: [], processes: [] }], line);
  }
  assertEquals(type(agent, "req 101 a").printed, ["There is no client 101, want one of 100"]);
});

Deno.test("paxos_controller ends with its input", () => {
  const agent = controller();
  agent.eof();
  assertEquals(agent.stopped, true);
});
