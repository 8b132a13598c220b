// Types transactions at the coordinator's terminal, whatever goes wrong, and waits in the end until all participants
// that run have decided all that they have voted on, and, where the coordinator is back, one transaction more.

import { agentId, defineWorkload, randomInteger } from "ovid";

const participants = ["p1", "p2", "p3"];

export default defineWorkload({
  sizes: { transactions: [2, 10] },
  play({ world, sizes, safetyMs, random }) {
    /** What each participant has printed last about each transaction. */
    const states = new Map(participants.map((id) => [id, new Map<string, string>()]));
    let decisions = 0;
    let running: readonly string[] = [];
    let healed = false;

    const begin = (ms: number, transaction: string) =>
      world.at(ms, () => world.line("coordinator", transaction));
    const runs = (id: string) => running.includes(world.grid.agents.get(agentId(id))?.box ?? "");
    const away = (core: readonly string[]) =>
      world.grid.boxes.filter((box) => !core.includes(box) && world.isUp(box));
    const isDecision = (state: string) => state === "committed" || state === "aborted";

    world.observe((event) => {
      if (event.kind !== "output") return;
      const { agent, output: { output } } = event.output;
      if (output.type !== "print") return;
      const [transaction = "", state = ""] = output.text.split(" ");
      states.get(agent)?.set(transaction, state);
      if (isDecision(state)) decisions++;
    });

    const undecided = () =>
      [...states].filter(([id]) => runs(id)).flatMap(([id, its]) =>
        [...its].filter(([, state]) => !isDecision(state))
          .map(([transaction, state]) => `${transaction} is ${state} at ${id}`)
      );

    // The first comes before anything goes wrong, and one is under way when somebody goes away for good.
    begin(1, "t1");
    begin(safetyMs - randomInteger(random, 1, 10), "t2");
    for (let number = 3; number <= sizes.transactions; number++) {
      begin(randomInteger(random, 1, safetyMs), `t${number}`);
    }
    return {
      committed: () => decisions,
      done: () => healed && undecided().length === 0,
      waitsFor: () => undecided().join(", "),
      healed(core) {
        healed = true;
        running = core;
        // Who stays away has crashed, and does not go on deciding where nobody hears of it.
        for (const box of away(core)) world.crash(box);
        if (!runs("coordinator")) return;
        const last = `t${sizes.transactions + 1}`;
        for (const its of states.values()) its.set(last, "unknown");
        begin(world.now + 1, last);
      },
    };
  },
});
