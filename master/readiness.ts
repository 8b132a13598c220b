// When servers have noticed each other: asked, instead of slept for. No longer than the original master slept.

import { wordsOf } from "./script.ts";
import type { Server } from "./server.ts";
import { retry } from "./wait.ts";

/** How long the original slept after a start, whatever happened. */
export const startMsMax = 3000;

/** How long the original slept after a crash. */
export const crashMsMax = 1000;

const checkBackoff = { firstMs: 5, factor: 2, mostMs: 40 };

/** What a check waits for. */
export interface Check {
  /** Whether a server that calls exactly these alive need not be asked again. */
  readonly satisfied: (alive: ReadonlySet<string>) => boolean;
  /** The form of a name in which names are compared. */
  readonly canonical: (name: string) => string;
  /** By `performance.now()`. */
  readonly deadline: number;
  readonly signal: AbortSignal;
}

/** Asks each server who is alive until all are satisfied. Those that were not before the deadline. */
export async function unsatisfied(servers: readonly Server[], check: Check): Promise<Server[]> {
  const satisfied = await Promise.all(servers.map((server) => untilSatisfied(server, check)));
  return servers.filter((_, index) => !satisfied[index]);
}

async function untilSatisfied(server: Server, check: Check): Promise<boolean> {
  const { deadline, signal } = check;
  const attempt = async () => {
    const { conversation } = server;
    if (conversation === undefined) return false;
    const answer = await conversation.check(deadline, signal);
    return answer !== undefined && check.satisfied(aliveIn(answer, check.canonical)) || undefined;
  };
  return await retry(attempt, checkBackoff, deadline, signal) ?? false;
}

/** The servers that an answer to `alive` lists. */
function aliveIn(answer: string, canonical: Check["canonical"]): ReadonlySet<string> {
  const [, ...rest] = wordsOf(answer);
  const names = rest.join(" ").split(",").map((name) => name.trim());
  return new Set(names.filter((name) => name !== "").map(canonical));
}
