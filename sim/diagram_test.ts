import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { agentId } from "../core/id.ts";
import { diagramSvg } from "./diagram.ts";
import { mermaidText } from "./mermaid.ts";
import { boxId } from "./plain_grid.ts";
import { runScenario } from "./run.ts";
import { builtInScenarios } from "./scenarios/registry.ts";
import type { BoxEvent, Fate, Mail, WorldEvent } from "./world_event.ts";

const options = { title: "a run" };
const at = (atUs: number, box = "b1") => ({ atUs, box: boxId(box) });
const link = (atUs: number, from: string, to: string) => ({
  atUs,
  from: boxId(from),
  to: boxId(to),
});

function mail(from: string, to: string, sentAtUs: number, atUs: number, fate: Fate = "delivered") {
  const envelope = {
    from: agentId(`a${from}`),
    to: agentId(`a${to}`),
    message: { type: "put", key: "k" },
  };
  return { kind: "mail", ...link(atUs, from, to), sentAtUs, fate, envelope } satisfies Mail;
}

function print(atUs: number, text: string, box = "b1"): BoxEvent {
  const output = { device: "console", output: { type: "print", text } } as const;
  return { kind: "output", ...at(atUs, box), output: { agent: agentId("a"), output } };
}

/** What stands for messages in a drawing. */
function arrowsIn(svg: string) {
  const pattern =
    /<g class="mail (\w+)"><title>[^<]*<\/title><path d="M([\d.]+) ([\d.]+)Q[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"[^>]*\/><circle [^>]*\/><path class="(head|cross)"/g;
  return [...svg.matchAll(pattern)].map(([, fate, x, y, endX, endY, end]) => ({
    fate,
    from: [Number(x), Number(y)] as const,
    to: [Number(endX), Number(endY)] as const,
    end,
  }));
}

/** Where the rectangles of a class are. */
function rectsIn(svg: string, name: string) {
  const pattern = new RegExp(
    `<rect class="${name}" x="([\\d.]+)" y="([\\d.]+)" width="([\\d.]+)" height="([\\d.]+)"`,
    "g",
  );
  return [...svg.matchAll(pattern)].map(([, ...numbers]) => {
    const [x = 0, y = 0, width = 0, height = 0] = numbers.map(Number);
    return { x, y, width, height };
  });
}

