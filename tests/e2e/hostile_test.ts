// Hostile input on a box's port and on its master port: the box stays up, other links are undisturbed, and
// afterwards it holds no more memory and no more descriptors than before.

import { assertEquals, assertLess } from "@std/assert";
import { seededRandom } from "../../core/random.ts";
import { eventually, freePorts, LineClient, Running, Workspace } from "./support.ts";

/** How many connections are opened to each port; the gate asks for fewer by the environment. */
const opens = Number(Deno.env.get("OVID_OPENS") ?? "50000");
const opensAtOnce = 50;
const megabyte = 1024 * 1024;

function residentBytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

function descriptors(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** The value of something once it has stayed the same for twenty looks in a row. */
async function settled(look: () => number): Promise<number> {
  let last = look();
  let same = 0;
  return await eventually("something settled", () => {
    const next = look();
    same = next === last ? same + 1 : 0;
    last = next;
    return same >= 20 ? next : undefined;
  });
}

async function openMany(port: number, count: number): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left-- > 0) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      connection.close();
    }
  };
  await Promise.all(Array.from({ length: opensAtOnce }, worker));
}

/** Sends bytes and waits until the box has closed the connection, or for `patienceMs` where it may stay. */
async function attack(port: number, chunks: Iterable<Uint8Array | string>): Promise<void> {
  using client = await LineClient.connect(port);
  try {
    for (const chunk of chunks) await client.send(chunk);
  } catch {
    // Closed by the box in the middle of it: as it should be.
  }
  await eventually("the box to close the connection", () => client.closed, 5000);
}

function* randomBytes(seed: bigint, chunks: number): Generator<Uint8Array> {
  const random = seededRandom(seed);
  for (let i = 0; i < chunks; i++) {
    yield Uint8Array.from({ length: 1000 }, () => Math.floor(random() * 256));
  }
}

function* endlessLine(): Generator<Uint8Array> {
  const chunk = new Uint8Array(65536).fill(97);
  for (let i = 0; i < 512; i++) yield chunk;
}

Deno.test("a box outlives hostile input on both of its ports", async () => {
  using workspace = new Workspace().copy("tests", "conformance", "goovid", "grid");
  const grid = workspace.file("test.json");
  const agents = Object.values<{ box: string }>(JSON.parse(Deno.readTextFileSync(grid)));
  const [first = "", second = "", third = ""] = agents.map((agent) => agent.box).sort();
  const [masterPort = 0, otherPort = 0] = freePorts(2).map((port) => Math.max(port, 10_000));
  await using target = new Running(["box", grid, second, "--master", String(masterPort)]);
  await using lower = new Running(["box", grid, first, "--master", String(otherPort)]);
  await using higher = new Running(["box", grid, third]);
  void [lower, higher];
  const alive = async (port: number) => {
    using master = await LineClient.connect(port);
    return await master.ask("alive");
  };
  const all = `alive ${[first, second, third].join(",")}`;
  await eventually(
    "all alive",
    () => target.stderr.includes("up, seed") && lower.stderr.includes("up, seed"),
  );
  await eventually("all linked", async () => await alive(masterPort) === all);
  const linkPort = Number(second.split(":")[1]);
  const pid = target.process.pid;

  const quiet = await settled(() => descriptors(pid));
  const isQuiet = () => descriptors(pid) === quiet;
  // A warm-up of the same kind, so that what is compared is growth and not a first use.
  for (const port of [linkPort, masterPort]) await openMany(port, opens / 10);
  await eventually("quiet before the attack", isQuiet, 10_000);
  const memory = residentBytes(pid);
  const linksLost = () => target.stderr.split("lost the link").length;
  const lostBefore = linksLost();

  for (const port of [linkPort, masterPort]) {
    await attack(port, randomBytes(BigInt(port), 300));
    await attack(port, endlessLine());
    await attack(port, [
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n\r\ncrash\n",
    ]);
    await openMany(port, opens);
  }
  // Half a line, and silence: a link has to say who it is within a second; a master may take its time.
  await attack(linkPort, ["ping 127.0"]);
  await attack(linkPort, [`hello {"ovid":1,"box":"${first}"}\nping ${first}\n`]);
  await attack(linkPort, [`hello {"ovid":1,"box":"${third}"}\nping ${third}\nmsg 0 1 1 forged\n`]);
  await attack(linkPort, ["hello {\n"]);
  using half = await LineClient.connect(masterPort);
  await half.send("ali");
  assertEquals(await alive(masterPort), all);
  await half.send("ve\n");
  assertEquals(await half.line(), all);

  assertEquals(linksLost(), lostBefore, `other links were disturbed\n${target.stderr}`);
  assertEquals(await alive(otherPort), all);
  half[Symbol.dispose]();
  await eventually("as many descriptors as before", isQuiet, 10_000);
  assertLess(residentBytes(pid) - memory, 20 * megabyte);
});
