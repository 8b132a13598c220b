// Viewstamped Replication by a primary that is in a hurry: what is on its own disk is committed.

import { makeVrReplica, vrRules } from "ovid";

export default makeVrReplica({
  rules: { ...vrRules, committedOp: (held) => Math.max(...held) },
});
