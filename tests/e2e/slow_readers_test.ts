// Those who stop reading: a peer, a terminal, a client with watches. What waits for them has a limit, and nobody else
// waits for them. (A master that does not read: box/master_port_test.ts; one by HTTP: box/http_test.ts.)

import { assert, assertEquals, assertLess } from "@std/assert";
import { gobbyServer } from "../../agents/gobby/server.ts";
import { vrClient } from "../../agents/vr/client.ts";
import { makeVrReplica } from "../../agents/vr/replica.ts";
import { Grounds } from "../../box/test_support.ts";
import { GobbyClient } from "../../client/gobby.ts";
import type { BoxId } from "../../core/id.ts";
import { tcp } from "../../transport/tcp.ts";
import {
  eventually,
  freePorts,
  LineClient,
  ovidCommand,
  Running,
  wasStarved,
  Workspace,
} from "./support.ts";

const megabyte = 1024 * 1024;

function residentBytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

async function say(connection: Deno.TcpConn, text: string): Promise<void> {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(await connection.write(bytes));
}

/** What a promise comes to; undefined if that takes too long. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) =>
    timer = setTimeout(() => resolve(undefined), ms)
  );
  const result = await Promise.race([promise, late]);
  clearTimeout(timer);
  return result;
}

function dummies(workspace: Workspace, boxes: readonly string[]): string {
  const grid = workspace.file("grid.json");
  const agent = (box: string) => ({ type: "dummy", box, attrs: {}, routes: {} });
  const agents = Object.fromEntries(boxes.map((box, index) => [`${index + 1}`, agent(box)]));
  Deno.writeTextFileSync(grid, JSON.stringify(agents));
  return grid;
}

Deno.test("a peer that stops reading costs its box a bounded queue, and other peers nothing", async () => {
  using workspace = new Workspace();
  const boxes = freePorts(3).map((port) => `127.0.0.1:${port}`).sort();
  const [first = "", second = "", third = ""] = boxes;
  const grid = dummies(workspace, boxes);
  const [masterPort = 0, otherPort = 0] = freePorts(2).map((port) => Math.max(port, 10_000));
  await using target = new Running(["box", grid, second, "--master", String(masterPort)]);
  await using other = new Running(["box", grid, first, "--master", String(otherPort)]);
  await eventually("both are linked", () => /linked to/.test(other.stderr), 60_000);
  using deaf = await Deno.connect({ hostname: "127.0.0.1", port: Number(second.split(":")[1]) });
  await say(deaf, `ping ${third}\nhello {"ovid":1,"box":"${third}"}\n`);
  // It goes on speaking, so that it counts as alive.
  const beating = setInterval(() => say(deaf, `ping ${third}\n`).catch(() => {}), 200);
  try {
    await eventually("the deaf one is linked", () => target.stderr.includes(`linked to ${third}`));
    using master = await LineClient.connect(masterPort);
    const before = residentBytes(target.process.pid);
    // Twice what its queue takes, and the system's buffers.
    const count = 80;
    const text = "x".repeat(500_000);
    for (let i = 0; i < count; i++) {
      await master.send(`broadcast ${text}\n`);
      assert((await master.ask("alive")).startsWith("alive "));
    }
    using far = await LineClient.connect(otherPort);
    await eventually("the other has heard it all", async () => {
      if (wasStarved(target, other)) return true;
      await far.send("get\n");
      return (await far.line(60_000)).length === "messages ".length + count * (text.length + 1) - 1;
    }, 60_000);
    assert(/broadcast\.refused/.test(target.stderr), "its queue was full");
    // The log of broadcasts itself, the queue, and what a collector has not come to.
    const grown = residentBytes(target.process.pid) - before;
    assertLess(grown, 250 * megabyte);
    if (wasStarved(target, other)) return;
    for (const { stderr } of [target, other]) assert(!stderr.includes("lost the link"), stderr);
  } finally {
    clearInterval(beating);
  }
});

Deno.test("a terminal that stops reading holds up nobody, is told what it missed, and ends with its box", async () => {
  using workspace = new Workspace();
  const [port = 0, masterFree = 0] = freePorts(2);
  const box = `127.0.0.1:${port}`;
  const masterPort = Math.max(masterFree, 10_000);
  const grid = dummies(workspace, [box]);
  const { command, args } = ovidCommand(["box", grid, box, "--master", String(masterPort)]);
  const process = new Deno.Command(command, {
    ...{ args, env: { NO_COLOR: "1" } },
    ...{ stdin: "piped", stdout: "piped", stderr: "piped" },
  }).spawn();
  let stderr = "";
  const decoder = new TextDecoder();
  const logging = (async () => {
    for await (const bytes of process.stderr) stderr += decoder.decode(bytes, { stream: true });
  })();
  const output = process.stdout.getReader();
  try {
    await eventually("it is up", () => stderr.includes("up, seed"), 60_000);
    using guest = await LineClient.connect(port);
    await guest.send('hello {"client":"c"}\n');
    using master = await LineClient.connect(masterPort);
    const padding = "x".repeat(50_000);
    const before = residentBytes(process.pid);
    for (let number = 0; number < 300; number++) {
      await guest.send(`msg c 1 0 ${number} ${padding}\n`);
      if (number % 10 === 0) assertEquals(await master.ask("alive"), `alive ${box}`);
    }
    await guest.send("msg c 1 0 last\n");
    assertLess(residentBytes(process.pid) - before, 150 * megabyte);

    let text = "";
    const utf8 = new TextDecoder();
    const shown = () => text.split("\n").slice(0, -1).map((line) => Number(line.split(" ")[0]));
    const isTold = () => stderr.includes("left out");
    while (shown().length < 40 || !(isTold() || text.includes("> last\n"))) {
      const { value } = await output.read();
      text += utf8.decode(value, { stream: true });
    }
    await eventually("it says what it left out", isTold);
    // In order, and the oldest whole: what was left out is what came when there was no room.
    assertEquals(shown().slice(0, 40), [...Array(40).keys()]);

    // It stops again, and its box is to end all the same.
    for (let number = 0; number < 100; number++) {
      await guest.send(`msg c 1 0 ${number} ${padding}\n`);
    }
    process.kill("SIGTERM");
    assert(await within(process.status, 30_000) !== undefined, "it ends");
  } finally {
    try {
      process.kill("SIGKILL");
    } catch {
      // It has ended, as it should.
    }
    await process.status;
    await output.cancel();
    await process.stdin.close().catch(() => {});
    await logging;
  }
});

Deno.test("a client that stops reading its watches holds up no other", async () => {
  const [port = 0] = freePorts(1);
  const box = `127.0.0.1:${port}` as BoxId;
  const grounds = new Grounds(
    {
      s1: {
        ...{ type: "gobby_server", box },
        attrs: { servers: ["s1"], group: "g1", leaseMs: 300, maxLeaseMs: 300 },
      },
      g1: { type: "vr_client", box, attrs: { replicas: ["r1"] } },
      r1: {
        ...{ type: "vr_replica", box },
        attrs: { replicas: ["r1"], machine: "gobby_service", bootstrap: true },
      },
    },
    [gobbyServer, vrClient, makeVrReplica()],
    tcp,
  );
  await using _running = await grounds.start(box);
  await using gobby = new GobbyClient({ servers: { s1: box } });
  await gobby.put("a", "0");
  using deaf = await Deno.connect({ hostname: "127.0.0.1", port });
  await say(deaf, 'hello {"client":"deaf"}\n');
  const follow = { type: "follow", client: "deaf", target: { kind: "prefix", prefix: "" } };
  const watches = 50;
  for (let watch = 1; watch <= watches; watch++) {
    const message = { ...follow, watch, next: null, oneShot: false, again: false };
    await say(deaf, `mail deaf s1 ${JSON.stringify(message)}\n`);
  }
  const start = new Uint8Array(1 << 16);
  let greeting = "";
  while (greeting.split("following").length <= watches) {
    greeting += new TextDecoder().decode(start.subarray(0, await deaf.read(start) ?? 0));
  }
  using watch = gobby.watch({ kind: "prefix", prefix: "" });
  await watch.started();
  const count = 100;
  const heard = (async () => {
    const values: string[] = [];
    for await (const event of watch) {
      if (event.kind === "keyStored") values.push(event.entry.value.split(" ")[0] ?? "");
      if (values.length >= count) return values;
    }
    return values;
  })();
  const padding = "x".repeat(20_000);
  for (let number = 0; number < count; number++) await gobby.put("a", `${number} ${padding}`);
  assertEquals(await heard, Array.from({ length: count }, (_, number) => String(number)));
  // What was sent to the one that is deaf: each watch until it had to say how far it had got.
  let received = 0;
  const buffer = new Uint8Array(1 << 18);
  let reading = deaf.read(buffer).catch(() => null);
  for (let bytes; (bytes = await within(reading, 1000)) !== undefined && bytes !== null;) {
    received += bytes;
    reading = deaf.read(buffer).catch(() => null);
  }
  deaf.close();
  await reading;
  assertLess(watches * padding.length, received, "each watch got something");
  assertLess(received, watches * 12 * padding.length, "and not all of it");
});
