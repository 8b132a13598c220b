// Paths in the attrs of agents: of files below the data folder of a box.

import { z } from "zod";

/** The schema of a path that cannot lead out of the folder it is below. */
export const pathAttr = z.string().min(1).refine(isInside, "want a relative path without ..");

function isInside(path: string): boolean {
  return !/^[/\\]|^[a-z]:|(^|[/\\])\.\.([/\\]|$)/i.test(path);
}
