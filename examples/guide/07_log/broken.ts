// Viewstamped Replication with one rule of the view change broken: the longest log wins.

import { type AgentId, makeVrReplica, vrRules } from "ovid";

export default makeVrReplica({
  rules: {
    ...vrRules,
    chooseLog(votes) {
      let longest: { readonly from: AgentId; readonly op: number } | undefined;
      for (const [from, { op }] of votes) {
        if (longest === undefined || op > longest.op) longest = { from, op };
      }
      return longest?.from;
    },
  },
});
