// What a perfect echo does: the answer to a line is the line.

import type { Model } from "ovid";

const perfectEcho: Model<null> = {
  initial: () => null,
  apply: (state, line) => ({ state, result: line }),
  encode: () => "",
  // No line changes what later ones are answered.
  isRead: () => true,
};

export default perfectEcho;
