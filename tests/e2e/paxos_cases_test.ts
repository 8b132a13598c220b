// The cases of Multi-Paxos on real processes: a grid of GoOvid's agents, of which every node has a replica and a client,
// goes through what each case says, and ends with a dump of every replica that has exactly so many commands, each once and
// all in one order. The simulator has the same (paxos_cases.ts).

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Json } from "../../core/data.ts";
import { commandsOf, findDumpFault } from "../../sim/scenarios/paxos_dumps.ts";
import { type CaseAgent, CaseBoxes, freeBoxes, isShort, sideBySide } from "./case_support.ts";
import type { MailFaults } from "./faulty_way.ts";

const output = "replica.output";
const clientOf = (node: number) => 100 + node;
const controllerId = 999;
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

interface CaseOptions {
  readonly nodes: number;
  /** How many commands each node issues by itself; without it, as the controller says. */
  readonly script?: number;
  readonly faults?: MailFaults;
  /** The share of mail that each node loses, of that within its box, too. */
  readonly loss?: number;
  /** A node that is never there. */
  readonly absent?: number;
}

function chatroomGrid({ nodes, script }: CaseOptions): Record<string, CaseAgent> {
  const replicas = upTo(nodes);
  const clients = replicas.map(clientOf);
  const [controllerBox = "", ...boxes] = freeBoxes(nodes + 1);
  const routes = (ids: readonly number[], port: number) =>
    Object.fromEntries(ids.map((id) => [id, { [id]: port }]));
  const mode: Record<string, Json> = script === undefined
    ? { mode: "manual" }
    : { mode: "script", requests: script, everyMs: 1 };
  const agents: Record<string, CaseAgent> = {
    [controllerId]: {
      type: "paxos_controller",
      box: controllerBox,
      attrs: { replicas, clients },
      routes: { ...routes(replicas, 9), ...routes(clients, 9) },
    },
  };
  for (const [index, box] of boxes.entries()) {
    const node = index + 1;
    agents[node] = {
      type: "paxos_replica",
      box,
      attrs: { myid: node, replicas, clients, output },
      routes: { ...routes(replicas.filter((each) => each !== node), 1), ...routes(clients, 1) },
    };
    agents[clientOf(node)] = {
      type: "paxos_client",
      box,
      attrs: { myid: clientOf(node), replicas, retryMs: 200, ...mode },
      routes: routes(replicas, 2),
    };
  }
  return agents;
}

/** Nodes that run, and the terminal of their controller. */
class Nodes implements AsyncDisposable {
  readonly boxes: CaseBoxes;
  readonly present: readonly number[];
  readonly #grid: Readonly<Record<string, CaseAgent>>;
  /** How many commands each node has issued. */
  readonly #issued = new Map<number, number>();