function lifelinesIn(svg: string): number[] {
  return [...svg.matchAll(/class="lifeline" d="M(\d+) /g)].map(([, x]) => Number(x));
}

/** Fails unless every element is closed and every special character escaped. */
function assertWellFormed(xml: string): void {
  const open: string[] = [];
  const rest = xml.replaceAll(
    /<(\/?)([a-z]\w*)((?: [\w-]+="[^"<&]*")*)(\/?)>/g,
    (_, closes: string, name: string, _attributes: string, empty: string) => {
      if (closes !== "") assertEquals(open.pop(), name);
      else if (empty === "") open.push(name);
      return "";
    },
  ).replaceAll(/&(amp|lt|gt|quot);/g, "");
  assertEquals(open, []);
  assertEquals(rest.match(/[<>&]|\p{Surrogate}/gu), null);
  // deno-lint-ignore no-control-regex
  assertEquals(rest.match(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g), null);
}

const events: readonly WorldEvent[] = [
  { kind: "start", ...at(0, "b1"), records: 0, tornBytes: 0 },
  { kind: "start", ...at(0, "b2"), records: 0, tornBytes: 0 },
  { kind: "start", ...at(0, "b3"), records: 0, tornBytes: 0 },
  mail("b1", "b3", 100, 100, "lost"),
  mail("b1", "b2", 100, 300),
  print(300, "got <it>", "b2"),
  mail("b2", "b1", 300, 500),
  { kind: "note", ...at(500), note: { agent: agentId("a"), event: "view", detail: { view: 7 } } },
  { kind: "crash", ...at(600, "b3"), why: "killed" },
  mail("b1", "b3", 500, 700, "down"),
  { kind: "start", ...at(90_000, "b3"), records: 4, tornBytes: 0 },
];

Deno.test("diagramSvg(): draws a run, the same each time", () => {
  const svg = diagramSvg(events, options);
  assertEquals(diagramSvg(structuredClone(events), options), svg);
  assertWellFormed(svg);
  const [b1 = 0, b2 = 0, b3 = 0] = lifelinesIn(svg);
  assert(0 < b1 && b1 < b2 && b2 < b3);
  const arrows = arrowsIn(svg);
  assertEquals(arrows.map(({ fate, end }) => `${fate} ${end}`), [
    "lost cross",
    "delivered head",
    "delivered head",
    "down cross",
  ]);
  const [lost, there, back, down] = arrows;
  assert(lost && there && back && down);
  assertEquals([there.from[0], there.to[0], back.from[0], back.to[0]], [b1, b2, b2, b1]);
  // What was sent at once leaves from one point, and an answer leaves where the question arrived or below.
  assertEquals(lost.from, there.from);
  assert(back.from[1] >= there.to[1]);
  assert(b1 < lost.to[0] && lost.to[0] < b3);
  assert(b2 < down.to[0] && down.to[0] < b3, "the cross is short of the box that is down");
  for (const { from, to } of arrows) assert(from[1] < to[1], "time runs downwards");
  for (
    const words of [
      "&gt; got &lt;it&gt;",
      "view view 7",
      "crashes: killed",
      "put: lost, to b3",
      "put: box down",
    ]
  ) {
    assertStringIncludes(svg, `>${words}</text>`);
  }
  assertEquals(svg.match(/class="silence"/g)?.length, 1, "only the long silence is marked");
  assertStringIncludes(svg, ">+89.300</text>");
});

Deno.test("diagramSvg(): a box that is down has a bar from its crash to its start", () => {
  const svg = diagramSvg(events, options);
  const [bar, ...others] = rectsIn(svg, "down");
  const [crash] = rectsIn(svg, "crash");
  const start = rectsIn(svg, "start").at(-1);
  assert(bar && crash && start);
  assertEquals(others, []);
  assertEquals([bar.y, bar.y + bar.height], [crash.y + 9, start.y + 9]);
  assertEquals(rectsIn(diagramSvg(events.slice(0, -1), options), "down").length, 1, "to the end");
  const top = rectsIn(diagramSvg(events, { ...options, eventsMax: 1 }), "down");
  assertEquals(top.length, 1, "it crashed before the first event that is shown");
});

Deno.test("diagramSvg(): a box that stands still has a bar, until it goes on or crashes", () => {
  const pause: WorldEvent = { kind: "pause", ...at(1) };
  const resume: WorldEvent = { kind: "resume", ...at(2) };
  const crash: WorldEvent = { kind: "crash", ...at(2), why: "killed" };
  for (const end of [resume, crash]) {
    const svg = diagramSvg([pause, end, print(3, "x")], options);
    assertEquals(rectsIn(svg, "still").map(({ height }) => height), [28]);
  }
});

Deno.test("diagramSvg(): links cut at once are one band and one line", () => {
  const cut = (from: string, to: string): WorldEvent => ({ kind: "cut", ...link(10, from, to) });
  const heal = (from: string, to: string): WorldEvent => ({ kind: "heal", ...link(90, from, to) });
  const start: WorldEvent = { kind: "start", ...at(0), records: 0, tornBytes: 0 };
  const split = [cut("b1", "b2"), cut("b1", "b3"), cut("b2", "b1"), cut("b3", "b1")];
  const healed = [heal("b1", "b2"), heal("b1", "b3"), heal("b2", "b1"), heal("b3", "b1")];
  const svg = diagramSvg([start, ...split, print(20, "x"), ...healed], options);
  assertEquals(rectsIn(svg, "cut").length, 1);
  assertEquals(rectsIn(svg, "link").length, 2);
  assertStringIncludes(svg, ">cut: b1 ↔ b2, b3</text>");
  assertStringIncludes(svg, ">whole again: b1 ↔ b2, b3</text>");
  const partly = diagramSvg([...split, ...healed.slice(0, 1)], options);
  assertEquals(rectsIn(partly, "cut").length, 2, "one link is whole, the others never are");
  assertStringIncludes(diagramSvg(split.slice(0, 2), options), ">cut: b1 → b2, b3</text>");
});

Deno.test("diagramSvg(): the second of two copies is marked", () => {
  const svg = diagramSvg([mail("b1", "b2", 1, 5), mail("b1", "b2", 1, 9)], options);
  assertEquals([...svg.matchAll(/>put( \(copy\))?<\/text>/g)].map(([, copy]) => copy), [
    undefined,
    " (copy)",
  ]);
  const other = diagramSvg([mail("b1", "b2", 1, 5), mail("b1", "b2", 2, 9)], options);
  assert(!other.includes("(copy)"), "sent at another time, it is another message");
});

Deno.test("diagramSvg(): shows the last events, and says how many are left out", () => {
  const many = Array.from({ length: 201 }, (_, i) => print(i, `line ${i}.`));
  assertStringIncludes(diagramSvg(many, options), ">1 event before is left out<");
  assert(!diagramSvg(many, options).includes("line 0."));
  assert(!diagramSvg(many.slice(1), options).includes("left out"));
  const two = diagramSvg(many, { ...options, eventsMax: 2 });
  assertEquals(rectsIn(two, "output").length, 2);
  assertStringIncludes(two, ">199 events before are left out<");
  for (const eventsMax of [0, -1, 1.5, Infinity]) {
    assertThrows(() => diagramSvg(many, { ...options, eventsMax }), RangeError, "want at least 1");
    assertThrows(() => mermaidText(many, { ...options, eventsMax }), RangeError, "want at least 1");
  }
});

Deno.test("diagramSvg(): a message from before the first event comes in from above", () => {
  const [arrow] = arrowsIn(diagramSvg([print(1, "x"), mail("b2", "b1", 0, 2)], {
    ...options,
    eventsMax: 1,
  }));
  assert(arrow && arrow.from[1] < arrow.to[1]);
});

Deno.test("diagramSvg(): what happens at once shares a row, unless it is in its own way", () => {
  const svg = diagramSvg([
    print(0, "x", "b1"),
    print(0, "x", "b2"),
    print(0, "x", "b3"),
    mail("b3", "b2", 2, 5),
    mail("b1", "b2", 1, 5),
    print(5, "x", "b1"),
    print(5, "x", "b3"),
  ], options);
  const [late, early] = arrowsIn(svg);
  assert(late && early);
  assert(early.from[1] < late.from[1], "what was sent first stands above");
  assert(late.to[1] < early.to[1], "a box takes one thing after the other");
  const [first, second, third, fromB1, fromB3] = rectsIn(svg, "output").map(({ y }) => y + 9);
  assertEquals([second, third], [first, first]);
  assertEquals(fromB1, late.to[1], "the label of the message is elsewhere");
  assertEquals(fromB3, late.to[1]);
  const crowded = diagramSvg([print(0, "x"), mail("b1", "b2", 0, 5), print(5, "x")], options);
  const [arrow] = arrowsIn(crowded);
  const label = rectsIn(crowded, "output").at(-1);
  assert(arrow && label && label.y > arrow.to[1], "its label would be on that of the message");
});

Deno.test("diagramSvg(): a box that crashes has sent before what it sent at that time", () => {
  const crash: WorldEvent = { kind: "crash", ...at(5), why: "killed" };
  const svg = diagramSvg([print(0, "x"), crash, mail("b1", "b2", 5, 9)], options);
  const [arrow] = arrowsIn(svg);
  const [label] = rectsIn(svg, "crash");
  assert(arrow && label && arrow.from[1] < label.y);
});

Deno.test("diagramSvg(): timers and prompts have no row", () => {
  const output = { device: "terminal", output: { type: "prompt", text: "> " } } as const;
  const quiet: WorldEvent[] = [
    { kind: "wake", ...at(1) },
    { kind: "output", ...at(1), output: { agent: agentId("a"), output } },
  ];
  assertEquals(lifelinesIn(diagramSvg(quiet, options)), []);
  assertWellFormed(diagramSvg([], options));
});

Deno.test("diagramSvg(): columns and agents are those that are asked for, then those that turn up", () => {
  const svg = diagramSvg([print(1, "x", "b1"), print(1, "x", "b2")], {
    ...options,
    boxes: ["b9", "b2"],
    agentsOf: (box) => [`agent-of-${box}`],
  });
  const agents = [...svg.matchAll(/>agent-of-(b\d)</g)].map(([, box]) => box);
  assertEquals(agents, ["b9", "b2", "b1"]);
  assertEquals(lifelinesIn(svg).length, 3);
  assertStringIncludes(diagramSvg([mail("b1", "b2", 1, 2)], options), ">ab2</text>");
});

Deno.test("diagramSvg(): says what was wrong, in not too many lines", () => {
  const failure = Array.from({ length: 22 }, (_, i) => `wrong & ${i}.`).join("\n");
  const svg = diagramSvg(events, { ...options, failure });
  assertWellFormed(svg);
  assertStringIncludes(svg, "wrong &amp; 19.");
  assert(!svg.includes("wrong &amp; 20."));
  assertStringIncludes(svg, "and 2 more lines");
  assertEquals(rectsIn(svg, "verdict").length, 1);
  assertEquals(rectsIn(diagramSvg(events, options), "verdict").length, 0);
});

Deno.test("diagramSvg() and mermaidText(): no text can break them", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const hostile = [print(1, text), { kind: "crash", ...at(2), why: text } as const];
    assertWellFormed(diagramSvg(hostile, { title: text, failure: text, agentsOf: () => [text] }));
    const lines = mermaidText(hostile, { title: text, agentsOf: () => [text] }).split("\n");
    assertEquals(lines.length, 6);
  }));
  assertWellFormed(diagramSvg([print(1, `<&>"'\u0000\ud800]]>`)], { title: `</svg>` }));
});

