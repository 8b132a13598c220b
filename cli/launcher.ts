// How masters start Ovid's own servers: this very program, as a box or as a numeric server, supervised.

import { join } from "@std/path";
import type { Launch, Launcher } from "../master/process.ts";
import { selfCommand } from "./self.ts";

/** The first port of the original chatroom's links between servers. */
const basePort = 3000;

/** Starts Ovid's own servers; `boxFlags` are what boxes are told besides. */
export function ownLauncher(boxFlags: readonly string[] = []): Launcher {
  return {
    launch: (launch) => {
      const args = launch.dialect === "numeric"
        ? numericArgs(launch)
        : [...boxArgs(launch), ...boxFlags];
      if (launch.debug) args.push("--debug");
      return { ...selfCommand([...args, "--supervised"]), supervised: true };
    },
  };
}

function numericArgs({ box, count, masterPort, portOffset }: Launch): string[] {
  if (count === undefined) {
    throw new Error(`Cannot start server ${box}, want the number of servers`);
  }
  return [
    "chatroom",
    box,
    String(count),
    String(masterPort),
    `--base-port=${basePort + portOffset}`,
  ];
}

function boxArgs({ box, masterPort, portOffset, gridFile, dataDir }: Launch): string[] {
  if (gridFile === undefined) throw new Error(`Cannot start box ${box}, want a grid file`);
  const data = dataDir === undefined ? [] : [`--data=${join(dataDir)}`];
  return ["box", gridFile, box, `--master=${masterPort}`, `--port-offset=${portOffset}`, ...data];
}
