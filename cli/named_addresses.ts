// Where boxes are reached in place of their own addresses: `--at BOX=HOST:PORT,...`. A box keeps its address as its
// name, in the grid and on the wire; where names of hosts are given out, as to containers, it is found by one.

import { isLoopback, readBox } from "../core/config/address.ts";
import type { Grid } from "../core/grid.ts";
import type { BoxId } from "../core/id.ts";
import { type Call, UsageError } from "./command.ts";

/**
 * What `--at` says: box -> address.
 *
 * @throws {UsageError} for a box that is not in the grid, for what is no address, and for one that other machines may
 * reach unless `--insecure` is given.
 */
export function readNamedAddresses(call: Call, grid: Grid): ReadonlyMap<BoxId, string> {
  const addresses = new Map<BoxId, string>();
  for (const part of call.value("at")?.split(",") ?? []) {
    const [, boxText = "", address = ""] = /^([^=]+)=(.+)$/.exec(part) ?? [];
    const read = readBox(boxText);
    const box = grid.boxes.find((each) => "box" in read && each === read.box);
    if (box === undefined) {
      throw refuse(part, `BOX=HOST:PORT with one of the boxes ${grid.boxes.join(", ")}`);
    }
    const [, host = "", port = ""] = /^(\[[\da-fA-F:.]+\]|[\w.-]+):(\d{1,5})$/.exec(address) ?? [];
    if (host === "" || Number(port) < 1 || Number(port) > 65535) {
      throw refuse(part, "a name or an IP address and a port, such as store:5000");
    }
    if (!isLocal(host) && !call.has("insecure")) {
      throw refuse(part, "--insecure, since other machines may reach it, or localhost");
    }
    addresses.set(box, address);
  }
  return addresses;
}

function isLocal(host: string): boolean {
  const read = readBox(`${host}:1`);
  return host === "localhost" || read.box !== undefined && isLoopback(read.box);
}

function refuse(part: string, wanted: string): UsageError {
  return new UsageError(`Cannot use ${JSON.stringify(part)} for --at, want ${wanted}`);
}