Deno.test("diagramSvg(): gives each message one arrow, downwards, whatever happens", () => {
  const box = fc.constantFrom("b1", "b2", "b3");
  const fate = fc.constantFrom<Fate>("delivered", "lost", "cut", "down", "unsent");
  const step = fc.record({ from: box, to: box, fate, waitUs: fc.nat(3), flightUs: fc.nat(5) });
  fc.assert(fc.property(fc.array(step), fc.integer({ min: 1, max: 9 }), (steps, eventsMax) => {
    let nowUs = 9;
    const run = steps.flatMap(({ from, to, fate, waitUs, flightUs }): WorldEvent[] => {
      nowUs += waitUs;
      if (from === to) return [{ kind: "crash", ...at(nowUs, from), why: "killed" }];
      return [mail(from, to, nowUs - flightUs, nowUs, fate)];
    });
    const svg = diagramSvg(run, { ...options, eventsMax });
    assertWellFormed(svg);
    const shown = run.slice(-eventsMax).filter((event) => event.kind === "mail");
    const arrows = arrowsIn(svg);
    assertEquals(arrows.map(({ fate }) => fate), shown.map(({ fate }) => fate));
    for (const { from, to, fate, end } of arrows) {
      assert(from[1] < to[1]);
      assertEquals(end, fate === "delivered" ? "head" : "cross");
    }
    const heads = arrows.filter(({ end }) => end === "head").map(({ to }) => String(to));
    assertEquals(new Set(heads).size, heads.length, "each arrives at a point of its own");
  }));
});

