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
  /** A port of the box at which strangers make requests by HTTP. */
  readonly http: HttpOutput;
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

/** What may be said to those who make requests. Of an exchange that is over nothing is said any more. */
export type HttpOutput =
  /** Where to listen, instead of anywhere else; port 0 is one that is free. All exchanges before are over. */
  | { readonly type: "listen"; readonly hostname: string; readonly port: number }
  /** The whole answer to a request. */
  | HttpAnswer & { readonly type: "respond"; readonly body: string }
  /** The beginning of an answer that goes on until `end`. */
  | HttpAnswer & { readonly type: "begin" }
  | { readonly type: "chunk"; readonly id: number; readonly text: string }
  | { readonly type: "end"; readonly id: number };

/** How an answer begins. The driver adds what frames it, and that it is neither stored nor taken for something else. */
export interface HttpAnswer {
  readonly id: number;
  readonly status: number;
  readonly contentType: string;
  readonly headers?: { readonly [name: string]: string };
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
  /** Something that could not be written. */
  readonly file: { readonly type: "failed"; readonly path: string; readonly reason: string };
  readonly process: ProcessEvent;
  readonly http: HttpEvent;
}

/** What becomes of the boxes that an agent has started, or wanted to start or to kill. */
export type ProcessEvent =
  | { readonly type: "started"; readonly box: string }
  /** Its process has ended; `code` is null if a signal ended it. */
  | { readonly type: "exited"; readonly box: string; readonly code: number | null }
  /** Nothing was done. */
  | { readonly type: "failed"; readonly box: string; readonly reason: string };

/** What comes by HTTP. */
export type HttpEvent =
  | { readonly type: "listening"; readonly hostname: string; readonly port: number }
  /** Nobody can make requests. */
  | { readonly type: "failed"; readonly reason: string }
  | HttpRequest & { readonly type: "request" }
  /** Nobody waits for the rest of the answer: whoever asked has gone, or has had no time or no room left. */
  | { readonly type: "closed"; readonly id: number };

/** A request, whole and within the driver's limits. */
export interface HttpRequest {
  readonly id: number;
  readonly method: string;
  /** The target up to the first `?`, and what follows it, neither of them decoded. */
  readonly path: string;
  readonly query: string;
  /** Those of {@linkcode httpHeaders} that came, by their names in small letters. */
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

/** The headers of requests that agents are told. None of them may come twice. */
export const httpHeaders: readonly string[] = [
  ...["host", "origin", "sec-fetch-site", "authorization", "content-type"],
  ...["if-match", "last-event-id", "access-control-request-method"],
];

/** What drivers allow to one agent. */
export const httpLimits = {
  /** Exchanges at once; who comes when there are as many is told to come again. */
  exchanges: 128,
  headBytes: 16_384,
  bodyBytes: 1024 * 1024,
  /** What waits for a reader who is too slow, before it is cut off. */
  waitingBytes: 4 * 1024 * 1024,
  /** How long a request may take to arrive, the agent to begin its answer, and the reader to take anything. */
  requestMs: 10_000,
  answerMs: 60_000,
  readMs: 30_000,
  /** How long a connection stays open for its reader to take the end of the answer. */
  lingerMs: 1000,
};

/** See {@linkcode httpLimits}. */
export type HttpLimits = Readonly<typeof httpLimits>;

/** The name of a device that an agent may declare. */
export type DeviceName = keyof DeviceOutputs;

/** All devices there are. */
export const deviceNames: readonly DeviceName[] = [
  ...["terminal", "console", "file", "process", "http"] as const,
];

/** Something an agent gave to a device, to be done once the appends before it are durable. */
export type DeviceOutput = {
  [D in DeviceName]: { readonly device: D; readonly output: DeviceOutputs[D] };
}[DeviceName];

/** Something a device tells an agent. */
export type DeviceEvent = {
  [D in DeviceName]: { readonly device: D; readonly event: DeviceEvents[D] };
}[DeviceName];
