// Devices: the doors between an agent and the world outside its grid. Each has a real driver in box/ and a
// simulated one in sim/, so that an agent that uses a terminal or a file still runs under a seed.

/** What each device takes from an agent. */
export interface DeviceOutputs {
  /** Where a person types, for one agent of a grid: `print` writes a line, `prompt` is shown only to a person. */
  readonly terminal: Print | { readonly type: "prompt"; readonly text: string };
  /** The output of the box, for any number of agents: nothing can be typed here. */
  readonly console: Print;
  /** Appends a line to a file below the box's data folder; `stamp` puts the date and time before it. */
  readonly file: {
    readonly type: "append";
    readonly path: string;
    readonly text: string;
    readonly stamp?: boolean;
  };
}

/** Writes a line, as it is. */
export interface Print {
  readonly type: "print";
  readonly text: string;
}

/** What each device tells an agent. */
export interface DeviceEvents {
  /** A line that was typed or piped, without its line feed; then, once, the end of input. */
  readonly terminal: { readonly type: "line"; readonly text: string } | { readonly type: "eof" };
  readonly console: never;
  /** An append that failed. */
  readonly file: { readonly type: "failed"; readonly path: string; readonly reason: string };
}

/** The name of a device that an agent may declare. */
export type DeviceName = keyof DeviceOutputs;

/** All devices there are. */
export const deviceNames: readonly DeviceName[] = ["terminal", "console", "file"];

/** Something an agent gave to a device, to be done once the appends before it are durable. */
export type DeviceOutput = {
  [D in DeviceName]: { readonly device: D; readonly output: DeviceOutputs[D] };
}[DeviceName];

/** Something a device tells an agent. */
export type DeviceEvent = {
  [D in DeviceName]: { readonly device: D; readonly event: DeviceEvents[D] };
}[DeviceName];
