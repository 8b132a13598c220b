// The version of Ovid, the one in deno.json; a test holds the two together.

/** The version of this program. */
export const version = "0.1.0";
