// How many messages of 64 bytes one box can send another, all within one process: `deno bench -A transport/`.
// The time is that of both ends together, on one thread; two processes share it.

import type { Envelope } from "../core/envelope.ts";
import { agentId, type BoxId } from "../core/id.ts";
import { seededRandom } from "../core/random.ts";
import { MemoryNetwork } from "./memory.ts";
import { Mesh } from "./mesh.ts";
import { tcp } from "./tcp.ts";
import type { Transport } from "./transport.ts";

const messages = 100_000;
const atOnce = 500;
const from = agentId("100");
const to = agentId("200");
const text: Envelope = { from, to, message: { type: "text", port: 1, text: "x".repeat(46) } };
const typed: Envelope = { from, to, message: { type: "put", key: "a", value: "x".repeat(15) } };

for (const [name, transport] of [["tcp", tcp], ["memory", new MemoryNetwork()]] as const) {
  for (const [kind, envelope] of [["text", text], ["typed", typed]] as const) {
    Deno.bench(
      `${messages} ${kind} messages one way, ${name}`,
      { group: name, n: 20 },
      async (b) => {
        await using pair = await openPair(transport);
        b.start();
        await pair.transfer(envelope);
        b.end();
      },
    );
  }
}

async function openPair(transport: Transport) {
  const boxes = ["a", "b"] as BoxId[];
  const addresses = new Map<BoxId, string>();
  let received = 0;
  let done: (() => void) | undefined;
  const linked = Promise.withResolvers<void>();
  const meshes: Mesh[] = [];
  for (const self of boxes) {
    const mesh = new Mesh({
      self,
      boxes,
      dialect: "grid",
      addressOf: (box) => addresses.get(box) ?? "127.0.0.1:0",
      transport,
      random: seededRandom(1n),
      hello: { ovid: 1 },
      events: {
        up: () => meshes.every((each) => each.links().every(({ up }) => up)) && linked.resolve(),
        heard: () => {},
        down: () => {},
        mail: () => {
          if (++received === messages) done?.();
        },
        broadcast: () => {},
        guestCame: () => undefined,
        guestMail: () => {},
        guestLeft: () => {},
        note: () => {},
      },
    });
    meshes.push(mesh);
    await mesh.start();
    addresses.set(self, mesh.address);
  }
  await linked.promise;
  const [a, b] = boxes;
  const [sender] = meshes;
  return {
    async transfer(envelope: Envelope) {
      if (a === undefined || b === undefined || sender === undefined) return;
      const finished = new Promise<void>((resolve) => done = resolve);
      for (let sent = 0; sent < messages;) {
        for (let i = 0; i < atOnce; i++, sent++) sender.send(b, envelope);
        // As a box does, which sends what one step gave it and then turns to what has arrived.
        await new Promise((resolve) => setImmediate(resolve));
      }
      await finished;
    },
    async [Symbol.asyncDispose]() {
      for (const mesh of meshes) await mesh.close();
    },
  };
}
