// What a box must bear from whoever finds its port.

import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { seededRandom } from "../core/random.ts";
import { MemoryNetwork } from "./memory.ts";
import {
  type Member,
  type MemberOptions,
  type RawPeer,
  Rig,
  textMail,
  withRig,
} from "./mesh_rig.ts";
import { tcp } from "./tcp.ts";

// Two boxes that are linked, and notice whatever happens to their link.
async function withPair(
  options: MemberOptions,
  transport: typeof tcp,
  body: (rig: Rig, a: Member, b: Member) => Promise<void>,
): Promise<void> {
  await withRig(new Rig(["a", "b", "c"], transport), async (rig) => {
    const a = await rig.start("a", options);
    const b = await rig.start("b", options);
    await rig.until("a and b are linked", () => a.count("up b") + b.count("up a") === 2);
    await body(rig, a, b);
    a.mesh.send(b.box, textMail("still here"));
    b.mesh.send(a.box, textMail("here too"));
    await rig.until("the link still works", () => a.count("mail b") + b.count("mail a") === 2);
    assertEquals(a.count("up b") + a.count("down b"), 1);
    assertEquals(b.count("up a") + b.count("down a"), 1);
  });
}

// The reason for which `member` closed a connection that said `said`.
async function reasonFor(rig: Rig, member: Member, said: string | Uint8Array): Promise<string> {
  const before = member.notes.length;
  const raw = await rig.dial(member.box);
  await raw.say(said).catch(() => {});
  await rig.until("the connection is closed", () => raw.closed);
  assertEquals(raw.lines, []);
  const reasons = member.notes.slice(before).map(({ detail }) => JSON.stringify(detail));
  return reasons.join();
}

const strangers: readonly [what: string, said: string | Uint8Array, reason: RegExp][] = [
  ["an HTTP request", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", /a web request/],
  [
    "an HTTP request with lines of ours",
    "POST / HTTP/1.1\r\n\r\nping c\nmsg 1 2 1 x\n",
    /a web request/,
  ],
  ["TLS", Uint8Array.of(0x16, 3, 1, 0, 0xf8, 1, 0, 10), /not UTF-8/],
  ["an empty line", "\n", /has one word/],
  ["one word", "crash\n", /has one word/],
  ["a broken ping", "ping a b\n", /names no box/],
  ["a ping from nobody", "ping x\n", /not in the grid/],
  ["a hello from nobody", 'hello {"box":"x"}\n', /not in the grid/],
  ["a hello without a box", "hello {}\n", /names neither a box nor a client/],
  [
    "a hello from a box with an endless name",
    `hello {"box":"${"x".repeat(999)}"}\n`,
    /names neither a box nor a client/,
  ],
  ["a ping in our name", "ping b\n", /as we are/],
  ["a box that we dial", "ping a\n", /which we dial/],
  ["a ping and a hello that differ", 'ping c\nhello {"box":"a"}\n', /it says that it is \\"a\\"/],
  ["two pings that differ", "ping c\nping a\n", /it says that it is \\"a\\"/],
  ["an endless line", new Uint8Array(200_000).fill(97), /within 65536 bytes/],
  ["much mail and no name", "msg 1 2 3 x\n".repeat(9000), /within 65536 bytes/],
];

for (const [what, said, reason] of strangers) {
  Deno.test(`Mesh: ${what} closes the connection, and disturbs nobody`, async () => {
    await withPair({}, new MemoryNetwork(), async (rig, _, b) => {
      const raw = await rig.dial("b");
      await raw.say(said).catch(() => {});
      await rig.until("the connection is closed", () => raw.closed);
      assertMatch(JSON.stringify(b.notes), reason);
      assertEquals(b.log, ["up a"]);
    });
  });
}

Deno.test("Mesh: silence, half a line, and lines that name nobody end after a second at most", async () => {
  await withPair({ limits: { identifyMs: 30 } }, new MemoryNetwork(), async (rig, _, b) => {
    assertMatch(await reasonFor(rig, b, ""), /did not say who it is within 30 ms/);
    for (const said of ["ping c", "any thing\n", "msg 1 2 3 x\n"]) await reasonFor(rig, b, said);
    assertEquals(b.log, ["up a"]);
  });
});

Deno.test("Mesh: a claim to be a peer whose link is alive is turned away", async () => {
  await withRig(new Rig(["a", "b", "c"], new MemoryNetwork()), async (rig) => {
    const [, b, c] = await rig.startAll();
    assert(b && c);
    assertMatch(
      await reasonFor(rig, b, 'ping c\nhello {"box":"c"}\nmsg 1 2 1 forged\n'),
      /link is alive/,
    );
    await reasonFor(rig, b, 'hello {"box":"c"}\n');
    await reasonFor(rig, b, "ping c\n");
    assertEquals(c.mesh.send(b.box, textMail("mine")), "sent");
    await rig.until("c is still c", () => b.log.length === 3);
    assertEquals(b.log.at(-1), "mail c text mine");
  });
});

Deno.test("Mesh: a claim to be a peer that has gone silent takes its place", async () => {
  await withRig(new Rig(["a", "b", "c"], new MemoryNetwork()), async (rig) => {
    const b = await rig.start("b", { limits: { incumbentMs: 20 } });
    const old = await rig.dial("b", 'ping c\nhello {"box":"c"}\n');
    await rig.until("c is up", () => b.log.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 25));
    const fresh = await rig.dial("b", 'ping c\nhello {"box":"c"}\nmsg 2 1 1 new\n');
    await old.say("msg 2 1 1 old\n").catch(() => {});
    await rig.until("the new one is up", () => b.log.length === 4);
    assertEquals(b.log, [
      "up c",
      "down c: a new link took the place of a silent one",
      "up c",
      "mail c text new",
    ]);
    await rig.until("the old one is closed", () => old.closed);
    assertEquals(fresh.closed, false);
  });
});

