import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { parseGrid } from "../core/config/parse.ts";
import type { Grid } from "../core/grid.ts";
import { layOutGraph, nodeName } from "./graph_layout.ts";
import { graphMermaid } from "./graph_mermaid.ts";
import { graphOf, type GridGraph } from "./graph_model.ts";
import { graphSvg } from "./graph_svg.ts";

const examples = new URL("../examples/", import.meta.url);

function gridOf(agents: unknown): Grid {
  const { grid, problems } = parseGrid(JSON.stringify(agents), "g.json");
  assert(grid !== undefined, JSON.stringify(problems));
  return grid;
}

async function exampleOf(name: string): Promise<Grid> {
  return gridOf(JSON.parse(await Deno.readTextFile(new URL(join(name, "grid.json"), examples))));
}

const linksOf = (graph: GridGraph) =>
  graph.links.map(({ kind, from, to, label, back }) =>
    `${kind} ${from} ${back === undefined ? "" : `<${back}`}-${label}> ${to}`
  );

Deno.test("graphOf: a link to and fro is one, with a name for each way", async () => {
  assertEquals(linksOf(graphOf(await exampleOf("kvs"))), [
    "route 100 <1, port 1-1, port 1> 200",
    "route 200 <port 2-2, port 1> 300",
  ]);
});

Deno.test("graphOf: agents that all know each other meet in a hub, and whoever knows them joins", async () => {
  const { hubs, links } = graphOf(await exampleOf("vr_kv"));
  assertEquals(hubs, [{ name: "hub 0", label: "replicas", box: undefined }]);
  assertEquals(linksOf({ boxes: [], hubs, links }), [
    "route tty -> client",
    "attrs client -> hub 0",
    "attrs r0 <-> hub 0",
    "attrs r1 <-> hub 0",
    "attrs r2 <-> hub 0",
  ]);
});

const at = (port: number) => ({ type: "dummy", box: `127.0.0.1:${port}` });

Deno.test("graphOf: routes to all others are one hub, not all pairs", () => {
  const names = ["a", "b", "c", "d", "e"];
  const agents = names.map((name) => {
    const others = names.filter((each) => each !== name).map((each) => [each, 0]);
    return [name, { ...at(5000), routes: { peers: Object.fromEntries(others) } }];
  });
  const { hubs, links } = graphOf(gridOf(Object.fromEntries(agents)));
  assertEquals([hubs.length, links.length], [1, 5]);
  assertEquals(hubs[0]?.box, "127.0.0.1:5000");
});

Deno.test("graphOf: one agent that sends to many has an arrow to each, also to itself", () => {
  const routes = { people: { a: 0, b: 3 }, me: { x: 0 }, nobody: {} };
  const grid = gridOf({ x: { ...at(5000), routes }, a: at(5000), b: at(5001) });
  assertEquals(linksOf(graphOf(grid)), [
    "route x -people, port 3> a",
    "route x -people, port 3> b",
    "route x -me> x",
  ]);
});

Deno.test("graphOf: a number alone, a list with strangers in it, and who is reached by a route name nobody", () => {
  const attrs = { count: 2, some: ["2", "7"], all: [2, "3"], group: "2", text: "hello" };
  const routes = { "3": { "3": 0 } };
  const grid = gridOf({ 1: { ...at(5000), attrs, routes }, 2: at(5000), 3: at(5000) });
  assertEquals(linksOf(graphOf(grid)), ["route 1 -> 3", "attrs 1 -all> 2"]);
});

function fortyAgents(): Grid {
  const agents: Record<string, unknown> = {};
  const replicas = Array.from({ length: 5 }, (_, index) => `replica${index}`);
  const box = (index: number) => `127.0.0.1:${6000 + index % 8}`;
  for (const [index, name] of replicas.entries()) {
    agents[name] = { type: "vr_replica", box: box(index), attrs: { replicas, machine: "kv" } };
  }
  for (let index = 0; index < 7; index++) {
    agents[`client${index}`] = { type: "vr_client", box: box(index), attrs: { replicas } };
    agents[`meter${index}`] = { type: "meter", box: box(index), routes: { sink: { sink: 0 } } };
  }
  for (let index = 0; index < 20; index++) {
    const routes = { store: { [`client${index % 7}`]: 0 }, meter: { [`meter${index % 7}`]: 0 } };
    agents[`worker${index}`] = { type: "worker", box: box(index), routes };
  }
  agents["sink"] = { type: "sink", box: box(7) };
  return gridOf(agents);
}

