// GoOvid's paxos grid on real processes: generated, commanded at the controller's terminal, dumped and compared.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { eventually, onFreePorts, ovid, Running, Workspace } from "./support.ts";

interface Agent {
  readonly type: string;
  readonly box: string;
}

/** A generated grid on ports that are free, and its controller's terminal. */
class Chatroom implements AsyncDisposable {
  readonly workspace: Workspace = new Workspace();
  readonly #agents: Readonly<Record<string, Agent>>;
  readonly grid: string;
  readonly controller: Running;

  private constructor(generated: string) {
    this.grid = this.workspace.file("paxos.json");
    const text = onFreePorts(generated);
    Deno.writeTextFileSync(this.grid, text);
    this.#agents = JSON.parse(text);
    this.controller = new Running(["box", this.grid, this.boxOf("999")], {
      cwd: this.workspace.path,
    });
  }

  static async open(...args: readonly string[]): Promise<Chatroom> {
    const { code, stdout, stderr } = await ovid(["generate", "paxos", ...args]);
    assertEquals(code, 0, stderr);
    return new Chatroom(stdout);
  }

  boxOf(agent: string): string {
    return this.#agents[agent]?.box ?? "";
  }

  portOf(agent: string): string {
    return this.boxOf(agent).split(":")[1] ?? "";
  }

