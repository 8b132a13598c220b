import {
  assert,
  assertEquals,
  assertLess,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { seededRandom } from "../core/random.ts";
import { type Faults, FaultyTransport } from "./faulty.ts";
import { MemoryNetwork } from "./memory.ts";
import { type Member, Rig, textMail, typedMail, withRig } from "./mesh_rig.ts";
import { tcp } from "./tcp.ts";
import type { Transport } from "./transport.ts";

for (const [name, open] of [["memory", () => new MemoryNetwork()], ["tcp", () => tcp]] as const) {
  Deno.test(`Mesh over ${name}: three boxes are fully linked, and carry mail and broadcasts`, async () => {
    await withRig(new Rig(["a", "b", "c"], open()), async (rig) => {
      const members = await rig.startAll();
      for (const { box, mesh } of members) {
        for (const other of rig.boxes) {
          if (other === box) continue;
          assert(mesh.takesTyped(other));
          assertEquals(mesh.send(other, textMail(`text of ${box}`)), "sent");
          assertEquals(mesh.send(other, typedMail(`typed of ${box}`)), "sent");
        }
        mesh.broadcastTo(rig.boxes, `all of ${box}`);
      }
      await rig.until("all have heard all", () => members.every(({ log }) => log.length === 8));
      for (const { box, log } of members) {
        for (const other of rig.boxes) {
          if (other === box) continue;
          assertEquals(log.filter((entry) => entry.split(" ")[1] === other), [
            `up ${other}`,
            `mail ${other} text text of ${other}`,
            `mail ${other} put typed of ${other}`,
            `broadcast ${other} all of ${other}`,
          ]);
        }
      }
    });
  });

  Deno.test(`Mesh over ${name}: a dropped link is down on both sides, and comes back`, async () => {
    await withRig(new Rig(["a", "b", "c"], open()), async (rig) => {
      const [a, b, c] = await rig.startAll();
      assert(a && b && c);
      a.mesh.drop(b.box, "a test wants it");
      assertEquals(a.log.at(-1), "down b: a test wants it");
      assertEquals(a.mesh.send(b.box, textMail("lost")), "down");
      await rig.until("both are up again", () => a.count("up b") === 2 && b.count("up a") === 2);
      assertEquals(b.log.filter((entry) => entry.endsWith("the peer closed")).length, 1);
      assertEquals([a.count("down c"), b.count("down c"), c.log.length], [0, 0, 2]);
      assertEquals(a.mesh.send(b.box, textMail("hi")), "sent");
      await rig.until("the mail arrives", () => b.count("mail a text hi") === 1);
    });
  });

  Deno.test(`Mesh over ${name}: a peer that stops is down at once, and up once restarted`, async () => {
    await withRig(new Rig(["a", "b", "c"], open()), async (rig) => {
      const [a, b, c] = await rig.startAll();
      assert(a && b && c);
      for (let round = 1; round <= 5; round++) {
        await rig.stop(rig.last("b"));
        await rig.until(
          "b is down",
          () => a.count("down b") === round && c.count("down b") === round,
        );
        const again = await rig.start("b");
        await rig.untilLinked([a, again, c]);
      }
      for (const { log } of [a, c]) {
        const states = log.filter((entry) => / b\b/.test(entry)).map((entry) =>
          entry.split(" ")[0]
        );
        assertEquals(states, ["up", ...Array(5).fill(["down", "up"]).flat()]);
      }
      assertEquals(a.count("down c"), 0);
    });
  });

  Deno.test(`Mesh over ${name}: start() rejects if the address is taken`, async () => {
    await withRig(new Rig(["a", "b"], open()), async (rig) => {
      await rig.start("a");
      await assertRejects(
        () => rig.start("a"),
        Error,
        `Cannot listen on ${rig.address("a")}: the address is in use`,
      );
    });
  });

  Deno.test(`Mesh over ${name}: close() lets out what was sent before it`, async () => {
    await withRig(new Rig(["a", "b"], open()), async (rig) => {
      const [a, b] = await rig.startAll();
      assert(a !== undefined && b !== undefined);
      const before = Array.from({ length: 5000 }, (_, i) => `line ${i}`);
      for (const text of before) a.mesh.send(b.box, textMail(text));
      await a.mesh.close();
      await rig.until("the link is down", () => b.count("down a") === 1);
      assertEquals(
        b.log.filter((entry) => entry.startsWith("mail")),
        before.map((text) => `mail a text ${text}`),
      );
    });
  });

  Deno.test(`Mesh over ${name}: close() while dialling, linked and under load leaves nothing`, async () => {
    await withRig(new Rig(["a", "b", "c"], open()), async (rig) => {
      const b = await rig.start("b");
      await rig.stop(b);
      const again = await rig.start("b");
      const c = await rig.start("c");
      await rig.until(
        "b and c are linked",
        () => again.count("up c") === 1 && c.count("up b") === 1,
      );
      for (let i = 0; i < 20_000; i++) c.mesh.send(again.box, textMail(`number ${i}`));
      const { log } = again;
      await rig.stop(again);
      const told = log.length;
      await rig.stop(c);
      assertEquals(log.length, told);
      assertEquals(again.count("down"), 0);
      assertEquals(again.mesh.send(c.box, textMail("late")), "down");
      await again.mesh.close();
    });
  });
}

Deno.test("Mesh: a box that starts late is found within the longest pause", async () => {
  await withRig(new Rig(["a", "b"], new MemoryNetwork()), async (rig) => {
    const b = await rig.start("b");
    await rig.until("a dial has failed", () => b.notes.length > 0);
    assertEquals(b.notes[0]?.event, "dial.failed");
    assertEquals(b.mesh.links().map(({ peer, up }) => ({ peer, up })), [{
      peer: rig.box("a"),
      up: false,
    }]);
    const a = await rig.start("a");
    await rig.untilLinked([a, b]);
    assertEquals(b.notes.length, 1);
  });
});

Deno.test("Mesh.links(): counts what passed, and says who the peer is", async () => {
  await withRig(new Rig(["a", "b"], new MemoryNetwork()), async (rig) => {
    const [a, b] = await rig.startAll();
    assert(a && b);
    a.mesh.send(b.box, textMail("one"));
    a.mesh.send(b.box, typedMail("two"));
    a.mesh.broadcastTo([b.box], "three");
    await rig.until("all has arrived", () => b.count("broadcast") === 1);
    const [there] = a.mesh.links();
    const [here] = b.mesh.links();
    assert(there && here);
    assertEquals([there.peer, there.up, there.kind], [b.box, true, "ovid"]);
    assertEquals(there.hello, { ovid: 1, box: "b" });
    assertEquals([there.mailOut, there.broadcastsOut, there.refused, there.ups], [2, 1, 0, 1]);
    assertEquals([here.mailIn, here.broadcastsIn, here.mailOut], [2, 1, 0]);
    assertEquals(here.bytesIn, there.bytesOut);
    assertEquals(there.queuedCharacters, 0);
  });
});

Deno.test("Mesh.ping(): is heard, and is all that a quiet peer hears", async () => {
  await withRig(new Rig(["a", "b"], new MemoryNetwork()), async (rig) => {
    const [a, b] = await rig.startAll();
    assert(a && b);
    const before = b.heard.get(a.box) ?? 0;
    a.mesh.ping(rig.boxes);
    await rig.until("b hears a", () => (b.heard.get(a.box) ?? 0) > before);
    assertEquals(b.log, ["up a"]);
  });
});

Deno.test("Mesh.send(): refuses what cannot be sent, counts it, and notes it once a second", async () => {
  await withRig(new Rig(["a", "b"], new MemoryNetwork()), async (rig) => {
    const [a, b] = await rig.startAll({ limits: { lineBytesMax: 200, queueCharactersMax: 100 } });
    assert(a && b);
    assertEquals(a.mesh.send(b.box, textMail("x".repeat(200))), "refused");
    for (let i = 0; i < 9; i++) a.mesh.send(b.box, textMail(`number ${i}`));
    a.mesh.broadcastTo([b.box], "no room for this either, or is there any?");
    assertEquals(a.mesh.links()[0]?.refused, 6);
    assertEquals(a.notes, [
      {
        event: "mail.refused",
        detail: { peer: "b", from: "1", to: "2", reason: "the line is too long" },
      },
      { event: "broadcast.refused", detail: { peer: "b", reason: "the queue is full" } },
    ]);
    await rig.until("what was taken arrives", () => b.count("mail") === 5);
    assertEquals(b.log.slice(1), [0, 1, 2, 3, 4].map((i) => `mail a text number ${i}`));
  });
});

Deno.test("Mesh.send(): throws for a box that is not in the grid, or its own", async () => {
  await withRig(new Rig(["a", "b"], new MemoryNetwork()), async (rig) => {
    const a = await rig.start("a");
    assertThrows(() => a.mesh.send(a.box, textMail("x")), RangeError, 'Cannot reach box "a"');
    assertEquals(a.mesh.takesTyped(a.box), false);
  });
});

Deno.test("Mesh: nothing is delivered after a drop, not even what arrived with what came before", async () => {
  await withRig(new Rig(["a", "b"], new MemoryNetwork()), async (rig) => {
    const a: Member = await rig.start("a", {
      on: { mail: (peer) => a.mesh.drop(peer, "one is enough") },
    });
    const b = await rig.start("b");
    await rig.untilLinked([a, b]);
    for (let i = 0; i < 5; i++) b.mesh.send(a.box, textMail(`number ${i}`));
    await rig.until("both are up again", () => a.count("up b") === 2);
    assertEquals(a.log, ["up b", "mail b text number 0", "down b: one is enough", "up b"]);
  });
});

Deno.test("Mesh: a peer that does not read holds up nobody else", async () => {
  await withRig(new Rig(["a", "b", "c"], tcp), async (rig) => {
    const limits = { queueCharactersMax: 1 << 20 };
    const a = await rig.start("a", { limits });
    const b = await rig.start("b", { limits });
    await rig.dial("a", 'ping c\nhello {"box":"c"}\n', false);
    await rig.until("b and c are up", () => a.count("up") === 2);
    const c = rig.box("c");
    const bulk = textMail("x".repeat(1000));
    let taken = 0;
    // More than the system keeps for c and the queue together.
    for (let i = 0; i < 200 && a.mesh.send(c, bulk) === "sent"; i++) {
      for (let j = 0; j < 200; j++) a.mesh.send(c, bulk);
      taken += 201;
      assertEquals(a.mesh.send(b.box, textMail(`number ${i}`)), "sent");
      await rig.until("b gets its mail", () => b.count("mail") === i + 1);
    }
    assertEquals(a.mesh.send(c, bulk), "refused");
    assertLess(taken * 1000, 40e6);
    assertEquals(a.count("down"), 0);
    a.mesh.ping([b.box]);
  });
});

const heavyFaults: Faults = { pieceBytesMax: 300, delayMsMax: 3 };

Deno.test("Mesh: keeps each sender's order under load, delays and splits, and loses nothing", async () => {
  const transport = new FaultyTransport(new MemoryNetwork(), seededRandom(5n), heavyFaults);
  await withRig(new Rig(["a", "b", "c"], transport), async (rig) => {
    const members = await rig.startAll();
    const count = 300;
    for (let i = 0; i < count; i++) {
      for (const { box, mesh } of members) {
        for (const other of rig.boxes) if (other !== box) mesh.send(other, textMail(`${i}`));
      }
      if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await rig.until(
      "all has arrived",
      () => members.every((each) => each.count("mail") === 2 * count),
    );
    for (const member of members) assertInOrder(rig, member, count);
  });
});

Deno.test("Mesh: keeps each sender's order through cuts, and delivers nothing twice", async () => {
  const transport = new FaultyTransport(new MemoryNetwork(), seededRandom(6n), heavyFaults);
  await withRig(new Rig(["a", "b", "c"], transport), async (rig) => {
    const members = await rig.startAll();
    transport.faults = { ...heavyFaults, cut: 0.02, refuse: 0.3 };
    for (let i = 0; i < 400; i++) {
      for (const { box, mesh } of members) {
        for (const other of rig.boxes) if (other !== box) mesh.send(other, textMail(`${i}`));
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    transport.faults = {};
    await rig.untilLinked(members);
    for (const { box, mesh } of members) {
      for (const other of rig.boxes) if (other !== box) mesh.send(other, textMail("400"));
    }
    await rig.until(
      "the last mail of each has arrived",
      () => members.every(({ log }) => log.filter((entry) => entry.endsWith(" 400")).length === 2),
    );
    let downs = 0;
    for (const member of members) {
      assertInOrder(rig, member, undefined);
      downs += member.count("down");
      for (const other of rig.boxes) {
        const states = member.log.filter((entry) =>
          entry.startsWith(`up ${other}`) || entry.startsWith(`down ${other}`)
        );
        states.forEach((entry, i) => assertMatch(entry, i % 2 === 0 ? /^up/ : /^down/));
      }
    }
    // Or the test has tested nothing.
    assert(downs > 4, `only ${downs} links were cut`);
  });
});

function assertInOrder(rig: Rig, { box, log }: Member, count: number | undefined): void {
  for (const other of rig.boxes) {
    if (other === box) continue;
    const prefix = `mail ${other} text `;
    const numbers = log.filter((entry) => entry.startsWith(prefix))
      .map((entry) => Number(entry.slice(prefix.length)));
    for (let i = 1; i < numbers.length; i++) {
      assertLess(numbers[i - 1] ?? NaN, numbers[i] ?? NaN, `mail from ${other} to ${box}`);
    }
    if (count !== undefined) assertEquals(numbers.length, count);
  }
}

Deno.test("Mesh: the numeric dialect links by number, broadcasts, and says no more than ping and msg", async () => {
  await withRig(new Rig(["0", "2", "10"], tcp, "numeric"), async (rig) => {
    const [, , ten] = await rig.startAll();
    assert(ten);
    ten.mesh.broadcastTo(rig.boxes, "I’m ten, hi");
    assertEquals(ten.mesh.send(rig.box("0"), textMail("x")), "refused");
    await rig.until(
      "ten has been heard",
      () => rig.last("0").count("broadcast 10 I’m ten, hi") === 1,
    );
    // 10 dials 2, though "10" sorts before "2".
    await rig.stop(ten);
    const raw = await rig.dial("2", "ping 10\n");
    await rig.until("ten is up again", () => rig.last("2").count("up 10") === 2);
    rig.last("2").mesh.broadcastTo(rig.boxes, "welcome");
    await rig.until("ten hears it", () => raw.lines.length === 2);
    assertEquals(raw.lines, ["ping 2", "msg 2 welcome"]);
    assertEquals(rig.last("2").mesh.takesTyped(rig.box("10")), false);
  });
});

Deno.test("Mesh: goes on accepting after the system could not", async () => {
  const network = new MemoryNetwork();
  let failures = 2;
  const transport: Transport = {
    dial: (address, signal) => network.dial(address, signal),
    listen: async (address) => {
      const listener = await network.listen(address);
      return {
        address: listener.address,
        accept: () =>
          failures-- > 0 ? Promise.reject(new Error("Too many open files")) : listener.accept(),
        close: () => listener.close(),
      };
    },
  };
  await withRig(new Rig(["a", "b"], transport), async (rig) => {
    const [a] = await rig.startAll();
    assertEquals(a?.notes, [{
      event: "accept.failed",
      detail: { reason: "Error: Too many open files" },
    }]);
  });
});
