// What the replicas of a simulated paxos_chatroom have dumped, and what is wrong with it.

import { type Dump, findDifference } from "../../agents/paxos_chatroom/consistency.ts";
import type { World } from "../world.ts";

/** Where a replica's dump is. */
export interface DumpPlace {
  readonly replica: string;
  readonly box: string;
  readonly path: string;
}

/** The dumps that are there. */
export function readDumps(world: World, places: readonly DumpPlace[]): Dump[] {
  return places.flatMap(({ replica, box, path }) => {
    const text = world.file(box, path);
    return text === undefined ? [] : [{ name: `replica ${replica}`, text }];
  });
}

/** How many commands a dump has. */
export function commandsOf({ text }: Dump): number {
  return text.split("\n").length - 1;
}

/**
 * What is wrong with dumps: that two of them differ, or that one has the commands of a client in another order than that
 * in which it issued them, or one of them twice, or not.
 */
export function findDumpFault(dumps: readonly Dump[]): string | undefined {
  const difference = findDifference(dumps);
  if (difference !== undefined) {
    const { line, first, second } = difference;
    return `line ${line} is ${first.text} for ${first.name}, and ${second.text} for ${second.name}`;
  }
  for (const { name, text } of dumps) {
    const latest = new Map<string, number>();
    for (const line of text.split("\n").slice(0, -1)) {
      const [, client, number] = /^(\S+), (\d+) : '.*'$/.exec(line) ?? [];
      if (client === undefined) return `${name} has a line ${JSON.stringify(line)}`;
      const request = Number(number);
      const want = (latest.get(client) ?? 0) + 1;
      if (request !== want) return `${name} has command ${request} of ${client}, want ${want}`;
      latest.set(client, request);
    }
  }
}
