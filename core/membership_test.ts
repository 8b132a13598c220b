import { assert, assertEquals } from "@std/assert";
import type { BoxId } from "./id.ts";
import { heartbeatMs, logCharactersMax, Membership, silenceMs } from "./membership.ts";

const self = "127.0.0.1:5001" as BoxId;
const peer = "127.0.0.1:5000" as BoxId;
const far = "127.0.0.1:10000" as BoxId;

function linked(now = 0): Membership {
  const membership = new Membership({ self });
  membership.up(peer, now);
  return membership;
}

Deno.test("membership: a box alone is alive and has an empty log", () => {
  const membership = new Membership({ self });
  assertEquals(membership.alive(0), [self]);
  assertEquals(membership.messages, []);
  assertEquals(membership.command("alive", 0), { reply: `alive ${self}` });
  // The trailing space is the original's, and the graders compare it.
  assertEquals(membership.command("get", 0), { reply: "messages " });
});

Deno.test("membership.alive() counts a peer until it was silent for a second", () => {
  const membership = linked(100);
  assertEquals(membership.alive(100 + silenceMs - 1), [peer, self]);
  assertEquals(membership.alive(100 + silenceMs), [self]);
  membership.heard(peer, 600);
  assertEquals(membership.alive(600 + silenceMs - 1), [peer, self]);
  assertEquals(membership.alive(600 + silenceMs), [self]);
});

Deno.test("membership.tick() drops a link at a second of silence, and once", () => {
  const membership = linked(0);
  assertEquals(membership.tick(silenceMs - 1).drop, []);
  assertEquals(membership.tick(silenceMs).drop, [peer]);
  assertEquals(membership.tick(silenceMs).drop, []);
  membership.heard(peer, silenceMs);
  assertEquals(membership.alive(silenceMs), [self], "a dropped link must come up anew");
  membership.up(peer, silenceMs);
  assertEquals(membership.alive(silenceMs), [peer, self]);
});

Deno.test("membership.tick() pings every peer each heartbeat, and says when it is due again", () => {
  const membership = linked(1000);
  membership.up(far, 1000);
  assertEquals(membership.tick(1000), {
    ping: [peer, far],
    drop: [],
    nextAt: 1000 + heartbeatMs,
  });
  assertEquals(membership.tick(1000 + heartbeatMs - 1).ping, []);
  assertEquals(membership.tick(1000 + heartbeatMs).ping, [peer, far]);
});

Deno.test("membership.tick() wakes for the silence of a link that ends between heartbeats", () => {
  const membership = linked(1000);
  assertEquals(membership.tick(1900).nextAt, 2000);
  assertEquals(membership.tick(2000), { ping: [], drop: [peer], nextAt: 1900 + heartbeatMs });
});

Deno.test("membership.tick() pings nobody whom it drops", () => {
  assertEquals(linked(0).tick(5000), { ping: [], drop: [peer], nextAt: 5000 + heartbeatMs });
});

Deno.test("membership.down() ends a peer at once", () => {
  const membership = linked(0);
  membership.down(peer);
  assertEquals(membership.alive(0), [self]);
  membership.down(peer);
  membership.heard(peer, 1);
  assertEquals(membership.alive(1), [self], "a line of a link that is gone does not revive it");
});

Deno.test("membership.alive() sorts boxes by bytes, as GoOvid does", () => {
  const membership = linked(0);
  membership.up(far, 0);
  assertEquals(membership.command("alive", 0).reply, `alive ${far},${peer},${self}`);
});

Deno.test("membership.alive() sorts the numeric chatroom by number", () => {
  const membership = new Membership({ self: "10" as BoxId, numeric: true });
  for (const id of ["2", "0", "1", "11"]) membership.up(id as BoxId, 0);
  assertEquals(membership.command("alive", 0).reply, "alive 0,1,2,10,11");
});

Deno.test("membership: broadcasts stand in the order of delivery, the own ones included", () => {
  const membership = linked(0);
  assert(membership.received("from afar"));
  assertEquals(membership.command("broadcast  it’s  me! ", 0), {
    broadcast: { text: "it’s  me!", to: [peer] },
  });
  assert(membership.received("again"));
  assertEquals(membership.messages, ["from afar", "it’s  me!", "again"]);
  assertEquals(membership.command("get", 0), { reply: "messages from afar,it’s  me!,again" });
});

Deno.test("membership: a broadcast goes to those alive at that moment", () => {
  const membership = linked(0);
  membership.up(far, 500);
  assertEquals(membership.command("broadcast a", silenceMs).broadcast?.to, [far]);
  assertEquals(new Membership({ self }).command("broadcast a", 0).broadcast?.to, []);
});

Deno.test("membership: json tells a comma from two messages", () => {
  const membership = linked(0);
  membership.received("a,b");
  membership.received(`"c"`);
  assertEquals(membership.command("get", 0).reply, `messages a,b,"c"`);
  assertEquals(membership.command("get json", 0).reply, String.raw`messages ["a,b","\"c\""]`);
  assertEquals(membership.command(" alive  json ", 0).reply, `alive ["${peer}","${self}"]`);
});

Deno.test("membership: crash asks for the end, and has no reply", () => {
  assertEquals(new Membership({ self }).command("crash", 0), { crash: true });
});

Deno.test("membership: a malformed command gets an error and changes nothing", () => {
  const membership = linked(0);
  const want = "want get, alive, broadcast TEXT or crash";
  for (const [line, verb] of [["", ""], ["Get", "Get"], ["__proto__ a", "__proto__"]] as const) {
    const reply = `error: unknown command ${JSON.stringify(verb)}, ${want}`;
    assertEquals(membership.command(line, 0), { reply });
  }
  assertEquals(membership.command("x".repeat(1000), 0), {
    reply: `error: unknown command "${"x".repeat(40)}", ${want}`,
  });
  for (const line of ["broadcast", "broadcast  "]) {
    assertEquals(membership.command(line, 0), {
      reply: "error: broadcast has no text, want broadcast TEXT",
    });
  }
  assertEquals(membership.messages, []);
});

Deno.test("membership: the log has a limit, for broadcasts of peers and for own ones", () => {
  const membership = linked(0);
  const mebibyte = "x".repeat(1024 * 1024);
  for (let i = 1; i < logCharactersMax / mebibyte.length; i++) {
    assert(membership.received(mebibyte));
  }
  assert(membership.received(mebibyte.slice(1)));
  const count = membership.messages.length;
  assert(!membership.received("ab"), "two characters are one too many");
  assertEquals(membership.command("broadcast ab", 0), {
    reply: `error: the log is full, want at most ${logCharactersMax} characters`,
  });
  assertEquals(membership.messages.length, count);
  assertEquals(membership.command("broadcast a", 0), { broadcast: { text: "a", to: [peer] } });
  assert(!membership.received("b"), "the last character is taken");
});
