import { assert, assertEquals, assertMatch } from "@std/assert";
import { parse } from "@std/yaml";
import { parseGrid } from "../core/config/parse.ts";
import type { Grid } from "../core/grid.ts";
import { composeFile, type ComposeOptions } from "./compose.ts";

interface Compose {
  readonly services: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly networks: Readonly<Record<string, unknown>>;
}

// The names that the Compose Specification has for a service, of those in use.
const known = ["image", "command", "volumes", "networks", "init", "restart", "stdin_open", "tty"];

function gridOf(boxes: readonly string[], file = "/here/grid.json"): Grid {
  const agents = Object.fromEntries(
    boxes.map((box, index) => [index, { type: "chat", box }]),
  );
  const { grid } = parseGrid(JSON.stringify(agents), file);
  assert(grid !== undefined);
  return { ...grid, file };
}

function compose(grid: Grid, options: Partial<ComposeOptions> = {}): Compose {
  const text = composeFile(grid, {
    folder: "",
    terminals: [],
    image: "ovid",
    isNew: false,
    ...options,
  });
  return parse(text) as Compose;
}

Deno.test("composeFile() gives each box a service, a volume, and the names of all others", () => {
  const boxes = ["127.0.0.1:5000", "127.0.0.1:5001", "[::1]:5002"];
  const { services, volumes, networks } = compose(gridOf(boxes));
  const names = ["box-5000", "box-5001", "box-5002"];
  assertEquals(Object.keys(services), names);
  assertEquals(Object.keys(volumes), names);
  assertEquals(networks, { grid: { internal: true } });
  const at =
    "--at=127.0.0.1:5000=box-5000:5000,127.0.0.1:5001=box-5001:5001,[::1]:5002=box-5002:5002";
  for (const [index, service] of Object.values(services).entries()) {
    for (const key of Object.keys(service)) assert(known.includes(key), key);
    assertEquals(service.command, [
      "box",
      "/grid/grid.json",
      boxes[index],
      "--data=/data",
      "--insecure",
      at,
    ]);
    assertEquals(service.volumes, [".:/grid:ro", `${names[index]}:/data`]);
    assertEquals(service.networks, ["grid"]);
  }
});

Deno.test("composeFile() numbers boxes whose ports are the same, and takes odd names as they are", () => {
  const grid = gridOf(["127.0.0.1:5000", "127.0.0.2:5000"], '/a/$HOME "x": #.json');
  const { services } = compose(grid, { folder: "../a", image: "host:5/ovid" });
  assertEquals(Object.keys(services), ["box-1", "box-2"]);
  const [first] = Object.values(services);
  // Two dollars are one, and no variable.
  assertEquals((first?.command as string[])[1], '/grid/$$HOME "x": #.json');
  assertEquals([first?.image, (first?.volumes as string[])[0]], ["host:5/ovid", "../a:/grid:ro"]);
});

Deno.test("composeFile() gives a terminal to one agent of a box, and lets replicas begin if asked", () => {
  const grid = gridOf(["127.0.0.1:5000", "127.0.0.1:5000", "127.0.0.1:5001"]);
  const { services } = compose(grid, {
    terminals: [...grid.agents.keys()].slice(0, 2),
    isNew: true,
    folder: "sub",
  });
  const { "box-5000": first, "box-5001": second } = services;
  assertEquals([first?.tty, first?.stdin_open, second?.tty], [true, true, undefined]);
  assertEquals((first?.command as string[]).slice(-2), ["--attach=0", "--new"]);
  assertEquals((second?.command as string[]).slice(-1), ["--new"]);
  assertMatch((second?.volumes as string[])[0] ?? "", /^\.\/sub:/);
});
