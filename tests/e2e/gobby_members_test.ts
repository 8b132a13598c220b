// Who keeps Gobby's data is changed on real processes, while programs count under a lock: a spare takes the place of a
// replica whose box is gone for good, and one that has lost its disk is taken in again.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { GobbyClient } from "../../client/gobby.ts";
import { OperationError } from "../../client/group_client.ts";
import { GobbyBoxes } from "./gobby_support.ts";
import { eventually } from "./support.ts";

/** Increases a number under a lock, again and again; what has come of it. */
class Counter {
  done = 0;
  unknown = 0;
  readonly #work: Promise<void>;
  #ended = false;

  constructor(boxes: GobbyBoxes) {
    this.#work = this.#count(boxes);
  }

  async #count(boxes: GobbyBoxes): Promise<void> {
    await using gobby = boxes.client({ sessionTtlMs: 5000, deadlineMs: 60_000 });
    while (!this.#ended) {
      try {
        await using lock = await gobby.lock("lock", { waitMs: 60_000 });
        const before = Number((await gobby.get("counter"))?.value ?? "0");
        await gobby.put("counter", `${before + 1}`, { fence: lock });
        this.done++;
      } catch (error) {
        if (!(error instanceof OperationError)) throw error;
        if (!error.certain) this.unknown++;
      }
    }
  }

  async more(what: string): Promise<void> {
    const wanted = this.done + 10;
    await eventually(`increments ${what}`, () => this.done >= wanted, 60_000);
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#work;
  }
}

/** Without r3 for good, the group stands the loss of one more disk, which is that of r1. */
async function takeInAgain(
  boxes: GobbyBoxes,
  more: (what: string) => Promise<unknown>,
): Promise<void> {
  await using gobby = boxes.client({ deadlineMs: 20_000 });
  await boxes.kill("s1");
  await boxes.loseDisk("s1");
  // Of the five servers three own the lease: s2 and s4 alone do not.
  boxes.start("s1");
  await eventually("r1 to be back", async () => (await statesOf(gobby))[0] === "lost", 60_000);
  const shown = await changeMembers(boxes);
  assertStringIncludes(shown.stdout, "r1  member, but has lost its disk: members add r1 takes");
  const taken = await changeMembers(boxes, "add", "r1");
  assertEquals(taken.code, 0, taken.stderr);
  await eventually(
    "r1 to be a member again",
    async () =>
      (await statesOf(gobby)).join() === "present,present,silent spare,present,silent spare",
    60_000,
  );
  await more("after a lost disk");
}

/** What each replica is. */
async function statesOf(gobby: GobbyClient): Promise<string[]> {
  const { replicas } = await gobby.members();
  return replicas.map(({ isMember, state }) => isMember ? state : `${state} spare`);
}

const changeMembers = (boxes: GobbyBoxes, ...args: string[]) =>
  boxes.run(["members", ...args, "--timeout", "20000"]);

const short = Deno.env.has("OVID_SHORT");

for (const engine of ["paxos_member", "vr_replica"]) {
  const ignore = short && engine === "vr_replica";
  Deno.test({
    ignore,
    name:
      `ovid gobby members: a spare replaces a ${engine} whose box is gone, a lost disk is taken in again`,
    async fn() {
      await using boxes = new GobbyBoxes({ file: "grid_with_spares.json", engine });
      // The last spare is never there.
      for (const server of ["s1", "s2", "s3", "s4"]) boxes.start(server);
      await using gobby = boxes.client({ deadlineMs: 20_000 });
      await gobby.put("counter", "0");
      await eventually(
        "all to be there",
        async () =>
          (await statesOf(gobby)).join() === "present,present,present,present spare,silent spare",
        60_000,
      );
      const counters = [new Counter(boxes), new Counter(boxes)] as const;
      const more = (what: string) => Promise.all(counters.map((counter) => counter.more(what)));
      await more("at first");

      const refused = await changeMembers(boxes, "replace", "r3", "r5");
      assertEquals([refused.code, refused.stdout], [1, ""]);
      assertStringIncludes(refused.stderr, "r5 does not answer");
      await boxes.kill("s3");
      await boxes.loseDisk("s3");
      const replaced = await changeMembers(boxes, "replace", "r3", "r4");
      assertEquals(replaced.code, 0, replaced.stderr);
      assertStringIncludes(replaced.stdout, "epoch 1\n");
      assertStringIncludes(replaced.stdout, "\nr3  spare, does not answer\nr4  member");
      await more("with the spare");

      if (!short) await takeInAgain(boxes, more);

      for (const counter of counters) await counter.end();
      const total = Number((await gobby.get("counter"))?.value);
      const [done, unknown] = counters.reduce(
        ([done, unknown], each) => [done + each.done, unknown + each.unknown],
        [0, 0],
      );
      assert(total >= done && total <= done + unknown, `${total} of ${done}, ${unknown} unknown`);
      console.log(`${engine}: ${done} increments, ${unknown} unknown, total ${total}`);
    },
  });
}

Deno.test("ovid gobby members says what is wrong with a change", async () => {
  await using boxes = new GobbyBoxes();
  for (const args of [["swap", "r1"], ["add"], ["replace", "r1"], ["remove", "r1", "r2"]]) {
    assertEquals((await boxes.run(["members", ...args])).code, 2, args.join(" "));
  }
});

Deno.test("ovid gobby says what is wanted where nothing runs, and no file is there", async () => {
  await using boxes = new GobbyBoxes();
  const { s1, s2, s3 } = boxes.servers;
  const get = ["get", "a", "--timeout", "200"];
  for (
    const [args, wanted] of [
      [get, `want more than half of the boxes ${s1}, ${s2}, ${s3} running`],
      [[...get, "--stale"], `want one of the boxes ${s1}, ${s2}, ${s3} running`],
      [["restore", "nowhere"], 'Cannot restore "nowhere": there is no such file'],
    ] as const
  ) {
    const { code, stdout, stderr } = await boxes.run(args);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, wanted);
  }
  const { code, stderr } = await boxes.run([], "get a --timeout 200\n");
  assertEquals([code, stderr], [
    1,
    "Cannot use --timeout at the prompt, want ovid gobby GRID --timeout MS\n",
  ]);
});
