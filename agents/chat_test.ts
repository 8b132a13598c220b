import { assertEquals, assertThrows } from "@std/assert";
import { rig } from "../sim/rig.ts";
import { chat } from "./chat.ts";

const attrs = { myname: "alice", contacts: [20, "30"] };
const routes = { "20": { bob: 100 }, "30": { charles: 101 } };

Deno.test("chat sends each line to every contact, with its name, and prompts for the next", () => {
  const agent = rig(chat, { attrs, routes });
  assertEquals(agent.take().prompts, ["alice > "]);
  agent.line("good  morning ");
  const text = "alice good  morning";
  assertEquals(agent.sent, [
    { to: "bob", message: { type: "text", port: 100, text } },
    { to: "charles", message: { type: "text", port: 101, text } },
  ]);
  assertEquals(agent.take().prompts, ["alice > "]);
});

Deno.test("chat shows what the others say as GoOvid does, at any port", () => {
  const agent = rig(chat, { attrs, routes });
  agent.take();
  agent.deliver("bob", { type: "text", port: 7, text: "bob hello to you" });
  const { printed, prompts } = agent.take();
  // A print ends with a line feed: all in all "\nbob > hello to you\nalice > ".
  assertEquals([printed, prompts], [["\nbob > hello to you"], ["alice > "]]);
});

Deno.test("chat takes an empty line and a single word in good part", () => {
  const agent = rig(chat, { attrs, routes });
  agent.take();
  for (const line of ["", "  "]) agent.line(line);
  assertEquals(agent.sent, [], "the name alone ends a chat agent of GoOvid");
  agent.line("hi");
  assertEquals(agent.sent.length, 2);
  agent.deliver("bob", { type: "text", port: 100, text: "hi" });
  agent.deliver("bob", { type: "text", port: 100, text: "" });
  assertEquals(agent.printed, ["\nbob > hi", "\nbob > "]);
});

Deno.test("chat ends quietly with its input", () => {
  const agent = rig(chat, { attrs, routes });
  agent.take();
  agent.eof();
  assertEquals(agent.stopped, true);
  const { printed, prompts, notes } = agent.take();
  assertEquals([printed, prompts, notes], [[], [], []]);
});

Deno.test("chat notes a contact without a route, and writes to the others", () => {
  const agent = rig(chat, { attrs, routes: { "30": { charles: 1 } } });
  agent.line("hi");
  assertEquals(agent.sent.map(({ to }) => to), ["charles"]);
  assertEquals(agent.notes.map(({ event, detail }) => [event, detail]), [
    ["mail.unrouted", { route: "20" }],
  ]);
});

Deno.test("chat refuses attrs that are not GoOvid's", () => {
  const refused: [Record<string, string | (string | number)[]>, string][] = [
    [{ contacts: [] }, "attrs.myname: "],
    [{ myname: "", contacts: [] }, "attrs.myname: want a name without white space"],
    [{ myname: "Al Ice", contacts: [] }, "attrs.myname: want a name without white space"],
    [{ myname: "alice" }, "attrs.contacts: "],
    [{ myname: "alice", contacts: [1, "a b"] }, "attrs.contacts[1]: want a whole number from 0"],
    [{ myname: "alice", contacts: [], contact: [] }, "contact"],
  ];
  for (const [attrs, words] of refused) {
    assertThrows(() => rig(chat, { attrs }), TypeError, words);
  }
});
