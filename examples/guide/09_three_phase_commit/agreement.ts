// What atomic commitment promises above all: all who decide decide the same (AC1), and nobody goes back on it (AC2).
// Section 7.3 of Bernstein, Hadzilacos and Goodman.

import { defineInvariant } from "ovid";

const everybody = ["p1", "p2", "p3", "coordinator"];

export default defineInvariant({
  doc: "Nobody commits what another has aborted.",
  always(view) {
    const decided = new Map<string, { readonly who: string; readonly decision: string }>();
    for (const who of everybody) {
      for (const line of view.printed(who)) {
        const [transaction = "", decision = ""] = line.split(" ");
        if (decision !== "committed" && decision !== "aborted") continue;
        const first = decided.get(transaction);
        if (first === undefined) decided.set(transaction, { who, decision });
        else if (first.decision !== decision) {
          throw new Error(
            `${first.who} has ${first.decision} ${transaction}, and ${who} has ${decision} it`,
          );
        }
      }
    }
  },
});
