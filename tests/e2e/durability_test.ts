// kill -9 of the store's box, again and again under load: no acknowledged put may be lost.

import { assertEquals } from "@std/assert";
import { seededRandom } from "../../core/random.ts";
import { eventually, Running, Workspace } from "./support.ts";

/** How often the box is killed; the gate asks for fewer by the environment. */
const kills = Number(Deno.env.get("OVID_KILLS") ?? "100");
const keys = 7;

Deno.test(`kill -9 of the store's box ${kills} times under load loses no acknowledged put`, async () => {
  using workspace = new Workspace().copy("examples", "kvs");
  const grid = workspace.file("grid.json");
  const agents = Object.values<{ type: string; box: string }>(
    JSON.parse(Deno.readTextFileSync(grid)),
  );
  const boxOf = (type: string) => agents.find((agent) => agent.type === type)?.box ?? "";
  const random = seededRandom(20_26n);
  await using terminal = new Running(["box", grid, boxOf("kvs_tty")]);
  let replica = new Running(["box", grid, boxOf("kvs_replica")]);
  try {
    const answers = () => terminal.stdout.split("\n").length - 1;
    let asked = 0;
    const ask = async (count: number) => {
      let lines = "";
      for (let i = 0; i < count; i++, asked++) lines += `put k${asked % keys} ${asked}\n`;
      await terminal.type(lines);
    };
    for (let kill = 0; kill < kills; kill++) {
      // Always more commands than the box can answer before it is killed: it dies with one under way.
      await ask(40);
      const until = answers() + 1 + Math.floor(random() * 30);
      await eventually(`answer ${until}`, () => answers() >= until, 20_000);
      replica.kill("SIGKILL");
      await replica.end();
      replica = new Running(["box", grid, boxOf("kvs_replica")]);
    }
    await eventually("all answers", () => answers() >= asked, 60_000);
    assertEquals(new Set(terminal.stdout.trimEnd().split("\n")), new Set(["ok"]));
    for (let key = 0; key < keys; key++) await terminal.type(`get k${key}\n`);
    await eventually("what the store holds", () => answers() >= asked + keys, 20_000);
    const last = Array.from({ length: keys }, (_, key) => asked - 1 - ((asked - 1 - key) % keys));
    assertEquals(terminal.stdout.trimEnd().split("\n").slice(-keys), last.map(String));
  } finally {
    await replica[Symbol.asyncDispose]();
  }
});
