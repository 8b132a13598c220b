// Whether this is the program as a single executable (tools/binary/), or its sources: what differs between the two
// stands behind this question, and nowhere else.

// Whoever bundles the program defines it.
declare const OVID_BUILT: true | undefined;

/** Whether the program is a single executable. */
export const isBuilt: boolean = typeof OVID_BUILT !== "undefined";
