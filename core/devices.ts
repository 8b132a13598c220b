// Devices: the doors between an agent and the world outside its grid. Each has a real driver in box/ and a
// simulated one in sim/, so that an agent that uses a terminal or a file still runs under a seed.

/** What each device takes from an agent. */
export interface DeviceOutputs {
  /** `print` writes a line as it is; `prompt` is shown only to a person, without a line feed. */
  readonly terminal:
    | { readonly type: "print"; readonly text: string }
    | { readonly type: "prompt"; readonly text: string };
  /** Appends `text` to a file below the box's data folder. */
  readonly file: { readonly type: "append"; readonly path: string; readonly text: string };
}

/** What each device tells an agent. */
export interface DeviceEvents {
  /** A line that was typed or piped, without its line feed; then, once, the end of input. */
  readonly terminal: { readonly type: "line"; readonly text: string } | { readonly type: "eof" };
  /** An append that failed. */
  readonly file: { readonly type: "failed"; readonly path: string; readonly reason: string };
}

/** The name of a device that an agent may declare. */
export type DeviceName = keyof DeviceOutputs;

/** All devices there are. */
export const deviceNames: readonly DeviceName[] = ["terminal", "file"];

/** Something an agent gave to a device, to be done once the appends before it are durable. */
export type DeviceOutput = {
  [D in DeviceName]: { readonly device: D; readonly output: DeviceOutputs[D] };
}[DeviceName];

/** Something a device tells an agent. */
export type DeviceEvent = {
  [D in DeviceName]: { readonly device: D; readonly event: DeviceEvents[D] };
}[DeviceName];
