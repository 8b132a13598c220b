// Boxes of GoOvid beside ours: played by raw connections that say only what GoOvid says.

import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { agentId } from "../core/id.ts";
import { MemoryNetwork } from "./memory.ts";
import { Rig, textMail, typedMail, withRig } from "./mesh_rig.ts";

function rig(): Rig {
  return new Rig(["a", "b", "c"], new MemoryNetwork());
}

// What ends a GoOvid box, as far as a single line can.
function assertHarmless(lines: readonly string[]): void {
  for (const line of lines) {
    const words = line.trim().split(" ");
    assertGreater(words.length, 1, line);
    if (words[0] === "msg") assertMatch(line, /^msg \d{1,5} \d{1,5} \d{1,5} .*\S/);
    if (words[0] === "ping") assertEquals(words.length, 2);
    if (words[0] === "chatroom") assertMatch(line, /^chatroom \S+ .*\S/);
    assert(words[0] !== "mail", line);
  }
}

Deno.test("Mesh: a foreign peer that dials is up, exchanges text and broadcasts, and is told nothing that harms it", async () => {
  await withRig(rig(), async (rig) => {
    const b = await rig.start("b");
    const raw = await rig.dial("b", "ping c\n");
    await rig.until("c is up", () => b.count("up c") === 1);
    const c = rig.box("c");
    assertEquals(b.mesh.takesTyped(c), false);
    assertEquals(b.mesh.links().find(({ peer }) => peer === c)?.kind, "foreign");

    const text = (from: string, to: string, port: number, text: string) => ({
      from: agentId(from),
      to: agentId(to),
      message: { type: "text", port, text },
    });
    assertEquals(b.mesh.send(c, textMail("put a 1")), "sent");
    assertEquals(b.mesh.send(c, text("32767", "32767", 32767, "x")), "sent");
    for (
      const mail of [
        typedMail("x"),
        textMail("  "),
        text("32768", "2", 1, "x"),
        text("kv", "2", 1, "x"),
        text("1", "kv/2", 1, "x"),
        text("1", "2", 32768, "x"),
      ]
    ) assertEquals(b.mesh.send(c, mail), "refused");
    b.mesh.broadcastTo(rig.boxes, " ");
    b.mesh.broadcastTo(rig.boxes, "I’m b");
    b.mesh.ping(rig.boxes);
    await rig.until("all has arrived", () => raw.lines.length === 6);
    assertHarmless(raw.lines);
    assertEquals(raw.lines[0], "ping b");
    assertMatch(raw.lines[1] ?? "", /^hello \{\S+\}$/);
    assertEquals(raw.lines.slice(2).sort(), [
      "chatroom b I’m b",
      "msg 1 2 1 put a 1",
      "msg 32767 32767 32767 x",
      "ping b",
    ]);
    assertEquals(b.mesh.links().find(({ peer }) => peer === c)?.refused, 7);
    assertEquals(b.notes.find(({ event }) => event === "mail.refused"), {
      event: "mail.refused",
      detail: {
        peer: "c",
        from: "1",
        to: "2",
        reason: 'a message of type "put", and the peer takes only text',
      },
    });

    await raw.say(
      "ping c\nunknown header\nmsg 2 1 1 ok\nchatroom c hi there\nmsg chatroom c old form\n",
    );
    await rig.until("all is told", () => b.count("broadcast") === 2);
    assertEquals(b.log, ["up c", "mail c text ok", "broadcast c hi there", "broadcast c old form"]);
    assertEquals(b.notes.filter(({ event }) => event === "frame.unknown"), []);
    raw.close();
    await rig.until("c is down", () => b.count("down c: the peer closed") === 1);
  });
});

Deno.test("Mesh: mail that precedes a foreign peer's first ping is delivered once the peer is up", async () => {
  await withRig(rig(), async (rig) => {
    const b = await rig.start("b");
    const raw = await rig.dial("b", "msg 2 1 1 first\nchatroom c second\n");
    await raw.say("ping c\nmsg 2 1 1 third\n");
    await rig.until("all is told", () => b.log.length === 4);
    assertEquals(b.log, ["up c", "mail c text first", "broadcast c second", "mail c text third"]);
  });
});

Deno.test("Mesh: a peer that speaks before it says hello is foreign at once", async () => {
  await withRig(rig(), async (rig) => {
    const b = await rig.start("b", { limits: { helloMs: 1e8 } });
    const raw = await rig.dial("b", "ping c\n");
    await raw.say("ping c\n");
    await rig.until("b has greeted", () => raw.lines.length === 2);
    assertEquals(b.log, []);
    await raw.say("msg 2 1 1 x\n");
    await rig.until("c is up", () => b.log.length === 2);
    assertEquals(b.mesh.takesTyped(rig.box("c")), false);
  });
});

