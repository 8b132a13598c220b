import { assertEquals, assertRejects } from "@std/assert";
import { MemoryNetwork } from "./memory.ts";
import { testTransport } from "./transport_contract.ts";

const never = new AbortController().signal;

testTransport("memory", () => ({ transport: new MemoryNetwork(), address: "127.0.0.1:0" }));

Deno.test("MemoryNetwork: reads give at most as much as they may", async () => {
  const network = new MemoryNetwork({ readBytesMax: 3 });
  const listener = await network.listen("a");
  const near = await network.dial("a", never);
  const far = await listener.accept();
  await near.write(new Uint8Array(7));
  const sizes = [await far?.read(), await far?.read(), await far?.read()].map((read) =>
    read?.length
  );
  assertEquals(sizes, [3, 3, 1]);
  for (const end of [near, far, listener]) end?.close();
});

Deno.test("MemoryNetwork: a full backlog refuses", async () => {
  const network = new MemoryNetwork({ backlogMax: 2 });
  const listener = await network.listen("a");
  const dialled = [await network.dial("a", never), await network.dial("a", never)];
  await assertRejects(
    () => network.dial("a", never),
    Error,
    "Cannot dial a: 2 connections wait there",
  );
  await listener.accept();
  dialled.push(await network.dial("a", never));
  listener.close();
});

Deno.test("MemoryNetwork: two networks are two worlds", async () => {
  const listener = await new MemoryNetwork().listen("a");
  await assertRejects(() => new MemoryNetwork().dial("a", never), Error, "nobody listens there");
  listener.close();
});

Deno.test("MemoryNetwork: two ends that answer each other do not keep timers from firing", async () => {
  const network = new MemoryNetwork();
  const listener = await network.listen("a");
  const near = await network.dial("a", never);
  const far = await listener.accept();
  const echo = async (end: typeof far) => {
    for (let bytes = await end?.read(); bytes !== undefined; bytes = await end?.read()) {
      await end?.write(bytes.slice()).catch(() => {});
    }
  };
  const echoes = [echo(near), echo(far)];
  await near.write(Uint8Array.of(1));
  await new Promise((resolve) => setTimeout(resolve, 1));
  for (const end of [near, far, listener]) end?.close();
  await Promise.all(echoes);
});
