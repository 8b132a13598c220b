// Whoever changes a group while it works: names new members, and lets those that have lost their disks join again.

import { type Random, randomInteger } from "../../core/random.ts";
import type { Count } from "../injector.ts";
import type { World } from "../world.ts";
import { Typist } from "./typist.ts";

/** What an administrator works with. */
export interface AdministratorOptions {
  readonly world: World;
  readonly random: Random;
  readonly count: Count;
  /** All replicas and spares. */
  readonly replicas: readonly string[];
  readonly boxOf: (replica: string) => string;
  /** How often the group is changed, besides once for each disk that is lost. */
  readonly changes: number;
  /** The smallest group; default 1. */
  readonly least?: number;
}

/** See the top of this file. */
export interface Administrator {
  readonly typist: Typist;
  /** How many changes were asked for. */
  readonly asked: () => number;
  /** Asks for no more. */
  readonly retire: () => void;
}

/** Makes one, who types at the agent `admin`, a vr_asker on a box of its own. */
export function makeAdministrator(options: AdministratorOptions): Administrator {
  const { world, random, count, replicas: all, boxOf, changes, least = 1 } = options;
  let left = changes;
  let asked = 0;
  world.observe((event) => {
    if (event.kind === "disk" && event.bytesMax === "lost") left++;
  });
  const typist = new Typist({
    world,
    agent: "admin",
    box: "box_admin",
    think: () => randomInteger(random, 0, 1000),
    next() {
      // Who is down cannot say whether it has lost its disk, and would be named as what it was before.
      const up = all.filter((agent) => world.isUp(boxOf(agent)));
      if (left <= 0 || up.length < least) return undefined;
      left--;
      asked++;
      const replicas: string[] = [];
      for (let count = randomInteger(random, least, up.length); count > 0; count--) {
        replicas.push(...up.splice(randomInteger(random, 0, up.length - 1), 1));
      }
      return JSON.stringify({ kind: "reconfigure", replicas });
    },
    answered: (text) => count(`reconfiguration ${JSON.parse(text).kind}`),
    lost: () => {},
  });
  return { typist, asked: () => asked, retire: () => left = 0 };
}
