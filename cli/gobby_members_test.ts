import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { GroupReplica } from "../client/group_client.ts";
import { changedGroup, showMembers } from "./gobby_members.ts";

const replica = (
  id: string,
  isMember: boolean,
  state: GroupReplica["state"] = "present",
): GroupReplica => ({ id, isMember, state });

const group = {
  epoch: 4,
  primary: "r2",
  replicas: [
    replica("r1", true, "lost"),
    replica("r2", true),
    replica("r3", true, "silent"),
    replica("r10", false),
    replica("r5", false, "silent"),
  ],
};

Deno.test("showMembers() says of each replica what it is", () => {
  assertEquals(showMembers(group).split("\n"), [
    "epoch 4",
    "r1   member, but has lost its disk: members add r1 takes it in again",
    "r2   member, leads",
    "r3   member, does not answer",
    "r10  spare",
    "r5   spare, does not answer",
  ]);
});

Deno.test("showMembers() says what to do where most disks are empty", () => {
  const lost = ["r1", "r2"].map((id) => replica(id, true, "lost"));
  const replicas = [...lost, replica("r3", true)];
  const shown = showMembers({ epoch: 0, primary: "r3", replicas });
  assertStringIncludes(shown, "boxes, and start them with --new.");
});

Deno.test("changedGroup() adds, removes and replaces", () => {
  assertEquals(changedGroup(group, "add", ["r1"]), ["r1", "r2", "r3"]);
  assertEquals(changedGroup(group, "replace", ["r3", "r10"]), ["r1", "r2", "r10"]);
  assertEquals(changedGroup(group, "replace", ["r1", "r1"]), ["r1", "r2", "r3"]);
  const whole = { replicas: [replica("r1", true), replica("r2", true), replica("r3", true)] };
  assertEquals(changedGroup(whole, "remove", ["r1"]), ["r2", "r3"]);
});

Deno.test("changedGroup() makes no group that is none, or could not go on", () => {
  const wrong = [
    ["add", "r2", "r2 is a member already"],
    ["add", "r5", "r5 does not answer"],
    ["add", "r9", "there is no replica r9, want one of r1, r2, r3, r10, r5"],
    ["add", "r10", "2 of 4 would be there, want more than half"],
    ["remove", "r10", "r10 is no member"],
    ["remove", "r3", "1 of 2 would be there, want more than half"],
    ["replace", "r3", "r1", "r1 is a member already"],
  ];
  for (const [change = "", ...rest] of wrong) {
    const why = rest.pop() ?? "";
    assertThrows(() => changedGroup(group, change, rest), Error, why);
  }
  assertThrows(() => changedGroup({ replicas: [replica("r1", true)] }, "remove", ["r1"]), Error);
});
