// A grid of real boxes under load while its links are cut: memory stays flat, each link keeps the order of its mail, and
// what was acknowledged is found again after kill -9.
//
//   deno run -A tests/soak/soak.ts                       ten minutes
//   deno run -A tests/soak/soak.ts --seconds 60
//   deno run -A tests/soak/soak.ts --seconds 6 --canary loss|disorder|leak     must fail
//
// Exit codes: 0 all was well, 1 something was not, 2 wrong usage.

import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path";
import { seededRandom } from "../../core/random.ts";
import { freePorts } from "../e2e/support.ts";
import { Asker } from "./asker.ts";
import { judge, type Observed, reportLines } from "./judge.ts";
import { Proxy } from "./proxy.ts";
import { SoakBox } from "./soak_box.ts";

const boxCount = 3;
const cutEveryMs = 1000;
const samplesMin = 20;
const canaries = ["none", "loss", "disorder", "leak"];

interface Options {
  readonly seconds: number;
  readonly canary: string;
}

function readOptions(args: string[]): Options | undefined {
  const { seconds = "600", canary = "none", _: others } = parseArgs(args, {
    string: ["seconds", "canary"],
  });
  const length = Number(seconds);
  const isRight = /^\d{1,6}$/.test(seconds) && length >= 3 && canaries.includes(canary) &&
    others.length === 0;
  return isRight ? { seconds: length, canary } : undefined;
}

/** Three boxes with a talker each, one of them with a keeper as well. */
function gridText(ids: readonly string[], canary: string): string {
  const agents: Record<string, unknown> = {};
  const names = ids.map((_, index) => `talker${index}`);
  for (const [index, box] of ids.entries()) {
    const others = names.filter((_, other) => other !== index);
    agents[`talker${index}`] = {
      ...{ type: "talker", box, attrs: { canary } },
      routes: { others: Object.fromEntries(others.map((name) => [name, 0])) },
    };
  }
  agents["keeper"] = { type: "keeper", box: ids[0], attrs: {}, routes: {} };
  return JSON.stringify(agents);
}

async function soak({ seconds, canary }: Options): Promise<Observed> {
  const folder = await Deno.makeTempDir({ prefix: "ovid-soak-" });
  const ports = freePorts(2 * boxCount);
  const ids = ports.slice(0, boxCount).map((port) => `127.0.0.1:${port}`);
  const gridFile = join(folder, "grid.json");
  await Deno.writeTextFile(gridFile, gridText(ids, canary));
  const sampleMs = Math.min(10_000, Math.ceil(1000 * seconds / (2 * samplesMin)));
  const start = (index: number) =>
    new SoakBox({
      ...{ box: ids[index] ?? "", listen: `127.0.0.1:${ports[boxCount + index]}`, gridFile },
      ...{ data: join(folder, `data${index}`), canary, sampleMs },
    });
  let boxes = ids.map((_, index) => start(index));
  const proxies = ids.map((_, index) => new Proxy(ports[index] ?? 0, ports[boxCount + index] ?? 0));
  const asker = new Asker(ids);
  try {
    await asker.linked(30_000);
    const random = seededRandom(BigInt(seconds));
    const keeping = new AbortController();
    const kept = asker.keep(keeping.signal);
    const endAt = performance.now() + 1000 * seconds;
    while (performance.now() < endAt) {
      await new Promise((resolve) => setTimeout(resolve, cutEveryMs));
      proxies[Math.floor(random() * proxies.length)]?.cut();
    }
    keeping.abort();
    const acknowledged = await kept;
    await asker.linked(30_000);
    const reports = await asker.reports();
    for (const box of boxes) await box.kill();
    const samples = boxes.map((box) => box.samples);
    const complaints = boxes.flatMap((box) => box.complaints);
    boxes = [start(0)];
    const found = await asker.found();
    const cuts = proxies.reduce((sum, proxy) => sum + proxy.cuts, 0);
    return { seconds, cuts, acknowledged, found, reports, samples, complaints };
  } finally {
    await asker.close();
    for (const box of boxes) await box.kill();
    for (const proxy of proxies) await proxy.close();
    await Deno.remove(folder, { recursive: true });
  }
}

const options = readOptions(Deno.args);
if (options === undefined) {
  console.error(`Usage: soak.ts [--seconds 3..] [--canary ${canaries.join("|")}]`);
  Deno.exit(2);
}
const observed = await soak(options);
const violations = judge(observed);
for (const line of reportLines(observed)) console.log(line);
for (const violation of violations) console.log(`VIOLATION: ${violation}`);
console.log(violations.length === 0 ? "All was well." : `${violations.length} violations.`);
Deno.exit(violations.length === 0 ? 0 : 1);
