// A story that chance rarely tells. Ann and bob are cut off with the primary r1, which can only add to its log. On the
// other side cyd gets an answer from the next primary, r2. Then r2 goes down, r1 and r3 meet again, and cyd asks once
// more.

import { defineWorkload, kvModel } from "ovid";

const boxes = {
  ann: "127.0.0.1:5160",
  bob: "127.0.0.1:5161",
  cyd: "127.0.0.1:5162",
  r1: "127.0.0.1:5163",
  r2: "127.0.0.1:5164",
  r3: "127.0.0.1:5165",
} as const;

type Name = "ann" | "bob" | "cyd";

export default defineWorkload({
  sizes: { pauseMs: [0, 100] },
  play({ world, sizes, history }) {
    let committed = 0;
    let waiting: { name: Name; call: number; then: () => void } | undefined;
    const nowUs = () => Math.round(1000 * world.now);
    const later = (ms: number, act: () => void) => world.at(world.now + ms, act);

    /** Types a line; what comes then, comes once it is answered. */
    function ask(
      name: Name,
      line: string,
      operation: { kind: string; key: string },
      then = () => {},
    ) {
      const call = history.invoke(name, operation, nowUs());
      waiting = { name, call, then };
      world.line(name, line);
    }

    function put(name: Name, value: string, then?: () => void) {
      const operation = { kind: "put", key: "x", value };
      ask(name, `SET x ${value}`, operation, then);
    }

    world.observe((event) => {
      if (event.kind !== "output" || event.output.agent !== waiting?.name) return;
      const { output } = event.output.output;
      if (output.type !== "print") return;
      const { call, then } = waiting;
      waiting = undefined;
      history.answer(call, JSON.parse(output.text), nowUs());
      committed++;
      later(1, then);
    });

    function cut() {
      for (const inside of [boxes.ann, boxes.bob, boxes.r1]) {
        for (const outside of [boxes.cyd, boxes.r2, boxes.r3]) world.cut(inside, outside);
      }
      put("ann", "lost1");
      put("bob", "lost2");
      later(5, () => {
        world.crash(boxes.ann);
        world.crash(boxes.bob);
        put("cyd", "new", () => later(sizes.pauseMs, meetAgain));
      });
    }

    function meetAgain() {
      world.crash(boxes.r2);
      world.heal();
      ask("cyd", "GET x", { kind: "get", key: "x" });
    }

    world.at(100, () => put("ann", "a", () => put("bob", "b", () => put("cyd", "c", cut))));
    return {
      committed: () => committed,
      done: () => committed === 5,
      waitsFor: () => waiting && `${waiting.name} has no answer`,
      model: kvModel,
    };
  },
});
