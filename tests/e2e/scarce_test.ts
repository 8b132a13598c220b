// A box that may open few files: while there is no room for connections its links live on, and afterwards it accepts
// again.

import { assert, assertStringIncludes } from "@std/assert";
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
