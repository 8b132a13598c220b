// Whether a replica has executed each request at most once: section 4.1.

import { execute } from "../../agents/vr/execute.ts";
import type { Entry } from "../../agents/vr/protocol.ts";
import { vrRules } from "../../agents/vr/rules.ts";
import type { Application } from "../../agents/vr/state.ts";
import type { AnyMachine } from "../../agents/machine/machine.ts";
import { encodeData } from "../../core/data.ts";
import { excessText, findExcess } from "../at_most_once.ts";

/**
 * What a replica has executed twice, in words; undefined if nothing.
 *
 * A log may hold a request twice, and the client table keeps the second one from having an effect. So a log that
 * does is replayed by the rules as they should be, and only a replica with another state has executed it twice.
 *
 * @param log All that it has executed.
 * @param state What it has come to by that.
 */
export function findExecutedTwice(
  log: readonly Entry[],
  state: Application["state"],
  machine: AnyMachine,
): string | undefined {
  const twice = findExcess(log.filter(({ command }) => command.kind === "apply").map(nameOf));
  if (twice === undefined) return undefined;
  const once: Application = { state: machine.initial(), sessions: new Map(), epoch: 0 };
  log.forEach((entry, index) => execute(once, entry, index + 1, machine, vrRules));
  return encodeData(once.state) === encodeData(state) ? undefined : excessText(twice);
}

function nameOf({ client, session, request }: Entry): string {
  return `request ${request} of ${client} in session ${session}`;
}
