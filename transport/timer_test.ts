import { assert, assertEquals } from "@std/assert";
import { startTimer, stopTimer, type Timer } from "./timer.ts";

/** Resolves when a timer of `ms` goes off. */
function wait(ms: number): Promise<void> {
  return new Promise((resolve) => void startTimer(ms, resolve));
}

Deno.test("timers go off in the order in which they are due, and none too early", async () => {
  const order: string[] = [];
  const began = performance.now();
  const early: number[] = [];
  await Promise.all([30, 10, 20, 10, 0].map(async (ms, index) => {
    await wait(ms);
    order.push(`${ms}/${index}`);
    const elapsed = performance.now() - began;
    if (elapsed < ms) early.push(elapsed - ms);
  }));
  assertEquals(order, ["0/4", "10/1", "10/3", "20/2", "30/0"]);
  assertEquals(early, []);
});

Deno.test("a timer that is stopped does not go off, and stopping it twice is no fault", async () => {
  let stopped = true;
  const timer = startTimer(5, () => stopped = false);
  stopTimer(timer);
  stopTimer(timer);
  stopTimer(undefined);
  await wait(20);
  assert(stopped);
});

Deno.test("of timers that are due at once the first may stop the second", async () => {
  const heard: string[] = [];
  let second: Timer | undefined = undefined;
  startTimer(1, () => {
    heard.push("first");
    stopTimer(second);
  });
  second = startTimer(1, () => heard.push("second"));
  // Both are due by the time that the event loop is back.
  const busyUntil = performance.now() + 5;
  while (performance.now() < busyUntil);
  await wait(10);
  assertEquals(heard, ["first"]);
});

Deno.test("a timer that starts itself again lets others in", async () => {
  let rounds = 0;
  let going = true;
  const again = () => {
    rounds++;
    if (going) startTimer(0, again);
  };
  again();
  await wait(20);
  going = false;
  await wait(5);
  assert(rounds > 2, `${rounds} rounds`);
});

Deno.test("among many timers that come and go each goes off once or is stopped", async () => {
  let seed = 7;
  const draw = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const heard = new Map<number, number>();
  const stopped = new Set<number>();
  const waiting = new Map<number, Timer>();
  for (let index = 0; index < 2000; index++) {
    const timer = startTimer(draw(40), () => {
      heard.set(index, (heard.get(index) ?? 0) + 1);
      waiting.delete(index);
    });
    waiting.set(index, timer);
    if (draw(3) === 0) {
      const victim = [...waiting.keys()][draw(waiting.size)] ?? index;
      stopTimer(waiting.get(victim));
      waiting.delete(victim);
      stopped.add(victim);
    }
    if (draw(50) === 0) await wait(1);
  }
  await wait(60);
  assertEquals(waiting.size, 0);
  const twice = [...heard].filter(([index, times]) => times !== 1 || stopped.has(index));
  assertEquals(twice, []);
  assertEquals(heard.size + stopped.size, 2000);
});

/** How a program ends: its exit code, what it printed, and how long it took. */
async function runProgram(source: string): Promise<{ code: number; out: string; ms: number }> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/main.ts`, source);
    const began = performance.now();
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-config", "--no-lock", "--quiet", `${folder}/main.ts`],
      stderr: "null",
    }).output();
    return { code, out: new TextDecoder().decode(stdout), ms: performance.now() - began };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const from = `from ${JSON.stringify(new URL("./timer.ts", import.meta.url).href)};\n`;

Deno.test("a process waits for its timers, and for none that was stopped", async () => {
  const { code, out, ms } = await runProgram(
    `import { startTimer, stopTimer } ${from}
    const far = startTimer(60_000, () => console.log("far"));
    startTimer(30, () => console.log("near"));
    stopTimer(far);`,
  );
  assertEquals({ code, out }, { code: 0, out: "near\n" });
  assert(ms < 50_000, `${ms} ms`);
});

Deno.test("an error in a timer ends the process, as one in any other does", async () => {
  const { code, out } = await runProgram(
    `import { startTimer } ${from}
    startTimer(1, () => { throw new Error("bad"); });
    startTimer(60_000, () => console.log("after"));`,
  );
  assertEquals({ code, out }, { code: 1, out: "" });
});

Deno.test("timers load nothing of Node's library", async () => {
  // A look at Deno's own loads it, and shows in the heap, unless it was there before.
  const look = `const before = Deno.memoryUsage().heapUsed;
    globalThis.setTimeout;
    console.log(Deno.memoryUsage().heapUsed - before > 500_000);`;
  const { out } = await runProgram(
    `import { startTimer } ${from}
    startTimer(1, () => { ${look}${look.replaceAll("before", "again")} });`,
  );
  assertEquals(out, "true\nfalse\n");
});
