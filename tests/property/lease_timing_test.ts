// The arithmetic of leases in true time: whatever clocks show within their bound, and however long messages take, the
// time in which an owner believes in its lease lies within that in which its acceptors hold it, or are silent.

import { assert } from "@std/assert";
import fc from "fast-check";
import { leaseRules } from "../../agents/lease/rules.ts";
import { agentId } from "../../core/id.ts";

const million = 1_000_000;
const numRuns = Deno.env.has("OVID_SHORT") ? 500 : 20_000;

/** Rounding of numbers of this size, in milliseconds. */
const epsilon = 1e-6;

/** A clock with an origin of its own, whose rate is wrong by `part` of the bound. */
interface Clock {
  readonly origin: number;
  readonly part: number;
}

const clock = fc.record({
  origin: fc.integer({ min: 0, max: 1_000_000 }),
  part: fc.oneof(fc.constantFrom(-1, 1), fc.double({ min: -1, max: 1, noNaN: true })),
});
const delay = fc.double({ min: 0, max: 10_000, noNaN: true });
const lease = fc.record({
  leaseMs: fc.integer({ min: 1, max: 600_000 }),
  spareMs: fc.integer({ min: 0, max: 10_000 }),
  ppm: fc.integer({ min: 0, max: 500_000 }),
  askedAt: fc.double({ min: 0, max: 1000, noNaN: true }),
  owner: clock,
  acceptor: clock,
});

function rate({ part }: Clock, ppm: number): number {
  return 1 + part * ppm / million;
}

function shown(clock: Clock, ppm: number, time: number): number {
  return clock.origin + time * rate(clock, ppm);
}

/** When a clock shows `ms`, in true time. */
function reached(clock: Clock, ppm: number, ms: number): number {
  return (ms - clock.origin) / rate(clock, ppm);
}

/** Until when the owner believes in its lease, in true time. */
function beliefEnd(
  { owner, ppm, leaseMs, askedAt }: { owner: Clock; ppm: number; leaseMs: number; askedAt: number },
  answeredAt: number,
): number {
  const attempt = { askedAt: shown(owner, ppm, askedAt), renews: false };
  const from = leaseRules.countedFrom(attempt, shown(owner, ppm, answeredAt));
  return reached(owner, ppm, from + leaseRules.countedMs(leaseMs, ppm));
}

Deno.test("lease: an acceptor holds it for as long as its owner counts on it", () => {
  fc.assert(
    fc.property(lease, delay, delay, (drawn, there, back) => {
      const { acceptor, ppm, leaseMs, askedAt } = drawn;
      const acceptedAt = askedAt + there;
      const now = shown(acceptor, ppm, acceptedAt);
      const until = leaseRules.acceptedUntil(now, leaseMs, undefined);
      const heldEnd = reached(acceptor, ppm, until);
      assert(beliefEnd(drawn, acceptedAt + back) <= heldEnd + epsilon);
      // By its own clock the acceptor does not take it for over a moment earlier.
      assert(!leaseRules.isOver({ until }, shown(acceptor, ppm, heldEnd - 0.001)));
    }),
    { numRuns },
  );
});

Deno.test("lease: an acceptor that crashed is silent until nothing that it forgot is counted on", () => {
  fc.assert(
    fc.property(lease, delay, delay, delay, (drawn, there, up, down) => {
      const { acceptor, ppm, leaseMs, spareMs, askedAt } = drawn;
      // It has answered or accepted, and crashed at any time after that. Its clock begins anew.
      const startedAt = askedAt + there + up + down;
      const started = shown(acceptor, ppm, startedAt);
      const votesAt = leaseRules.firstVoteAt(started, leaseMs + spareMs);
      const silentEnd = reached(acceptor, ppm, votesAt);
      assert(beliefEnd(drawn, startedAt) <= silentEnd + epsilon);
    }),
    { numRuns },
  );
});

Deno.test("lease: a renewal takes nothing from what an acceptor holds already", () => {
  fc.assert(
    fc.property(
      lease,
      delay,
      delay,
      fc.integer({ min: 1, max: 600_000 }),
      (drawn, there, later, nextMs) => {
        const { acceptor, ppm, leaseMs, askedAt } = drawn;
        const first = leaseRules.acceptedUntil(
          shown(acceptor, ppm, askedAt + there),
          leaseMs,
          undefined,
        );
        const before = { ballot: { number: 1, node: agentId("a"), life: 1 }, until: first };
        const now = shown(acceptor, ppm, askedAt + there + later);
        const second = leaseRules.acceptedUntil(now, nextMs, before);
        assert(second >= first && second >= now + nextMs);
      },
    ),
    { numRuns },
  );
});
