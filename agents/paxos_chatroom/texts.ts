// What clients, replicas and the controller of GoOvid's paxos_chatroom say to each other, as lines of text. What replicas
// say among themselves is typed: the messages of agents/paxos.

import { idLengthMax, isToken } from "../../core/id.ts";
import { splitWord } from "../words.ts";

/** How long a message of a client may be, in characters. */
export const messageLengthMax = 10_000;

/** A command of a client, `CLIENT REQ M`. Requests of one client are numbered, and it awaits one at a time. */
export interface Command {
  readonly client: string;
  readonly request: number;
  readonly message: string;
}

/** The command as a client sends it. */
export function commandText({ client, request, message }: Command): string {
  return `${client} ${request} ${message}`;
}

/** What a client has sent; undefined if it is no command. */
export function parseCommand(text: string): Command | undefined {
  const [client, rest] = splitWord(text);
  const [number, message] = splitWord(rest);
  const request = parseCount(number);
  if (!isToken(client) || client.length > idLengthMax || request === undefined) return undefined;
  if (message === "" || message.length > messageLengthMax) return undefined;
  return { client, request, message };
}

/** What tells a client that its command was carried out. */
export function committedText({ client, request }: Omit<Command, "message">): string {
  return `committed ${client} ${request}`;
}

/** Which command was carried out; undefined if the text says something else. */
export function parseCommitted(text: string): Omit<Command, "message"> | undefined {
  const [, client, number = ""] = /^committed (\S+) (\d+)$/.exec(text) ?? [];
  const request = parseCount(number);
  return client === undefined || request === undefined ? undefined : { client, request };
}

/** A command as a dump has it. */
export function dumpLine({ client, request, message }: Command): string {
  return `${client}, ${request} : '${message}'`;
}

/** A whole number from 0; undefined if `text` is none. */
export function parseCount(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
