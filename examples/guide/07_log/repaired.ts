// Viewstamped Replication with the paper's rule of the view change: the log of the latest view wins, and of those the
// longest.

import { type AgentId, makeVrReplica, vrRules } from "ovid";

export default makeVrReplica({
  rules: {
    ...vrRules,
    chooseLog(votes) {
      let best: { from: AgentId; lastNormal: number; op: number } | undefined;
      for (const [from, { lastNormal, op }] of votes) {
        if (
          best === undefined || lastNormal > best.lastNormal ||
          (lastNormal === best.lastNormal && op > best.op)
        ) best = { from, lastNormal, op };
      }
      return best?.from;
    },
  },
});
