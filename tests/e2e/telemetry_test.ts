// OpenTelemetry of real boxes, received by a small collector.

import { assert, assertEquals } from "@std/assert";
import { eventually, ovidCommand, Workspace } from "./support.ts";

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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function attribute(point: Point, key: string): string | undefined {
  return point.attributes?.find((each) => each.key === key)?.value.stringValue;
}

async function runGrid(grid: string, env: Record<string, string>, done: () => Promise<unknown>) {
  const { command, args } = ovidCommand(["box", grid]);
  const process = new Deno.Command(command, {
    args,
    env: { NO_COLOR: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const input = process.stdin.getWriter();
  await input.write(new TextEncoder().encode("put a 1\nget a\n"));
  await done();
  await input.close();
  const { code, stdout } = await process.output();
  return { code, stdout: new TextDecoder().decode(stdout) };
}

Deno.test("a box exports traces and metrics where OTEL_DENO says so", async () => {
  await using collector = new Collector();
  using workspace = new Workspace().copy("examples", "kvs");
  const env = {
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_METRIC_EXPORT_INTERVAL: "200",
    OTEL_BSP_SCHEDULE_DELAY: "200",
    OTEL_DENO_CONSOLE: "ignore",
  };
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
  const boxes = new Set(
    collector.points("ovid.messages").map((each) => attribute(each, "ovid.box")),
  );
  assertEquals(boxes.size, 2);
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
