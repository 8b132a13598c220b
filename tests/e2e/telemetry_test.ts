// OpenTelemetry of real boxes, received by a small collector.

import { assert, assertEquals } from "@std/assert";
import { eventually, Running, Workspace } from "./support.ts";

const waitMs = 120_000;

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}

interface Point {
  readonly attributes?: readonly Attribute[];
  readonly asInt?: string | number;
  readonly asDouble?: number;
  readonly count?: string | number;
}

interface Metric {
  readonly name: string;
  readonly gauge?: { readonly dataPoints: readonly Point[] };
  readonly sum?: { readonly dataPoints: readonly Point[] };
  readonly histogram?: { readonly dataPoints: readonly Point[] };
}

interface Span {
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly events?: readonly { readonly name: string }[];
}

/** What exporters have sent. */
class Collector implements AsyncDisposable {
  readonly metrics: Metric[] = [];
  readonly spans: Span[] = [];
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const body = await request.json();
      for (const { scopeMetrics = [] } of body.resourceMetrics ?? []) {
        for (const { metrics = [] } of scopeMetrics) this.metrics.push(...metrics);
      }
      for (const { scopeSpans = [] } of body.resourceSpans ?? []) {
        for (const { spans = [] } of scopeSpans) this.spans.push(...spans);
      }
      return Response.json({});
    },
  );

  get endpoint(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** All points of a metric, those of later exports as well. */
  points(name: string): Point[] {
    return this.metrics.filter((metric) => metric.name === name).flatMap((
      metric,
    ) => [...(metric.gauge ?? metric.sum ?? metric.histogram)?.dataPoints ?? []]);
  }

  /** The boxes that have sent points of a metric. */
  boxes(name: string): Set<string | undefined> {
    return new Set(this.points(name).map((point) => attribute(point, "ovid.box")));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function attribute(point: Point, key: string): string | undefined {
  return point.attributes?.find((each) => each.key === key)?.value.stringValue;
}

/** The environment of a process that exports to `endpoint`, its metrics so often. */
function exportingTo(endpoint: string, everyMs: number): Record<string, string> {
  return {
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_METRIC_EXPORT_INTERVAL: String(everyMs),
    OTEL_DENO_CONSOLE: "ignore",
  };
}

async function runGrid(grid: string, env: Record<string, string>, done: () => Promise<unknown>) {
  await using boxes = new Running(["box", grid], { env });
  await boxes.type("put a 1\nget a\n");
  await done();
  await boxes.endInput();
  const { code } = await boxes.end();
  return { code, stdout: boxes.stdout };
}

Deno.test("a box exports traces and metrics where OTEL_DENO says so", async () => {
  await using collector = new Collector();
  using workspace = new Workspace().copy("examples", "kvs");
  const env = { ...exportingTo(collector.endpoint, 200), OTEL_BSP_SCHEDULE_DELAY: "200" };
  const names = [
    ...["ovid.messages", "ovid.step.time", "ovid.journal.sync.time", "ovid.queue", "ovid.held"],
    ...["ovid.link.up", "ovid.link.queue"],
  ];
  const run = await runGrid(
    workspace.file("grid.json"),
    env,
    () =>
      eventually(
        "all metrics and spans",
        () =>
          names.every((name) => collector.points(name).length > 0) &&
          collector.boxes("ovid.messages").size === 2 &&
          collector.points("ovid.link.up").some(({ asInt, asDouble }) =>
            Number(asInt ?? asDouble) === 1
          ) &&
          ["step", "journal.sync"].every((name) =>
            collector.spans.some((span) => span.name === name)
          ),
        waitMs,
      ),
  );
  assertEquals(run, { code: 0, stdout: "ok\n1\n" });
  const types = collector.points("ovid.messages").map((each) => attribute(each, "ovid.type"));
  assert(types.every((type) => type !== undefined));
  const steps = collector.spans.filter(({ name }) => name === "step");
  assert(steps.every(({ events = [] }) => events.length > 0));
  for (const { startTimeUnixNano, endTimeUnixNano } of collector.spans) {
    assert(BigInt(startTimeUnixNano) <= BigInt(endTimeUnixNano));
  }
});

Deno.test("a box exports nothing where nothing says so", async () => {
  await using collector = new Collector();
  using workspace = new Workspace().copy("examples", "kvs");
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_METRIC_EXPORT_INTERVAL: "50",
  };
  const run = await runGrid(workspace.file("grid.json"), env, () => Promise.resolve());
  assertEquals(run.code, 0);
  assertEquals([collector.metrics, collector.spans], [[], []]);
});

Deno.test("a command ends with its code also while its metrics are collected", async () => {
  await using collector = new Collector();
  for (let run = 0; run < 20; run++) {
    const code = await exporting(collector.endpoint, ["check", "no_such_file.json"]);
    assertEquals(code, 3, `run ${run}`);
  }
});

Deno.test("a command ends with its code also where a collector is deaf", async () => {
  using deaf = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const code = await exporting(`http://127.0.0.1:${deaf.addr.port}`, [
    "check",
    "no_such_file.json",
  ]);
  assertEquals(code, 3);
});

/** The exit code of a command that exports to `endpoint`, at which its metrics are collected all the time. */
async function exporting(endpoint: string, args: readonly string[]): Promise<number | undefined> {
  await using command = new Running(args, { env: exportingTo(endpoint, 20) });
  let code: number | undefined;
  command.end().then((status) => code = status.code);
  await eventually("its end", () => code !== undefined, waitMs);
  return code;
}
