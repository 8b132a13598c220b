// People in a chat: what one of them says is read by each of the others in the order in which it was said, each line
// at most once; and when nothing is lost any more, all of it.

import { chat } from "../../agents/chat.ts";
import { plainGrid } from "../plain_grid.ts";
import { defineScenario, type Sizes } from "../scenario.ts";

type ChatSizes = Sizes<"people" | "lines">;

const nameOf = (number: number) => `p${number}`;

function chatGrid({ people }: ChatSizes) {
  const names = Array.from({ length: people }, (_, index) => nameOf(index + 1));
  return plainGrid(Object.fromEntries(names.map((name) => {
    const contacts = names.filter((other) => other !== name);
    const routes = Object.fromEntries(contacts.map((other) => [`to_${other}`, { [other]: 1 }]));
    const attrs = { myname: name, contacts: contacts.map((other) => `to_${other}`) };
    return [name, { type: "chat", box: `box_${name}`, attrs, routes }];
  })));
}

/** The built-in scenario `chat`. */
export const chatScenario = defineScenario({
  name: "chat",
  doc:
    "People talk: everybody reads what another says in its order, and all of it where nothing is lost.",
  sizes: { people: [2, 5], lines: [1, 40] },
  grid: chatGrid,
  definitions: [chat],
  // Links between real boxes are FIFO, and a chat counts on it.
  spares: ["duplicate", "reorder"],
  play({ world, sizes, random, count, violated }) {
    const people = Array.from({ length: sizes.people }, (_, index) => nameOf(index + 1));
    /** The last line of each person that each other person has read, as `reader speaker`. */
    const read = new Map<string, number>();
    let talking = new Set(people);
    let lines = 0;
    let last = 0;
    const hear = (reader: string, text: string) => {
      const [, speaker, number] = /(p\d+)\D+(\d+)$/.exec(text) ?? [];
      if (speaker === undefined) return violated(`${reader} reads ${JSON.stringify(text)}`);
      const key = `${reader} ${speaker}`;
      const before = read.get(key) ?? 0;
      if (Number(number) <= before) {
        violated(`${reader} reads line ${number} of ${speaker} after line ${before}`);
      }
      read.set(key, Number(number));
      count("lines read");
    };
    world.observe((event) => {
      if (event.kind !== "output" || event.output.output.output.type !== "print") return;
      hear(event.output.agent, event.output.output.output.text);
    });
    const say = (speaker: string, number: number) => {
      lines++;
      world.line(speaker, String(number));
    };
    let at = 0;
    for (let number = 1; number <= sizes.lines; number++) {
      for (const speaker of people) {
        at += Math.floor(random() * 30_000) / 1000;
        world.at(at, () => say(speaker, number));
      }
    }
    const hasReadAll = () =>
      [...talking].every((reader) =>
        [...talking].every((speaker) =>
          reader === speaker || read.get(`${reader} ${speaker}`) === last
        )
      );
    return {
      committed: () => read.size,
      done: () => last > 0 && hasReadAll(),
      healed(core) {
        talking = new Set(people.filter((name) => core.includes(`box_${name}`)));
        // One more line of everybody, now that nothing is lost: after all those that are planned.
        last = sizes.lines + 1;
        for (const speaker of talking) {
          world.at(Math.max(world.now + 1, at + 1), () => say(speaker, last));
        }
      },
      conclude() {
        if (lines === 0) violated("nobody has said anything");
      },
    };
  },
  sometimes: ["lines read", "mail.lost.text", "fault.kill", "fault.partition"],
});