const peers: readonly [what: string, said: string, reason: RegExp][] = [
  ["speaks in another's name", "chatroom a hi", /in the name of "a"/],
  ["says one word", "quit", /has one word/],
  ["says something broken", "msg 1 2 x y", /has no port/],
  ["turns out to be a browser", "GET / HTTP/1.1", /a web request/],
];

for (const hello of ["", 'hello {"box":"c"}\n']) {
  for (const [what, said, reason] of peers) {
    const kind = hello === "" ? "a foreign peer" : "a peer";
    Deno.test(`Mesh: the link of ${kind} that ${what} is closed with a reason`, async () => {
      await withPair({ limits: { helloMs: 1 } }, new MemoryNetwork(), async (rig, _, b) => {
        const raw = await rig.dial("b", `ping c\n${hello}`);
        await rig.until("c is up", () => b.count("up c") === 1);
        await raw.say(`${said}\nmsg 1 2 1 never told\n`);
        await rig.until("c is down", () => b.count("down c") === 1);
        assertMatch(b.log.at(-1) ?? "", reason);
        await rig.until("the connection is closed", () => raw.closed);
      });
    });
  }
}

Deno.test("Mesh: what a newer peer says beyond our knowledge is ignored, and noted once", async () => {
  await withPair({}, new MemoryNetwork(), async (rig, _, b) => {
    const raw = await rig.dial("b", 'ping c\nhello {"box":"c","ovid":9}\n');
    await raw.say("batch of things\n".repeat(100));
    await raw.say("msg 1 2 1 after\n");
    await rig.until("the mail is told", () => b.count("mail c") === 1);
    assertEquals(b.notes, [{ event: "frame.unknown", detail: { peer: "c", verb: "batch" } }]);
    raw.close();
    await rig.until("c is down", () => b.count("down c") === 1);
  });
});

Deno.test("Mesh: of too many strangers the oldest has to go", async () => {
  await withPair({ limits: { strangersMax: 3 } }, new MemoryNetwork(), async (rig) => {
    // Three, and one for each other box.
    const raws: RawPeer[] = [];
    for (let i = 0; i < 5; i++) raws.push(await rig.dial("b"));
    raws.push(await rig.dial("b"));
    await rig.until("the first is closed", () => raws[0]?.closed === true);
    assertEquals(raws.map(({ closed }) => closed), [true, false, false, false, false, false]);
    await raws[1]?.say("ping c\n");
    await rig.until("the second is greeted", () => raws[1]?.lines.length === 2);
    // It is no stranger any more, so there is room for one.
    raws.push(await rig.dial("b"));
    raws.push(await rig.dial("b"));
    await rig.until("the third is closed", () => raws[2]?.closed === true);
    assertEquals(raws[1]?.closed, false);
    raws[1]?.close();
  });
});

Deno.test("Mesh: random bytes never do harm", async () => {
  const random = seededRandom(11n);
  await withPair({}, tcp, async (rig, _, b) => {
    for (let i = 0; i < 100; i++) {
      const bytes = Uint8Array.from({ length: 400 }, () => random() * (i % 2 === 0 ? 256 : 128));
      const raw = await rig.dial("b", bytes);
      raw.close();
    }
    assertEquals(b.log, ["up a"]);
  });
});

function openDescriptors(): number {
  return Deno.build.os === "linux" ? [...Deno.readDirSync("/proc/self/fd")].length : 0;
}

Deno.test("Mesh: 2,000 connections, 50 at once, leave no descriptor behind", async () => {
  await withPair({}, tcp, async (rig, _, b) => {
    const before = openDescriptors();
    const bearable = ["", "ping ", "msg 1 2 1 x\n"];
    const broken = ["GET / HTTP/1.1\r\n\r\n", "\n", "ping x\n"];
    let opened = 0;
    const open = async () => {
      while (opened < 2000) {
        const i = opened++;
        const raw = await rig.dial("b");
        await raw.say((i % 2 === 0 ? bearable : broken)[i % 3] ?? "").catch(() => {});
        if (i % 2 === 1) await rig.until("b closes it", () => raw.closed);
        raw.close();
      }
    };
    await Promise.all(Array.from({ length: 50 }, open));
    const timer = setInterval(() => rig.poke(), 10);
    await rig.until("b has closed all", () => openDescriptors() <= before);
    clearInterval(timer);
    assertEquals(b.count("down a"), 0);
    assertGreater(b.notes.length, 0);
  });
});
