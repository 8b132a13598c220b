import { assertEquals } from "@std/assert";
import type { ProcessEvent } from "../core/devices.ts";
import { parseBox } from "../core/config/address.ts";
import { agentId, type BoxId } from "../core/id.ts";
import { Processes, type StartedBox } from "./processes.ts";

const b1 = parseBox("127.0.0.1:1");
const b2 = parseBox("127.0.0.1:2");
const b3 = parseBox("127.0.0.1:3");
const agent = agentId("a");

/** Processes of box b1, and a starter that notes what it is asked for. */
function bench({ starts = true } = {}) {
  const acts: string[] = [];
  const events: ProcessEvent[] = [];
  const ends = new Map<BoxId, (code: number | null) => void>();
  const start = (box: BoxId, { loss }: { readonly loss: number }): StartedBox => {
    if (box === b3) throw new Error("no more processes");
    acts.push(`start ${box} ${loss}`);
    const { promise, resolve } = Promise.withResolvers<number | null>();
    ends.set(box, resolve);
    return {
      ended: promise,
      kill: () => {
        acts.push(`kill ${box}`);
        resolve(null);
      },
      stop: () => {
        acts.push(`stop ${box}`);
        resolve(0);
        return promise;
      },
    };
  };
  const processes = new Processes({
    self: b1,
    boxes: [b1, b2, b3],
    starter: starts ? { start } : undefined,
    event: (_agent, event) => events.push(event),
    end: () => acts.push("end"),
  });
  /** What was told since the last look. */
  const told = async () => {
    await Promise.resolve();
    await Promise.resolve();
    return events.splice(0);
  };
  return { processes, acts, told, ends };
}

Deno.test("Processes starts and kills boxes, and tells whoever started them", async () => {
  const { processes, acts, told } = bench();
  processes.take(agent, { type: "start", box: b2, loss: 0.5 });
  assertEquals(await told(), [{ type: "started", box: b2 }]);
  processes.take(agent, { type: "kill", box: b2 });
  assertEquals(await told(), [{ type: "exited", box: b2, code: null }]);
  processes.take(agent, { type: "start", box: b2, loss: 0 });
  assertEquals(acts, [`start ${b2} 0.5`, `kill ${b2}`, `start ${b2} 0`]);
});

Deno.test("Processes does nothing about boxes that it must not touch, and says why", async () => {
  const { processes, acts, told } = bench();
  const reasons = async (...outputs: readonly ["start" | "kill", string][]) => {
    for (const [type, box] of outputs) processes.take(agent, { type, box, loss: 0 });
    return (await told()).map((event) => event.type === "failed" ? event.reason : event.type);
  };
  assertEquals(await reasons(["start", "127.0.0.1:4"]), [`want one of ${b1}, ${b2}, ${b3}`]);
  assertEquals(await reasons(["start", b1]), ["it is this very box"]);
  assertEquals(await reasons(["start", b3]), ["no more processes"]);
  const notMine = "it was not started from here, or has ended";
  assertEquals(await reasons(["kill", b2], ["kill", b1]), [notMine, notMine]);
  assertEquals(acts, []);
  assertEquals(await reasons(["start", b2], ["start", b2]), ["started", "it runs already"]);
  const alone = bench({ starts: false });
  alone.processes.take(agent, { type: "start", box: b2, loss: 0 });
  assertEquals((await alone.told()).map(({ type }) => type), ["failed"]);
});

Deno.test("Processes: a box that has ended by itself can be started again", async () => {
  const { processes, told, ends } = bench();
  processes.take(agent, { type: "start", box: b2, loss: 0 });
  await told();
  ends.get(b2)?.(1);
  assertEquals(await told(), [{ type: "exited", box: b2, code: 1 }]);
  processes.take(agent, { type: "start", box: b2, loss: 0 });
  assertEquals(await told(), [{ type: "started", box: b2 }]);
});

Deno.test("Processes ends its own box, and with it all that was started", async () => {
  const { processes, acts } = bench();
  processes.take(agent, { type: "start", box: b2, loss: 0 });
  processes.take(agent, { type: "end" });
  await processes.close();
  assertEquals(acts, [`start ${b2} 0`, "end", `stop ${b2}`]);
});
