// A scenario of a file, for `ovid sim FILE`: its store looks at the clock of the machine, so that no run is like
// another.

import { kvsCanaries } from "./kvs.ts";

const canary = kvsCanaries.find(({ verdict }) => verdict === "determinism");

export default canary?.scenario;