Deno.test("diagramSvg(): draws a real run whole", () => {
  const scenario = builtInScenarios.get("kvs");
  assert(scenario !== undefined);
  const draw = () => {
    const events: WorldEvent[] = [];
    runScenario(scenario, 7n, { observer: (event) => events.push(event) });
    const all = { title: "kvs 7", eventsMax: events.length };
    return { events, svg: diagramSvg(events, all), text: mermaidText(events, all) };
  };
  const { events, svg, text } = draw();
  assertWellFormed(svg);
  const mails = events.filter(({ kind }) => kind === "mail").length;
  assert(mails > 0);
  assertEquals(arrowsIn(svg).length, mails);
  assertEquals(text.match(/^ {2}b\d+(->>|-->>|--x)b\d+: /gm)?.length, mails);
  const again = draw();
  assertEquals([again.svg, again.text], [svg, text]);
});

Deno.test("mermaidText(): tells a run in the words of Mermaid", () => {
  const text = mermaidText(events.slice(3), { title: "a; run #1", eventsMax: 7, failure: "wrong" });
  assertEquals(text.split("\n"), [
    "sequenceDiagram",
    "  title a#59; run #35;1",
    "  participant b0 as b1<br/>ab1, a",
    "  participant b1 as b3<br/>ab3",
    "  participant b2 as b2<br/>ab2, a",
    "  Note over b0,b2: 1 event before is left out",
    "  b0->>b2: put (0.100 to 0.300)",
    "  Note right of b2: 0.300 #62; got #60;it#62;",
    "  b2->>b0: put (0.300 to 0.500)",
    "  Note right of b0: 0.500 view view 7",
    "  Note over b1: 0.600 crashes: killed",
    "  b0--xb1: put: box down (0.500 to 0.700)",
    "  Note right of b1: 90.000 starts, 4 records",
    "  Note over b0,b2: wrong",
    "",
  ]);
});