  private constructor(options: CaseOptions) {
    const { nodes, absent, loss, script, faults } = options;
    this.#grid = chatroomGrid(options);
    this.boxes = new CaseBoxes(this.#grid, faults);
    this.present = upTo(nodes).filter((node) => node !== absent);
    this.boxes.start(this.#boxOf(controllerId));
    const lossy = loss === undefined ? [] : ["--loss", `${loss}`, "--debug"];
    for (const node of this.present) {
      this.boxes.start(this.#boxOf(node), ...lossy);
      this.#issued.set(node, script ?? 0);
    }
  }

  static async start(options: CaseOptions): Promise<Nodes> {
    const started = new Nodes(options);
    await started.#reach(started.present);
    return started;
  }

  #boxOf(agent: number): string {
    return this.#grid[agent]?.box ?? "";
  }

  /** How many commands there must be by now. */
  get total(): number {
    return [...this.#issued.values()].reduce((sum, count) => sum + count, 0);
  }

  /** How often mail was lost on purpose. */
  get lost(): number {
    const boxes = this.present.map((node) => this.#boxOf(node));
    return boxes.reduce((sum, box) => sum + this.boxes.count(box, " mail.lost "), 0);
  }

  async #type(line: string): Promise<void> {
    await this.boxes.type(this.#boxOf(controllerId), line);
  }

  /** Waits until nodes hear the controller. */
  async #reach(nodes: readonly number[]): Promise<void> {
    for (const node of nodes) this.boxes.removeFile(this.#boxOf(node), output);
    await this.#dumpUntil(
      `a dump of each of ${nodes.join(", ")}`,
      () => nodes.every((node) => this.boxes.fileOf(this.#boxOf(node), output) !== undefined),
    );
  }

  async #dumpUntil(what: string, condition: () => boolean): Promise<void> {
    let askedAt = -Infinity;
    await this.boxes.until(what, async () => {
      if (performance.now() - askedAt >= 200) {
        askedAt = performance.now();
        await this.#type("dump");
      }
      return condition();
    });
  }

  /** Sends a signal to nodes, and waits until the controller has logged these words of each of them. */
  async #signal(nodes: readonly number[], signal: Deno.Signal, words: string): Promise<void> {
    const count = (node: number) =>
      this.boxes.count(this.#boxOf(controllerId), `${words} ${this.#boxOf(node)}`);
    const before = new Map(nodes.map((node) => [node, count(node)]));
    for (const node of nodes) this.boxes.running.get(this.#boxOf(node))?.kill(signal);
    for (const [node, seen] of before) {
      await this.boxes.until(`"${words}" of node ${node}`, () => count(node) > seen);
    }
  }

  /** Stops the processes of nodes, until nobody is linked to them any more. */
  async pause(nodes: readonly number[]): Promise<void> {
    await this.#signal(nodes, "SIGSTOP", "lost the link to");
  }

  async resume(nodes: readonly number[]): Promise<void> {
    await this.#signal(nodes, "SIGCONT", "linked to");
    await this.#reach(nodes);
  }

  /** Lets each of these nodes issue so many commands, and waits until those that are not paused have all. */
  async issue(nodes: readonly number[], each: number, awake = nodes): Promise<void> {
    for (const node of nodes) {
      const before = this.#issued.get(node) ?? 0;
      for (let number = 1; number <= each; number++) {
        await this.#type(`req ${clientOf(node)} command ${before + number}`);
      }
      this.#issued.set(node, before + each);
    }
    await this.dump(awake);
  }

  /** Dumps until each of these nodes has all commands. That none has another, or twice, is looked at each time. */
  async dump(nodes = this.present, total = this.total): Promise<void> {
    await this.#dumpUntil(`${total} commands in all dumps`, () => {
      const dumps = nodes.flatMap((node) => {
        const text = this.boxes.fileOf(this.#boxOf(node), output);
        return text === undefined ? [] : [{ name: `replica ${node}`, text }];
      });
      assertEquals(findDumpFault(dumps), undefined);
      for (const dump of dumps) {
        assert(commandsOf(dump) <= total, `${dump.name} has more than ${total} commands`);
      }
      return dumps.length === nodes.length && dumps.every((dump) => commandsOf(dump) === total);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.boxes[Symbol.asyncDispose]();
  }
}

/** Every node issues so many commands by itself. */
async function script(options: CaseOptions & { readonly script: number }): Promise<void> {
  await using nodes = await Nodes.start(options);
  await nodes.dump();
  if (options.loss !== undefined) assert(nodes.lost > 0, "some mail was lost");
  if (options.faults?.late !== undefined) assert(nodes.boxes.toll.late > 0, "some mail was late");
}

/** Some are paused, while the others issue commands; then `last` do, and those that were paused catch up. */
async function pause(
  { nodes: count, paused, each, last }: {
    nodes: number;
    paused: readonly number[];
    each: number;
    last: readonly number[];
  },
): Promise<void> {
  await using nodes = await Nodes.start({ nodes: count });
  // Node 1 leads at first, if it is there.
  await nodes.pause(paused);
  await nodes.issue(upTo(count).filter((node) => !paused.includes(node)), each);
  await nodes.resume(paused);
  await nodes.issue(last, 2, nodes.present);
}

async function oneAbsent(): Promise<void> {
  await using nodes = await Nodes.start({ nodes: 3, absent: 1 });
  await nodes.issue([2, 3], 2);
}

const late = { share: 0.1, minMs: 1200, maxMs: 2000 };

Deno.test("paxos: every node issues 50 commands", async (t) => {
  await sideBySide(t, {
    "3-normal: 150 commands in all dumps": () => script({ nodes: 3, script: 50 }),
    "5-normal: 250 commands in all dumps": () => script({ nodes: 5, script: 50 }),
    "3-one-absent: 4 commands in both dumps": oneAbsent,
  });
});

Deno.test({
  name: "paxos: nodes are paused while others go on, and catch up",
  ignore: isShort,
  async fn(t) {
    await sideBySide(t, {
      "3-pause: 6 commands": () => pause({ nodes: 3, paused: [1], each: 2, last: [1] }),
      "3-pause1: 6 commands": () => pause({ nodes: 3, paused: [1], each: 2, last: [2] }),
      "5-pause: 10 commands": () => pause({ nodes: 5, paused: [1], each: 2, last: [1] }),
      "5-pause1: 10 commands": () => pause({ nodes: 5, paused: [1], each: 2, last: [2] }),
      "5-pause2: 22 commands": () => pause({ nodes: 5, paused: [1, 2], each: 6, last: [1, 2] }),
    });
  },
});

Deno.test({
  name: "paxos: every node issues 50 commands while mail is lost or late",
  ignore: isShort,
  async fn(t) {
    await sideBySide(t, {
      "3-random-delay: every tenth message is late": () =>
        script({ nodes: 3, script: 50, faults: { late } }),
      "5-random-delay: every tenth message is late": () =>
        script({ nodes: 5, script: 50, faults: { late } }),
      "3-random-drop: 20 % of all mail is lost": () => script({ nodes: 3, script: 50, loss: 0.2 }),
      "5-random-drop: 15 % of all mail is lost": () => script({ nodes: 5, script: 50, loss: 0.15 }),
    });
  },
});

// The simulator's case of five has 2000 a node, which take half a minute here on a busy machine.
for (const [nodes, each] of [[3, 3000], [5, 1000]] as const) {
  Deno.test({
    name: `paxos-${nodes}-stress: every node issues ${each} commands`,
    ignore: isShort,
    fn: () => script({ nodes, script: each }),
  });
}

Deno.test("paxos-3-normal notices a dump that has more commands than there must be", async () => {
  await using nodes = await Nodes.start({ nodes: 3 });
  await nodes.issue([1], 2);
  await assertRejects(() => nodes.dump([1], 1), Error, "has more than 1 commands");
});
