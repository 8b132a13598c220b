// What the stories are worth: a protocol with one rule broken must tell at least one of them differently.

import { assert, assertEquals } from "@std/assert";
import type { Cast } from "../../sim/cast.ts";
import { kvsCast, kvsCastOf } from "../../sim/casts/kvs.ts";
import { vrCast, vrCastOf } from "../../sim/casts/vr.ts";
import { retell } from "../../sim/golden.ts";
import type { Scenario } from "../../sim/scenario.ts";
import { storyOf } from "../../sim/story.ts";
import { vrCanaries } from "../sim/canaries/vr.ts";
import { names, read } from "./files.ts";

/** The first story that `cast` tells differently, or cannot tell to its end. */
function changed(cast: Cast): string | undefined {
  return names().find((name) => {
    const text = read(name);
    if (!text.includes(`\ngrid ${cast.name} `)) return false;
    try {
      return retell(text, { file: name, teller: storyOf([cast]) }) !== text;
    } catch {
      return true;
    }
  });
}

function brokenCast({ definitions, sendBeforeSync = false }: Scenario): Cast {
  const [replica, client] = [...definitions.values()];
  assert(typeof replica === "object" && typeof client === "object");
  return vrCastOf(replica, client, { sendBeforeSync });
}

for (const { name, scenario } of vrCanaries) {
  Deno.test(`golden canary: ${name} changes a story`, () => {
    assert(changed(brokenCast(scenario)) !== undefined);
  });
}

Deno.test("golden canary: a store that answers before its sync changes its story", () => {
  assert(changed(kvsCastOf({ sendBeforeSync: true })) !== undefined);
});

Deno.test("golden canary: nothing changes where nothing is broken", () => {
  assertEquals(changed(kvsCast) ?? changed(vrCast), undefined);
});
