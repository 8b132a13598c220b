// A thousand reconnects of a peer and as many of programs and masters: no descriptor and no memory is left behind, and
// nobody else's link is disturbed.

import { assertEquals, assertLess } from "@std/assert";
import { eventually, freePorts, LineClient, Running, wasStarved, Workspace } from "./support.ts";

const reconnects = Deno.env.has("OVID_SHORT") ? 200 : 1000;
const megabyte = 1024 * 1024;

function residentBytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

function descriptors(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** Connects, says something, waits for the answer and goes. */
async function visit(port: number, said: string, answer: string): Promise<boolean> {
  using client = await LineClient.connect(port);
  await client.send(said);
  try {
    return (await client.line(30_000)).startsWith(answer);
  } catch {
    // Turned away: who went before it has not been missed yet.
    return false;
  }
}

Deno.test("a thousand reconnects leave nothing behind, and disturb nobody", async () => {
  using workspace = new Workspace();
  const ports = freePorts(3);
  const [first = "", second = "", third = ""] = ports.map((port) => `127.0.0.1:${port}`).sort();
  const grid = workspace.file("grid.json");
  const agent = (box: string) => ({ type: "dummy", box, attrs: {}, routes: {} });
  const agents = { "1": agent(first), "2": agent(second), "3": agent(third) };
  Deno.writeTextFileSync(grid, JSON.stringify(agents));
  const [masterPort = 0] = freePorts(1).map((port) => Math.max(port, 10_000));
  await using target = new Running(["box", grid, second, "--master", String(masterPort)]);
  await using other = new Running(["box", grid, first]);
  await eventually("both are linked", () => /linked to/.test(other.stderr), 60_000);
  const linkPort = Number(second.split(":")[1]);
  const pid = target.process.pid;

  const peer = () => visit(linkPort, `ping ${third}\nhello {"ovid":1,"box":"${third}"}\n`, "ping ");
  let clients = 0;
  const client = () => visit(linkPort, `hello {"ovid":1,"client":"c${clients++}"}\n`, "hello ");
  const master = () => visit(masterPort, "alive\n", "alive ");
  const many = async (count: number) => {
    let linked = 0;
    for (let i = 0; i < count; i++) {
      const [came] = await Promise.all([peer(), client(), master()]);
      if (came) linked++;
    }
    return linked;
  };
  // What is compared is growth, and not a first use.
  await many(reconnects / 4);
  const settle = async () => {
    let last = -1;
    let same = 0;
    return await eventually("descriptors have settled", () => {
      const now = descriptors(pid);
      same = now === last ? same + 1 : 0;
      last = now;
      return same >= 20 ? now : undefined;
    }, 60_000);
  };
  const before = { memory: residentBytes(pid), descriptors: await settle() };
  const linked = await many(reconnects);
  assertLess(reconnects / 2, linked, "most of them must have been linked");
  assertEquals(await settle(), before.descriptors);
  assertLess(residentBytes(pid) - before.memory, 20 * megabyte);
  const lost = (text: string, box: string) => text.split(`lost the link to ${box}`).length - 1;
  if (!wasStarved(target, other)) {
    assertEquals([lost(target.stderr, first), lost(other.stderr, second)], [0, 0], other.stderr);
  }
  assertLess(reconnects / 2, lost(target.stderr, third));
});
