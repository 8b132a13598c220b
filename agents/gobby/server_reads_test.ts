import { assert, assertEquals } from "@std/assert";
import type { Json } from "../../core/data.ts";
import {
  type Fields,
  grantLease,
  openSeat,
  put,
  request,
  Setting,
  times,
} from "../../tests/gobby/server_rig.ts";
import { gobbyService } from "./service.ts";

const get = (key: string) => ({ kind: "get", key });

/** A master with a replica, whose copy the test plays by `copy`; the client c has its seat. */
class Reading extends Setting {
  constructor(attrs: Fields = {}) {
    super(["s1"], { replica: "replica", ...attrs });
    this.serve().from("c1", openSeat).serve().sent();
  }

  /** What the replica was asked since the last look. */
  looks(): Fields[] {
    return this.sent().filter(({ to }) => to === "replica").map(({ message }) => message);
  }

  /** Answers a look by a state. */
  looked(look: Fields | undefined, state: ReturnType<typeof gobbyService.initial>): this {
    const operation: Json = structuredClone(Object(look?.["operation"]));
    const result = gobbyService.apply(state, operation);
    return this.from("replica", { type: "looked", id: look?.["id"], result }) as this;
  }

  /** What was told to the client c1 since the last look. */
  told(): (Json | undefined)[] {
    return this.sent().filter(({ to }) => to === "c1").map(({ message }) =>
      Object(message["outcome"]).result?.entry?.value ?? message.type
    );
  }
}

Deno.test("gobby_server reads at its replica, and asks the group nothing", () => {
  const setting = new Reading();
  setting.from("c1", request(1, put("a", "1"))).serve().sent();
  setting.from("c1", request(2, get("a")));
  assertEquals(setting.asked, undefined);
  const [look] = setting.looks();
  assertEquals(look?.["operation"], { kind: "reads", operations: [get("a")] });
  assertEquals(setting.looked(look, setting.state).told(), ["1"]);
});

Deno.test("gobby_server leaves a read to the log if the replica is behind what it has told", () => {
  const setting = new Reading();
  const behind = structuredClone(setting.state);
  setting.from("c1", request(1, put("a", "1"))).serve().sent();
  setting.from("c1", request(2, get("a")));
  const [look] = setting.looks();
  setting.looked(look, behind);
  assertEquals(setting.told(), []);
  assertEquals(setting.operation["kind"], "batch");
  assertEquals(setting.serve().told(), ["1"]);
  // For a while it does not ask it again.
  setting.from("c1", request(3, get("a")));
  assertEquals(setting.looks(), []);
  setting.serve().sent();
  setting.server.advance(20);
  setting.from("c1", request(4, get("a")));
  assertEquals(setting.looks().length, 1);
});

Deno.test("gobby_server reads nothing older later than it has read before", () => {
  const setting = new Reading();
  const behind = structuredClone(setting.state);
  // Carried out, and answered to nobody yet: whoever reads it has seen it.
  setting.from("c1", request(1, put("a", "1")));
  const ahead = structuredClone(setting.state);
  gobbyService.apply(ahead, { ...setting.operation });
  setting.from("c2", { ...request(1, get("a"), "d") });
  const [first] = setting.looks();
  setting.looked(first, ahead).sent();
  setting.from("c2", { ...request(2, get("a"), "d") });
  const [second] = setting.looks();
  setting.looked(second, behind);
  assert(setting.server.notes.some(({ event }) => event === "gobby.replica_behind"));
  assertEquals(setting.sent(), []);
});

Deno.test("gobby_server answers no read once its lease is over, whatever the replica says", () => {
  const setting = new Setting(["s1", "s2"], { replica: "replica" });
  grantLease(setting);
  setting.serve().from("c1", openSeat).serve().sent();
  setting.from("c1", request(1, get("a")));
  const [look] = setting.sent();
  assertEquals(look?.to, "replica");
  // Nobody renews it.
  setting.server.advance(times.leaseMs);
  assertEquals(setting.types().includes("master"), true);
  const result = gobbyService.apply(setting.state, { kind: "reads", operations: [get("a")] });
  setting.from("replica", { type: "looked", id: look?.message["id"], result });
  assertEquals(setting.sent().filter(({ to }) => to === "c1"), []);
  setting.from("c1", request(2, get("a")));
  assertEquals(setting.types(), ["master"]);
});

