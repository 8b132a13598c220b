// A scenario of a file, for `ovid sim FILE`: its store executes a put again when it is asked again.

import { kvsCanaries } from "./kvs.ts";

export default kvsCanaries[0]?.scenario;
