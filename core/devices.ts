// Devices: the doors between an agent and the world outside its grid. Each has a real driver in box/ and a
// simulated one in sim/, so that an agent that uses a terminal or a file still runs under a seed.

/** What each device takes from an agent. */
export interface DeviceOutputs {
  /** Where a person types, for one agent of a grid: `print` writes a line, `prompt` is shown only to a person. */
  readonly terminal: Print | { readonly type: "prompt"; readonly text: string };
  /** The output of the box, for any number of agents: nothing can be typed here. */
  readonly console: Print;
  /** A file below the box's data folder. */
  readonly file: FileOutput;
  /** Other boxes of the grid, as processes of their own that end with this box. */
  readonly process: ProcessOutput;
}

/** What may be done to a file. */
export type FileOutput =
  /** Appends a line; `stamp` puts the date and time before it. */
  | {
    readonly type: "append";
    readonly path: string;
    readonly text: string;
    readonly stamp?: boolean;
  }
  /** Puts lines in the place of all that the file had, at once. */
  | { readonly type: "write"; readonly path: string; readonly lines: readonly string[] };

/** What may be done about boxes. Only those of the same grid can be started, and only what was started be killed. */
export type ProcessOutput =
  /** Starts a box that loses messages between agents with the probability `loss`. */
  | { readonly type: "start"; readonly box: string; readonly loss: number }
  /** Kills a box without a word. */
  | { readonly type: "kill"; readonly box: string }
  /** Ends this very box in order, and all that it has started. */
  | { readonly type: "end" };

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
  /** Something that could not be written. */
  readonly file: { readonly type: "failed"; readonly path: string; readonly reason: string };
  readonly process: ProcessEvent;
}

/** What becomes of the boxes that an agent has started, or wanted to start or to kill. */
export type ProcessEvent =
  | { readonly type: "started"; readonly box: string }
  /** Its process has ended; `code` is null if a signal ended it. */
  | { readonly type: "exited"; readonly box: string; readonly code: number | null }
  /** Nothing was done. */
  | { readonly type: "failed"; readonly box: string; readonly reason: string };

/** The name of a device that an agent may declare. */
export type DeviceName = keyof DeviceOutputs;

/** All devices there are. */
export const deviceNames: readonly DeviceName[] = ["terminal", "console", "file", "process"];

/** Something an agent gave to a device, to be done once the appends before it are durable. */
export type DeviceOutput = {
  [D in DeviceName]: { readonly device: D; readonly output: DeviceOutputs[D] };
}[DeviceName];

/** Something a device tells an agent. */
export type DeviceEvent = {
  [D in DeviceName]: { readonly device: D; readonly event: DeviceEvents[D] };
}[DeviceName];