Deno.test("gobby_server reads by the log what is asked again, since the replica may be stopped", () => {
  const setting = new Reading();
  setting.from("c1", request(1, get("a")));
  assertEquals(setting.looks().length, 1);
  setting.from("c1", request(1, get("a")));
  assertEquals(setting.operation["kind"], "batch");
  setting.serve().sent();
  setting.from("c1", request(2, get("a")));
  assertEquals(setting.looks().length, 1);
});

const staleRead = { type: "staleRead", client: "d", number: 4, operation: get("a") };

Deno.test("gobby_server says how old its replica's copy is: counted from when it asked the master", () => {
  const setting = new Setting(["s1", "s2", "s3"], {
    ...{ replica: "replica", freshMs: 100, clockDriftPpm: 100_000 },
  });
  const look = () => {
    const [found] = setting.sent().filter(({ to }) => to === "replica");
    return found?.message;
  };
  const copy = gobbyService.initial();
  gobbyService.apply(copy, { kind: "beginTerm", master: "s2" });
  const ages = (id: Json | undefined) => {
    const result = gobbyService.apply(copy, { kind: "reads", operations: [get("a")] });
    setting.from("replica", { type: "looked", id, result });
    return setting.sent().filter(({ to }) => to === "c1").map(({ message }) => message["ageMs"]);
  };
  // It knows of no master.
  setting.from("c1", staleRead);
  assertEquals(ages(look()?.["id"]), [null]);
  const ballot = { number: 99, node: "s2", life: 1 };
  setting.from("s2", { type: "proposeRequest", ballot, leaseMs: times.leaseMs }).sent();
  setting.server.advance(90);
  const [question] = setting.sent().filter(({ message }) => message.type === "howFar");
  assertEquals(question?.to, "s2");
  setting.server.advance(50);
  setting.from("s2", { type: "soFar", number: question?.message["number"], place: 1 });
  setting.server.advance(40);
  setting.from("c1", staleRead);
  // 90 ms by a clock that may be slow by a tenth.
  assertEquals(ages(look()?.["id"]), [100]);
  // The master was further than the copy is.
  setting.server.advance(10);
  const [later] = setting.sent().filter(({ message }) => message.type === "howFar");
  setting.from("s2", { type: "soFar", number: later?.message["number"], place: 2 });
  setting.from("c1", staleRead);
  assertEquals(ages(look()?.["id"]), [112]);
  gobbyService.apply(copy, { kind: "beginTerm", master: "s2" });
  setting.from("c1", staleRead);
  assertEquals(ages(look()?.["id"]), [0]);
});

Deno.test("gobby_server says that it cannot tell what is old without a replica, or if it is no read", () => {
  const unknown = { type: "staleReply", client: "d", number: 4, result: null, ageMs: null };
  const without = new Setting().serve();
  without.sent();
  assertEquals(without.from("c1", staleRead).sent().map(({ message }) => message), [unknown]);
  const reading = new Reading();
  reading.from("c1", { ...staleRead, operation: put("a", "1") });
  assertEquals(reading.sent().map(({ message }) => message), [unknown]);
});

Deno.test("gobby_server knows as the master how far it is, and has no age to tell", () => {
  const setting = new Reading();
  setting.from("c1", staleRead);
  const [look] = setting.looks();
  setting.looked(look, setting.state);
  const [reply] = setting.sent();
  assertEquals([reply?.message.type, reply?.message["ageMs"]], ["staleReply", 0]);
});

Deno.test("gobby_server wants the group's leader on its box while it is the master, not all the time", () => {
  const wanted = (setting: Setting) =>
    setting.sent().filter(({ message }) => message.type === "lead").map(({ to }) => to);
  const setting = new Setting(["s1"], { replica: "replica" });
  assertEquals(wanted(setting), ["replica"]);
  setting.serve();
  setting.server.advance(2900);
  assertEquals(wanted(setting), []);
  setting.server.advance(400);
  assertEquals(wanted(setting), ["replica"]);
  const blind = new Setting().serve();
  blind.server.advance(4000);
  assertEquals(wanted(blind), []);
  const waiting = new Setting(["s1", "s2", "s3"], { replica: "replica" });
  waiting.server.advance(4000);
  assertEquals(wanted(waiting), []);
});
