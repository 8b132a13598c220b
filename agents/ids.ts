// Ids in the attrs of agents: GoOvid's grids write numbers, others may write any token, and both become ids.

import { z } from "zod";
import { isToken, type VirtualId, virtualId } from "../core/id.ts";

const want = { error: "want a whole number from 0 or a word without white space" };

/** The schema of a virtual destination in attrs: `200` and `"200"` are the same. */
export const virtualIdAttr = z
  .union([z.int(want).nonnegative(want), z.string(want).refine(isToken, want)], want)
  .transform((id): VirtualId => virtualId(String(id)));
