// What is due in a simulated world, and how it comes to the box that it concerns.

import type { DeviceEvent } from "../core/devices.ts";
import type { AgentId } from "../core/id.ts";
import type { Network, Packet } from "./network.ts";
import type { BoxAlarm, SimulatedBox } from "./simulated_box.ts";

interface DeviceInput {
  readonly kind: "input";
  readonly box: SimulatedBox;
  readonly agent: AgentId;
  readonly event: DeviceEvent;
}

interface Action {
  readonly kind: "action";
  readonly act: () => void;
}

/** What the timeline of a world holds. */
export type Due = Packet | BoxAlarm | DeviceInput | Action;

/** Lets something that is due come to a box that has time for it. Whether it meant anything. */
export function reach(
  due: Exclude<Due, Action>,
  network: Network,
  { nowUs }: { readonly nowUs: number },
): boolean {
  switch (due.kind) {
    case "mail": {
      const { link: { addressee }, fate } = due;
      if (network.arrive(nowUs, due, addressee.up)) addressee.takeMail(due);
      return fate === "flying";
    }
    case "input":
      due.box.takeInput(due.agent, due.event);
      return true;
    default:
      return due.box.takeAlarm(due);
  }
}
