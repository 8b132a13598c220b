// The faults that a simulation may have, by the names that grid files, flags and reports give them.

/** Every kind of fault, and what it does. */
export const faultKinds = {
  loss: "mail between boxes is lost",
  duplicate: "mail arrives twice",
  reorder: "mail overtakes mail",
  delay: "mail takes up to tens of milliseconds",
  heavyTail: "some mail takes a thousand times longer than most",
  clog: "a link carries one message after the other, far apart",
  partition: "some boxes are cut off from the others",
  oneWay: "some boxes hear the others and are not heard, or the other way round",
  pause: "a box stands still",
  slow: "each step of a box, and each sync, takes long",
  slowDisk: "syncs take up to tens of milliseconds",
  kill: "a box is killed; what it wrote to its disk stays",
  powerCut: "a box goes down with all that its disk has not synced",
  tornTail: "a power cut may leave a part of what was not synced",
  ambush: "a box goes down at a chosen moment, as just before a sync",
  fullDisk: "a disk is full, and its box goes down with the next write",
  lostDisk: "a box comes back with an empty disk in the place of its own",
  drift: "clocks are too fast or too slow",
  jump: "a clock goes forward at once",
} as const;

/** A kind of fault. */
export type FaultKind = keyof typeof faultKinds;

/** The kinds of faults in a fixed order. */
export const faultNames = Object.keys(faultKinds) as readonly FaultKind[];
