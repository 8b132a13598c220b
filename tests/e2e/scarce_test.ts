// A box that may open few files, and one that may write little: while there is no room for connections its links live on,
// and afterwards it accepts again; with no room for its journal it ends, and has what it acknowledged.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  eventually,
  freePorts,
  LineClient,
  ovidCommand,
  Running,
  wasStarved,
  Workspace,
} from "./support.ts";

/** More than a box needs for itself, and less than it would take from strangers. */
const filesMax = 70;

Deno.test({
  name: "a box that is out of descriptors keeps its links, and accepts again once it can",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    using workspace = new Workspace();
    const [lowPort = 0, highPort = 0] = freePorts(2).sort((a, b) => a - b);
    const [low, high] = [`127.0.0.1:${lowPort}`, `127.0.0.1:${highPort}`];
    const grid = workspace.file("grid.json");
    const agent = (box: string) => ({ type: "dummy", box, attrs: {}, routes: {} });
    Deno.writeTextFileSync(grid, JSON.stringify({ "1": agent(low), "2": agent(high) }));
    const [masterPort = 0, otherPort = 0] = freePorts(2).map((port) => Math.max(port, 10_000));
    const { command, args } = ovidCommand(["box", grid, low, "--master", String(masterPort)]);
    const limited = `ulimit -n ${filesMax}; exec "$0" "$@"`;
    await using target = new Running([], {
      command: "sh",
      line: ["-c", limited, command, ...args],
    });
    await using other = new Running(["box", grid, high, "--master", String(otherPort)]);
    const alive = async (port: number) => {
      using master = await LineClient.connect(port);
      return await master.ask("alive");
    };
    const all = `alive ${[low, high].sort().join(",")}`;
    await eventually(
      "both are up",
      () => /up, seed/.test(target.stderr) && /up, seed/.test(other.stderr),
      60_000,
    );
    await eventually("both are linked", async () => await alive(masterPort) === all, 30_000);

    const strangers: Deno.TcpConn[] = [];
    try {
      for (const port of [masterPort, lowPort]) {
        for (let i = 0; i < filesMax; i++) {
          strangers.push(await Deno.connect({ hostname: "127.0.0.1", port }));
        }
      }
      await eventually(
        "no more descriptors",
        () => /Too many open files/.test(target.stderr),
        30_000,
      );
      await eventually("the link lives on", async () => await alive(otherPort) === all);
    } finally {
      for (const stranger of strangers) stranger.close();
    }
    // Those who waited are served, and so is who comes now.
    await eventually(
      "it accepts masters again",
      async () => await alive(masterPort).catch(() => "") === all,
      30_000,
    );
    using client = await LineClient.connect(lowPort);
    await client.send('hello {"client":"c"}\n');
    assertStringIncludes(await client.line(30_000), "hello ");
    if (wasStarved(target, other)) return;
    for (const { stderr } of [target, other]) assert(!stderr.includes("lost the link"), stderr);
  },
});

Deno.test({
  name: "a box whose journal finds no room ends with a word, and has all that it acknowledged",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    using workspace = new Workspace();
    const [port = 0] = freePorts(1);
    const box = `127.0.0.1:${port}`;
    const grid = workspace.file("grid.json");
    const agents = {
      "100": { type: "kvs_tty", box, attrs: {}, routes: { "1": { "200": 1 } } },
      "200": {
        type: "kvs_client",
        box,
        attrs: { myid: 200 },
        routes: { "1": { "100": 1 }, "2": { "300": 1 } },
      },
      "300": { type: "kvs_replica", box, attrs: {}, routes: { "200": { "200": 2 } } },
    };
    Deno.writeTextFileSync(grid, JSON.stringify(agents));
    const { command, args } = ovidCommand(["box", grid, box]);
    // Files end at 64 KiB or less, by an error: the signal that goes with it is ignored.
    const limited = `trap '' XFSZ; ulimit -f 64; exec "$0" "$@"`;
    const count = 200;
    const value = (key: number) => `${key}${"x".repeat(1000)}`;
    let acknowledged = 0;
    {
      await using target = new Running([], {
        command: "sh",
        line: ["-c", limited, command, ...args],
      });
      await eventually("it is up", () => target.stderr.includes("up, seed"), 60_000);
      let isOver = false;
      const ending = target.process.status.then(() => isOver = true);
      const answers = () => target.stdout.split("ok\n").length - 1;
      for (let key = 0; key < count && !isOver; key++) {
        // Its end breaks the pipe.
        await target.type(`put ${key} ${value(key)}\n`).catch(() => {});
        await eventually("it answers or ends", () => answers() > key || isOver, 60_000);
      }
      await ending;
      const { code } = await target.end();
      acknowledged = answers();
      assertEquals(code, 1, target.stderr);
      assertStringIncludes(target.stderr, "this box must end: Cannot write ");
      assert(!target.stderr.includes("Uncaught"), target.stderr);
    }
    assert(acknowledged > 5 && acknowledged < count, `${acknowledged} were acknowledged`);
    await using again = new Running(["box", grid, box]);
    for (let key = 0; key < acknowledged; key++) await again.type(`get ${key}\n`);
    const found = () => again.stdout.split("\n").slice(0, -1);
    await eventually("it has answered all", () => found().length === acknowledged, 60_000);
    assertEquals(found(), Array.from({ length: acknowledged }, (_, key) => value(key)));
  },
});
