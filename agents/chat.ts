// A person at a terminal who talks to a few others. What is said while a box is down is lost, as in a room that
// one has left.

import { z } from "zod";
import { defineAgent } from "../core/define.ts";
import { text } from "../core/text.ts";
import { virtualIdAttr } from "./ids.ts";
import { speech } from "./words.ts";

export const chat = defineAgent({
  type: "chat",
  version: 1,
  doc: "Sends each line that is typed to all contacts, and shows what they say.",
  attrs: z.strictObject({
    // Those who get `<myname> <text>` take the first word for the name.
    myname: z.string().regex(/^\S+$/, "want a name without white space"),
    contacts: z.array(virtualIdAttr),
  }),
  protocol: { text },
  devices: ["terminal"],
  init: () => ({}),
  start(_state, ctx) {
    ctx.output("terminal", { type: "prompt", text: `${ctx.attrs.myname} > ` });
  },
  on: {
    text(_state, message, ctx) {
      // It comes while a line is being typed, hence the line feed before it and the prompt behind it.
      ctx.output("terminal", { type: "print", text: `\n${speech(message.text, ctx.from)}` });
      ctx.output("terminal", { type: "prompt", text: `${ctx.attrs.myname} > ` });
    },
  },
  onDevice: {
    terminal(_state, event, ctx) {
      if (event.type === "eof") return ctx.stop();
      const { myname, contacts } = ctx.attrs;
      // An empty line would leave the name alone, which ends a chat agent of GoOvid.
      if (event.text.trim() !== "") {
        for (const contact of contacts) {
          ctx.send(contact, { type: "text", text: `${myname} ${event.text}` });
        }
      }
      ctx.output("terminal", { type: "prompt", text: `${myname} > ` });
    },
  },
});