Deno.test("Mesh: a hello in a later chunk counts before the peer is up", async () => {
  await withRig(rig(), async (rig) => {
    const b = await rig.start("b", { limits: { helloMs: 1e8 } });
    const raw = await rig.dial("b", "ping c\n");
    await rig.until("b has greeted", () => raw.lines.length === 2);
    await raw.say("hel");
    await raw.say('lo {"ovid":2}\nmsg a-1 kv 1 x\n');
    await rig.until("the mail is told", () => b.log.length === 2);
    assertEquals(b.log, ["up c", "mail c text x"]);
    assertEquals(b.mesh.send(rig.box("c"), typedMail("x")), "sent");
    await rig.until("typed mail arrives", () => raw.lines.length === 3);
    assertEquals(raw.lines[2], 'mail 1 2 {"type":"put","value":"x"}');
  });
});

Deno.test("Mesh: a hello that comes too late still counts from then on", async () => {
  await withRig(rig(), async (rig) => {
    const b = await rig.start("b", { limits: { helloMs: 1 } });
    const raw = await rig.dial("b", "ping c\n");
    await rig.until("c is up", () => b.log.length === 1);
    assertEquals(b.mesh.send(rig.box("c"), typedMail("x")), "refused");
    await raw.say("hello {}\n");
    await rig.until("it is noted", () => b.notes.some(({ event }) => event === "hello.late"));
    assertEquals(b.mesh.send(rig.box("c"), typedMail("x")), "sent");
    assertEquals(b.log, ["up c"]);
  });
});

Deno.test("Mesh: a foreign peer that we dial hears hello first, and ping only after a while", async () => {
  await withRig(rig(), async (rig) => {
    const { raws } = await rig.listen("a", "ping a\n");
    const limits = { foreignPingMs: 60, helloMs: 10 };
    const began = performance.now();
    const b = await rig.start("b", { limits });
    await rig.until("a is up", () => b.count("up a") === 1);
    const [raw] = raws;
    assert(raw);
    while (!raw.lines.includes("ping b")) {
      b.mesh.ping(rig.boxes);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assertGreater(performance.now() - began, 59);
    assertHarmless(raw.lines);
    const hello = raw.lines.indexOf("ping b");
    assertGreater(hello, 1);
    assertEquals(new Set(raw.lines.slice(0, hello)).size, 1);
    assertMatch(raw.lines[0] ?? "", /^hello /);
    await raw.say("msg 2 1 1 still the same link\n");
    await rig.until("mail is told", () => b.count("mail") === 1);
    assertEquals(b.log, ["up a", "mail a text still the same link"]);
  });
});

Deno.test("Mesh: a peer that we dial is not up before it has spoken, and is dialled again", async () => {
  await withRig(rig(), async (rig) => {
    const { raws } = await rig.listen("a");
    const b = await rig.start("b", { limits: { identifyMs: 20 } });
    await rig.until("it was dialled three times", () => raws.length === 3);
    assertEquals(b.log, []);
    assertEquals(raws.slice(0, 2).map(({ closed }) => closed), [true, true]);
  });
});

Deno.test("Mesh: a foreign peer's second link is kept beside the first, which counts", async () => {
  await withRig(rig(), async (rig) => {
    const b = await rig.start("b", { limits: { helloMs: 1 } });
    const first = await rig.dial("b", "ping c\n");
    await rig.until("c is up", () => b.count("up c") === 1);
    const second = await rig.dial("b", "ping c\n");
    await rig.until("the second is greeted", () => second.lines.length === 2);
    b.mesh.send(rig.box("c"), textMail("to the first"));
    b.mesh.ping(rig.boxes);
    await second.say("msg 2 1 1 from the second\n");
    await first.say("msg 2 1 1 from the first\n");
    await rig.until("both are heard", () => b.count("mail") === 2);
    await rig.until("both have a heartbeat", () => first.lines.length + second.lines.length === 7);
    assertEquals(second.lines.filter((line) => line === "ping b").length, 2);
    // The second link proves nothing about the first.
    const heard = b.heard.get(rig.box("c"));
    await second.say("ping c\nmsg 2 1 1 more\n");
    await rig.until("it is heard", () => b.count("mail") === 3);
    assertEquals(b.heard.get(rig.box("c")), heard);
    assert(first.lines.includes("msg 1 2 1 to the first"));
    const third = await rig.dial("b", "ping c\n");
    const fourth = await rig.dial("b", "ping c\n");
    await rig.until("the fourth is refused", () => fourth.closed);
    assertEquals([first, second, third].map(({ closed }) => closed), [false, false, false]);
    assertEquals(b.count("down"), 0);
    first.close();
    await rig.until("the others go with the first", () => second.closed && third.closed);
    assertEquals(b.log.filter((entry) => !entry.startsWith("mail")), [
      "up c",
      "down c: the peer closed",
    ]);
  });
});

Deno.test("Mesh: a peer that says hello gets no second link", async () => {
  await withRig(rig(), async (rig) => {
    const b = await rig.start("b", { limits: { helloMs: 1 } });
    await rig.dial("b", "ping c\n");
    await rig.until("c is up", () => b.count("up c") === 1);
    const second = await rig.dial("b", 'ping c\nhello {"box":"c"}\n');
    await rig.until("the second is closed", () => second.closed);
    // As an Ovid box dials, which must not take a greeting for a link.
    const third = await rig.dial("b", 'hello {"box":"c"}\n');
    await rig.until("the third is closed", () => third.closed);
    assertEquals(third.lines, []);
    assertEquals(b.log, ["up c"]);
  });
});