Deno.test("layOutGraph: forty agents stand apart, each in its box, and every link ends at its agents", async () => {
  const graph = graphOf(fortyAgents());
  const { areas, links, width, height } = await layOutGraph(graph);
  const agents = graph.boxes.flatMap(({ box, agents }) => agents.map(({ id }) => ({ box, id })));
  assertEquals(agents.length, 40);
  const placed = agents.map(({ box, id }) => {
    const area = areas.get(nodeName("agent", id));
    const home = areas.get(nodeName("box", box));
    assert(area !== undefined && home !== undefined);
    assert(within(area, home), `${id} is outside of ${box}`);
    assert(within(home, { x: 0, y: 0, width, height }), `${box} is outside of the picture`);
    return { id, area };
  });
  for (const [index, one] of placed.entries()) {
    for (const other of placed.slice(index + 1)) {
      assert(apart(one.area, other.area), `${one.id} covers ${other.id}`);
    }
  }
  assertEquals(links.length, graph.links.length);
  for (const { link, points } of links) {
    for (const [name, point] of [[link.from, points[0]], [link.to, points.at(-1)]] as const) {
      const area = areas.get(nodeName("agent", name)) ?? areas.get(nodeName("hub", name));
      assert(area !== undefined && point !== undefined && touches(point, area), name);
    }
  }
});

interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const within = (inner: Area, outer: Area) =>
  inner.x >= outer.x && inner.y >= outer.y && inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height;

const apart = (a: Area, b: Area) =>
  a.x + a.width < b.x || b.x + b.width < a.x || a.y + a.height < b.y || b.y + b.height < a.y;

const touches = ({ x, y }: { x: number; y: number }, area: Area) =>
  x >= area.x - 3 && x <= area.x + area.width + 3 && y >= area.y - 3 &&
  y <= area.y + area.height + 3;

Deno.test("graphSvg: equal grids give equal pictures, and names are text, whatever is in them", async () => {
  const id = `<script>&"'`;
  const hostile = () => graphOf(gridOf({ [id]: { ...at(5000), type: "]]><b>" }, b: at(5001) }));
  const svg = await graphSvg(hostile(), "<i>");
  assertEquals(await graphSvg(hostile(), "<i>"), svg);
  for (const part of ["<script", "<b>", "<i>", "]]>"]) assert(!svg.includes(part), part);
  assertStringIncludes(svg, "&lt;script&gt;&amp;&quot;'");
  assertStringIncludes(svg, "<title>&lt;i&gt;</title>");
});

Deno.test("docs/guide/01_two_people.svg is what `ovid graph` draws", async () => {
  const grid = new URL("guide/01_echo/broken.json", examples);
  const graph = graphOf(gridOf(JSON.parse(await Deno.readTextFile(grid))));
  const kept = new URL("../docs/guide/01_two_people.svg", import.meta.url);
  assertEquals(await graphSvg(graph, "broken.json"), await Deno.readTextFile(kept));
});

Deno.test("graphSvg: a name that is too long is cut, and whole for whoever points at it", async () => {
  const long = "x".repeat(200);
  const svg = await graphSvg(graphOf(gridOf({ [long]: at(5000) })), "long");
  assertEquals(svg.split(long).length, 2);
  assertStringIncludes(svg, `<title>${long}: dummy</title>`);
});

Deno.test("graphMermaid: boxes are subgraphs, heads are at agents only, and quotes are entities", async () => {
  assertEquals(
    graphMermaid(graphOf(await exampleOf("vr_kv"))),
    `flowchart LR
  subgraph box0["127.0.0.1:5020"]
    agent0["<b>tty</b><br/>vr_tty"]
    agent1["<b>client</b><br/>vr_client"]
  end
  subgraph box1["127.0.0.1:5021"]
    agent2["<b>r0</b><br/>vr_replica"]
  end
  subgraph box2["127.0.0.1:5022"]
    agent3["<b>r1</b><br/>vr_replica"]
  end
  subgraph box3["127.0.0.1:5023"]
    agent4["<b>r2</b><br/>vr_replica"]
  end
  hub0(("replicas"))
  agent0 --> agent1
  agent1 -.- hub0
  hub0 -.-> agent2
  hub0 -.-> agent3
  hub0 -.-> agent4
`,
  );
  const text = graphMermaid(graphOf(gridOf({ 'a"];#': { ...at(5000), type: "<b>" } })));
  assertStringIncludes(text, "<b>a#34;]#59;#35;</b><br/>#60;b#62;");
});