  /** Starts the boxes of agents, and waits until the controller is linked to them. */
  async start(...agents: string[]): Promise<void> {
    const links = new Map(agents.map((agent) => [agent, this.#links(agent)]));
    for (const agent of agents) await this.controller.type(`start ${this.portOf(agent)} 0\n`);
    for (const [agent, count] of links) {
      try {
        await eventually(`a link to ${agent}`, () => this.#links(agent) > count, 60_000);
      } catch (error) {
        throw new Error(`The controller said:\n${this.controller.stderr}`, { cause: error });
      }
    }
  }

  // Its own lines have no name before them; those of the boxes that it has started have.
  #links(agent: string): number {
    const linked = `info linked to ${this.boxOf(agent)}`;
    return this.controller.stderr.split("\n").filter((line) => line === linked).length;
  }

  dumpOf(replica: string): string {
    const folder = join(".ovid", "paxos", this.boxOf(replica), "files");
    return this.workspace.file(join(folder, "tmp", `replica${replica}.output`));
  }

  /** Dumps until all of the replicas have so many commands, since one that was down may have to catch up first. */
  async dump(replicas: readonly string[], commands: number): Promise<void> {
    await eventually(`${commands} commands in each dump`, async () => {
      await this.controller.type("dump\n");
      return replicas.every((replica) => countLines(this.dumpOf(replica)) === commands);
    }, 60_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.controller[Symbol.asyncDispose]();
    // Its boxes end with its pipe, and let go of their files.
    await eventually("the end of all boxes", () => !isNamed(this.workspace.path), 20_000);
    this.workspace[Symbol.dispose]();
  }
}

function countLines(file: string): number {
  try {
    return Deno.readTextFileSync(file).split("\n").length - 1;
  } catch {
    return 0;
  }
}

/** Whether any process has `word` in its command line. */
function isNamed(word: string): boolean {
  return Array.from(Deno.readDirSync("/proc")).some(({ name }) => {
    if (!/^\d+$/.test(name) || Number(name) === Deno.pid) return false;
    try {
      return Deno.readTextFileSync(`/proc/${name}/cmdline`).includes(word);
    } catch {
      return false;
    }
  });
}

Deno.test("paxos_chatroom: start, req, dump, kill and start again, and all is consistent", async () => {
  await using chatroom = await Chatroom.open("1", "1", "manual");
  const { controller } = chatroom;
  const replicas = ["1", "2", "3"];
  assertEquals((await ovid(["check", chatroom.grid])).code, 0);
  await chatroom.start(...replicas, "100");
  await controller.type("req 100 good morning\n");
  await chatroom.dump(replicas, 1);
  assertEquals(Deno.readTextFileSync(chatroom.dumpOf("2")), "100, 1 : 'good morning'\n");

  await controller.type(`kill ${chatroom.portOf("1")}\n`);
  await eventually("word of it", () => controller.stdout.includes("has ended"));
  await controller.type("req 100 without the first\n");
  await chatroom.dump(["2", "3"], 2);
  await chatroom.start("1");
  await controller.type("req 100 all again\n");
  await chatroom.dump(replicas, 3);
  const dumps = replicas.map((replica) => chatroom.dumpOf(replica));
  const compared = await ovid(["consistency", ...dumps]);
  assertEquals([compared.stdout, compared.code], ["All good :)\n", 0], compared.stderr);

  await controller.type("start 1 0\nnonsense\nexit\n");
  assertEquals((await controller.end()).code, 0, controller.stderr);
  assertStringIncludes(controller.stdout, "Nothing done about 127.0.0.1:1: want one of ");
  assertStringIncludes(controller.stdout, "Invalid command, want start, kill, req");
  assertEquals(isNamed(chatroom.workspace.path), false, "exit ends what was started");
});

Deno.test("paxos_chatroom: clients in mode script issue commands by themselves, also under loss", async () => {
  await using chatroom = await Chatroom.open("1", "2", "script");
  const { controller } = chatroom;
  for (const agent of ["1", "2", "3"]) {
    await controller.type(`start ${chatroom.portOf(agent)} 0.1\n`);
  }
  await chatroom.start("100", "101");
  await eventually("commands of both clients", async () => {
    await controller.type("dump\n");
    return countLines(chatroom.dumpOf("1")) >= 4;
  }, 90_000);
  assertMatch(Deno.readTextFileSync(chatroom.dumpOf("1")), /^10[01], 1 : '\(10[01] : 1\)'\n/);
  controller.kill("SIGKILL");
  await eventually("the end of its children", () => !isNamed(chatroom.workspace.path), 20_000);
});

Deno.test("ovid consistency names the first line that differs, and files that are not there", async () => {
  using workspace = new Workspace();
  const write = (name: string, text: string) => {
    Deno.writeTextFileSync(workspace.file(name), text);
    return workspace.file(name);
  };
  const first = write("1", "a\nhole\nc\nd\n");
  const second = write("2", "a\nb\nc\n");
  const third = write("3", "a\nb\nC\n");
  assertEquals((await ovid(["consistency", first, second])).stdout, "All good :)\n");
  const differing = await ovid(["consistency", first, second, third]);
  assertEquals(differing.code, 1);
  assertEquals(differing.stdout, `Line 3 differs:\n  ${first}: c\n  ${third}: C\n`);
  const missing = await ovid(["consistency", first, workspace.file("nope")]);
  assertEquals(missing.code, 2);
  assertStringIncludes(missing.stderr, `${workspace.file("nope")}": there is no such file`);
  assertEquals((await ovid(["consistency", first])).code, 2);
});

Deno.test("ovid generate has its limits, from both sides, and writes what ovid check takes", async () => {
  using workspace = new Workspace();
  const file = workspace.file("largest.json");
  const largest = ["generate", "paxos", "49", "100", "script", "--output", file];
  const { code, stderr } = await ovid(largest);
  assertEquals(code, 0, stderr);
  const checked = await ovid(["check", file]);
  assertEquals(checked.code, 0, checked.stderr);
  assertMatch(checked.stdout, /^200 agents in 200 boxes\n/);
  for (const wrong of [["50", "1"], ["0", "1"], ["1", "0"], ["1", "101"], ["1.5", "1"]]) {
    assertEquals((await ovid(["generate", "paxos", ...wrong, "script"])).code, 2, wrong.join());
  }
  assertEquals((await ovid(["generate", "paxos", "1", "1", "auto"])).code, 2);
  assertEquals((await ovid(["generate", "vr", "1", "1", "script"])).code, 2);
});
