// The casts that come with Ovid.

import type { Cast } from "../cast.ts";
import { kvsCast } from "./kvs.ts";
import { vrCast } from "./vr.ts";

/** The built-in casts: whatever a golden transcript may name as its grid. */
export const builtInCasts: readonly Cast[] = [kvsCast, vrCast];
