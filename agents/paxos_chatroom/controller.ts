// GoOvid's paxos_controller: a terminal that starts and kills boxes, lets clients issue commands, and has replicas write
// down what they have decided.

import { z } from "zod";
import type { Context } from "../../core/agent.ts";
import { defineAgent } from "../../core/define.ts";
import { type VirtualId, virtualId } from "../../core/id.ts";
import { text } from "../../core/text.ts";
import { virtualIdAttr } from "../ids.ts";
import { replicasMax } from "../vr/protocol.ts";
import { splitWord } from "../words.ts";
import { clientsMax } from "./rules.ts";
import { messageLengthMax, parseCount } from "./texts.ts";

const attrsSchema = z.strictObject({
  replicas: z.array(virtualIdAttr).max(replicasMax),
  clients: z.array(virtualIdAttr).max(clientsMax),
});

type ControllerContext = Context<
  z.infer<typeof attrsSchema>,
  { readonly text: typeof text },
  never,
  never,
  never,
  "terminal" | "process"
>;

export const paxosController = defineAgent({
  type: "paxos_controller",
  version: 1,
  doc:
    "GoOvid's controller of paxos_replicas and paxos_clients, with a terminal: start, kill, req, dump, skip and exit.",
  attrs: attrsSchema,
  protocol: { text },
  devices: ["terminal", "process"],
  init: () => ({}),
  start(_state, ctx) {
    prompt(ctx);
  },
  on: {},
  onDevice: {
    terminal(_state, event, ctx) {
      if (event.type === "eof") return ctx.stop();
      const fault = obey(event.text, ctx);
      if (fault !== undefined) print(fault, ctx);
      prompt(ctx);
    },
    process(_state, event, ctx) {
      if (event.type === "started") print(`Started ${event.box}`, ctx);
      else if (event.type === "exited") print(`${event.box} has ended`, ctx);
      else print(`Nothing done about ${event.box}: ${event.reason}`, ctx);
      prompt(ctx);
    },
  },
});

function print(text: string, ctx: ControllerContext): void {
  ctx.output("terminal", { type: "print", text });
}

function prompt(ctx: ControllerContext): void {
  ctx.output("terminal", { type: "prompt", text: "> " });
}

/** Does what a line says. What is wrong with it, if anything is. */
function obey(line: string, ctx: ControllerContext): string | undefined {
  const [command, rest] = splitWord(line);
  const [first, second] = splitWord(rest);
  switch (command) {
    case "":
      return undefined;
    case "start":
      return start(first, second, ctx);
    case "kill":
      return kill(first, second, ctx);
    case "req":
      return request(first, second, ctx);
    case "dump":
      if (rest !== "") return "Invalid command, want dump";
      for (const replica of ctx.attrs.replicas) {
        ctx.send(replica, { type: "text", text: "dump" });
      }
      return undefined;
    case "skip":
      return skip(first, second, ctx);
    case "exit":
      ctx.output("process", { type: "end" });
      return undefined;
    default:
      return "Invalid command, want start, kill, req, dump, skip or exit";
  }
}

function start(port: string, lossText: string, ctx: ControllerContext): string | undefined {
  const box = boxAt(port);
  const loss = Number(lossText);
  if (box === undefined || lossText === "" || !(loss >= 0 && loss <= 1)) {
    return "Invalid command, want start BOXPORT LOSS, a loss from 0 to 1";
  }
  ctx.output("process", { type: "start", box, loss });
}

function kill(port: string, rest: string, ctx: ControllerContext): string | undefined {
  const box = boxAt(port);
  if (box === undefined || rest !== "") return "Invalid command, want kill BOXPORT";
  ctx.output("process", { type: "kill", box });
}

/** The box at a port of this machine. Whether the grid has it the device knows. */
function boxAt(port: string): string | undefined {
  const number = parseCount(port);
  return number === undefined || number < 1 || number > 65535 ? undefined : `127.0.0.1:${number}`;
}

function request(name: string, message: string, ctx: ControllerContext): string | undefined {
  const { clients } = ctx.attrs;
  const client = find(clients, name);
  if (name === "" || message === "") return "Invalid command, want req CLIENT M";
  if (client === undefined) return `There is no client ${name}, want one of ${clients.join(", ")}`;
  if (message.length > messageLengthMax) {
    return `The message has ${message.length} characters, want at most ${messageLengthMax}`;
  }
  ctx.send(client, { type: "text", text: `issue ${message}` });
}

function skip(name: string, number: string, ctx: ControllerContext): string | undefined {
  const { replicas } = ctx.attrs;
  const replica = find(replicas, name);
  const slot = parseCount(number);
  if (slot === undefined || slot < 1) return "Invalid command, want skip REPLICA SLOT";
  if (replica === undefined) {
    return `There is no replica ${name}, want one of ${replicas.join(", ")}`;
  }
  ctx.send(replica, { type: "text", text: `skip ${slot}` });
}

function find(ids: readonly VirtualId[], name: string): VirtualId | undefined {
  return name === "" ? undefined : ids.find((id) => id === virtualId(name));
}
