import { assert, assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import { seededRandom } from "../core/random.ts";
import { type Faults, FaultyTransport } from "./faulty.ts";
import { MemoryNetwork } from "./memory.ts";
import { tcp } from "./tcp.ts";
import type { Connection } from "./transport.ts";
import { testTransport } from "./transport_contract.ts";

const never = new AbortController().signal;

testTransport("faulty memory at zero", () => ({
  transport: new FaultyTransport(new MemoryNetwork(), seededRandom(1n)),
  address: "127.0.0.1:0",
}));

testTransport("faulty tcp at zero", () => ({
  transport: new FaultyTransport(tcp, seededRandom(1n)),
  address: "127.0.0.1:0",
}));

// Lets a pending read of a memory network, which takes one turn, get as far as it can.
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

interface Wired {
  readonly transport: FaultyTransport;
  readonly near: Connection;
  readonly far: Connection;
}

async function wired(faults: Faults, body: (wired: Wired) => Promise<void>): Promise<void> {
  const transport = new FaultyTransport(new MemoryNetwork(), seededRandom(7n), faults);
  const listener = await transport.listen("a");
  const near = await transport.dial("a", never);
  const far = await listener.accept();
  assert(far !== undefined);
  await body({ transport, near, far });
  for (const end of [near, far, listener]) end.close();
}

Deno.test("FaultyTransport: pieces and delays change neither bytes nor order", async () => {
  await wired({ pieceBytesMax: 5, delayMsMax: 2 }, async ({ near, far }) => {
    const bytes = Uint8Array.from({ length: 200 }, (_, i) => i);
    await near.write(bytes);
    const read: number[] = [];
    let pieces = 0;
    while (read.length < bytes.length) {
      const piece = await far.read() ?? [];
      assertLess(piece.length, 6);
      read.push(...piece);
      pieces++;
    }
    assertEquals(read, [...bytes]);
    assertGreater(pieces, 200 / 5);
  });
});

Deno.test("FaultyTransport: a delayed read ends when its end closes", async () => {
  await wired({ delayMsMax: 1e9 }, async ({ near, far }) => {
    await near.write(Uint8Array.of(1));
    const reading = far.read();
    await turns();
    far.close();
    assertEquals(await reading, undefined);
  });
});

Deno.test("FaultyTransport: a cut ends both directions", async () => {
  await wired({ cut: 1 }, async ({ near, far }) => {
    await near.write(Uint8Array.of(1));
    await assertRejects(() => far.read(), Error, "cut by a fault");
    assertEquals(await near.read(), undefined);
  });
});

Deno.test("FaultyTransport: a black hole swallows what is sent, until its end closes", async () => {
  await wired({ blackHole: 1 }, async ({ transport, near, far }) => {
    const reading = far.read();
    await near.write(Uint8Array.of(1));
    await turns();
    transport.faults = {};
    await near.write(Uint8Array.of(2));
    near.close();
    assertEquals(await reading, undefined);
  });
});

Deno.test("FaultyTransport: refuses dials, until it is healed", async () => {
  await wired({}, async ({ transport }) => {
    transport.faults = { refuse: 1 };
    await assertRejects(
      () => transport.dial("a", never),
      Error,
      "Cannot dial a: refused by a fault",
    );
    transport.faults = {};
    (await transport.dial("a", never)).close();
  });
});

Deno.test("FaultyTransport: cutAll() closes what stands", async () => {
  await wired({}, async ({ transport, near, far }) => {
    const reading = [near.read(), far.read()];
    transport.cutAll();
    assertEquals(await Promise.all(reading), [undefined, undefined]);
  });
});

Deno.test("FaultyTransport: the same seed strikes the same pieces", async () => {
  const run = async () => {
    const sizes: number[] = [];
    await wired({ pieceBytesMax: 9 }, async ({ near, far }) => {
      await near.write(new Uint8Array(100));
      for (let left = 100; left > 0;) {
        const size = (await far.read())?.length ?? 0;
        sizes.push(size);
        left -= size;
      }
    });
    return sizes;
  };
  assertEquals(await run(), await run());
});
