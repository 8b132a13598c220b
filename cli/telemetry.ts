// OpenTelemetry of a box, through Deno's own support: traces and metrics leave the process where OTEL_DENO=true and the
// other OTEL_ variables say so. Elsewhere nothing of it is loaded.

import type { Counter, Histogram, Meter, Tracer } from "@opentelemetry/api";
import type { BoxGauges, BoxTelemetry } from "../box/telemetry.ts";
import type { Journal } from "../box/journal.ts";
import type { Envelope } from "../core/envelope.ts";
import type { BoxId } from "../core/id.ts";

/** Measures one box. */
export interface Telemetry {
  readonly box: BoxTelemetry;
  /** The same journal, its syncs measured. */
  journal(journal: Journal): Journal;
}

/** How many messages a step's span names; the others are only counted. */
const namedMailMax = 32;

/** The telemetry of a box; undefined unless it is wanted. */
export async function openTelemetry(box: BoxId): Promise<Telemetry | undefined> {
  if (Deno.env.get("OTEL_DENO") !== "true") return undefined;
  const { metrics, trace } = await import("@opentelemetry/api");
  return measure(box, metrics.getMeter("ovid"), trace.getTracer("ovid"));
}

function measure(box: BoxId, meter: Meter, tracer: Tracer): Telemetry {
  const here = { "ovid.box": box };
  const messages = meter.createCounter("ovid.messages", {
    description: "Messages that reached an agent or a client, by type",
  });
  const steps = meter.createHistogram("ovid.step.time", {
    unit: "ms",
    description: "How long a step of the box's agents took",
  });
  const syncs = meter.createHistogram("ovid.journal.sync.time", {
    unit: "ms",
    description: "How long a commit of the journal took",
  });
  const spans = new StepSpans(tracer, here, steps);
  return {
    box: {
      started: (gauges) => observe(meter, gauges, here),
      mail(envelope) {
        count(messages, envelope, here);
        spans.mail(envelope);
      },
      stepped: (begunAt, endedAt) => spans.stepped(begunAt, endedAt),
    },
    journal: (journal) =>
      timed(journal, (begunAt, endedAt) => {
        syncs.record(endedAt - begunAt, here);
        tracer.startSpan("journal.sync", { startTime: epoch(begunAt), attributes: here })
          .end(epoch(endedAt));
      }),
  };
}

function count(messages: Counter, { message }: Envelope, here: { readonly "ovid.box": BoxId }) {
  messages.add(1, { ...here, "ovid.type": message.type });
}

/** A span for each step that handled mail; what it handled are its events. */
class StepSpans {
  readonly #tracer: Tracer;
  readonly #here: { readonly "ovid.box": BoxId };
  readonly #times: Histogram;
  #named: Envelope[] = [];
  #handled = 0;

  constructor(tracer: Tracer, here: { readonly "ovid.box": BoxId }, times: Histogram) {
    this.#tracer = tracer;
    this.#here = here;
    this.#times = times;
  }

  mail(envelope: Envelope): void {
    this.#handled++;
    if (this.#named.length < namedMailMax) this.#named.push(envelope);
  }

  stepped(begunAt: number, endedAt: number): void {
    this.#times.record(endedAt - begunAt, this.#here);
    if (this.#handled === 0) return;
    const attributes = { ...this.#here, "ovid.messages": this.#handled };
    const span = this.#tracer.startSpan("step", { startTime: epoch(begunAt), attributes });
    for (const { from, to, message } of this.#named) {
      span.addEvent(message.type, { "ovid.from": from, "ovid.to": to }, epoch(begunAt));
    }
    span.end(epoch(endedAt));
    this.#named = [];
    this.#handled = 0;
  }
}

/** Gauges are asked when metrics are exported, and at no other time. */
function observe(meter: Meter, gauges: BoxGauges, here: { readonly "ovid.box": BoxId }): void {
  const gauge = (name: string, description: string) =>
    meter.createObservableGauge(name, { description });
  gauge("ovid.queue", "Messages that wait for their handlers")
    .addCallback((result) => result.observe(gauges.host.queued, here));
  gauge("ovid.held", "Batches that wait for the disk")
    .addCallback((result) => result.observe(gauges.driver.held, here));
  const up = gauge("ovid.link.up", "Whether the link to another box stands: 1 or 0");
  up.addCallback((result) => {
    for (const link of gauges.mesh.links()) {
      result.observe(link.up ? 1 : 0, { ...here, "ovid.peer": link.peer });
    }
  });
  const queued = gauge("ovid.link.queue", "Characters that wait to be written to a link");
  queued.addCallback((result) => {
    for (const { peer, queuedCharacters } of gauges.mesh.links()) {
      result.observe(queuedCharacters, { ...here, "ovid.peer": peer });
    }
  });
}

function timed(journal: Journal, synced: (begunAt: number, endedAt: number) => void): Journal {
  return {
    append: (records) => journal.append(records),
    read: (agent) => journal.read(agent),
    compact: (snapshot) => journal.compact(snapshot),
    close: () => journal.close(),
    get bytesSinceSnapshot() {
      return journal.bytesSinceSnapshot;
    },
    get snapshotBytes() {
      return journal.snapshotBytes;
    },
    get stats() {
      return journal.stats;
    },
    async commit() {
      const begunAt = performance.now();
      await journal.commit();
      synced(begunAt, performance.now());
    },
  };
}

function epoch(monotonicMs: number): number {
  return performance.timeOrigin + monotonicMs;
}
