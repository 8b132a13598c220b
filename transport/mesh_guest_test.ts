// Programs outside the grid: they join by hello, have a voice of their own, and no other.

import { assertEquals } from "@std/assert";
import { agentId } from "../core/id.ts";
import { MemoryNetwork } from "./memory.ts";
import { Rig, withRig } from "./mesh_rig.ts";

const hello = 'hello {"ovid":1,"client":"c1"}\n';

function rig(): Rig {
  return new Rig(["a", "b"], new MemoryNetwork());
}

Deno.test("Mesh: a client joins by hello, sends mail in its own name, and gets answers on its link", async () => {
  await withRig(rig(), async (rig) => {
    const a = await rig.start("a");
    const raw = await rig.dial("a", hello + 'mail c1 1 {"type":"ask"}\n');
    await rig.until("its mail is there", () => a.log.length === 2);
    assertEquals(a.log, ["guest c1", "from guest c1 to 1 ask"]);
    const guest = agentId("c1");
    const envelope = { from: agentId("1"), to: guest, message: { type: "answer" } };
    assertEquals(a.mesh.sendToGuest(guest, envelope), "sent");
    await rig.until("the answer is there", () => raw.lines.length === 2);
    assertEquals(raw.lines[0]?.startsWith("hello {"), true);
    assertEquals(raw.lines[1], 'mail 1 c1 {"type":"answer"}');
    raw.close();
    await rig.until("it has left", () => a.count("guest c1 left") === 1);
    assertEquals(a.mesh.sendToGuest(guest, envelope), "down");
  });
});

Deno.test("Mesh: a client that speaks in another's name, broadcasts, or claims a name that is taken, is closed", async () => {
  await withRig(rig(), async (rig) => {
    const a = await rig.start("a");
    for (
      const line of ['mail 1 2 {"type":"ask"}', "chatroom c1 hi", "msg 1 2 3 hi", hello.trim()]
    ) {
      const raw = await rig.dial("a", `${hello}${line}\n`);
      await rig.until(`${line} closes`, () => raw.closed);
    }
    await rig.dial("a", hello);
    await rig.until("one is in", () => a.count("guest c1") - 2 * a.count("guest c1 left") === 1);
    const second = await rig.dial("a", hello);
    await rig.until("the second is closed", () => second.closed);
    assertEquals(
      a.log.some((entry) => entry.startsWith("mail") || entry.startsWith("broadcast")),
      false,
    );
  });
});

Deno.test("Mesh: a box may turn a client away, and a silent connection is no client", async () => {
  await withRig(rig(), async (rig) => {
    await rig.start("a", { on: { guestCame: () => "not today" } });
    const raw = await rig.dial("a", hello);
    await rig.until("it is turned away", () => raw.closed);
    const nameless = await rig.dial("a", 'hello {"ovid":1}\n');
    await rig.until("it is closed", () => nameless.closed);
  });
});
