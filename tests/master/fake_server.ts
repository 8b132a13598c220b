// A small chatroom server, and what can be wrong with one. Not a box of Ovid's: it stands for a server of others.
// Arguments: MODE BASE_PORT and then those of the original's contract, ID N PORT or CONFIG BOX PORT.

const [mode = "", basePort = "", ...contract] = Deno.args;
const isNumeric = contract[1] !== undefined && /^\d+$/.test(contract[1]);
const self = (isNumeric ? contract[0] : contract[1]) ?? "";
const count = isNumeric ? Number(contract[1]) : 0;
const masterPort = Number(contract[2]);
const host = "127.0.0.1";
const encoder = new TextEncoder();

const peers = new Map<string, Deno.Conn>();
const messages: string[] = [];

async function say(connection: Deno.Conn, line: string): Promise<void> {
  const bytes = encoder.encode(`${line}\n`);
  for (let done = 0; done < bytes.length;) done += await connection.write(bytes.subarray(done));
}

async function* linesOf(connection: Deno.Conn): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for await (const bytes of connection.readable) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } catch {
    // The other end was killed.
  }
}

async function serveMaster(connection: Deno.Conn): Promise<void> {
  for await (const line of linesOf(connection)) {
    const [verb] = line.split(" ");
    if (mode === "hang") continue;
    if (mode === "hang-up" && verb === "get") return connection.close();
    if (mode === "late") await new Promise((resolve) => setTimeout(resolve, 3200));
    if (mode === "garbage") await say(connection, "what?");
    else if (verb === "alive") {
      const alive = [...peers.keys(), self].sort((a, b) => Number(a) - Number(b));
      await say(connection, `alive ${alive.join(",")}`);
    } else if (verb === "get") {
      // So that a script can be further on before the answer comes.
      if (messages.includes("slowly")) await new Promise((resolve) => setTimeout(resolve, 200));
      await say(connection, `messages ${messages.join(",")}`);
    } else if (verb === "broadcast") {
      const text = line.slice("broadcast ".length);
      messages.push(text);
      for (const peer of peers.values()) say(peer, `msg ${text}`).catch(() => {});
    }
  }
}

async function servePeer(connection: Deno.Conn): Promise<void> {
  await say(connection, `ping ${self}`).catch(() => {});
  let name: string | undefined;
  for await (const line of linesOf(connection)) {
    if (line.startsWith("msg ")) messages.push(line.slice("msg ".length));
    else if (name === undefined) peers.set(name = line.slice("ping ".length), connection);
  }
  if (name !== undefined && peers.get(name) === connection) peers.delete(name);
}

async function listen(port: number, serve: (connection: Deno.Conn) => void): Promise<void> {
  for await (const connection of Deno.listen({ hostname: host, port })) serve(connection);
}

async function dial(id: number): Promise<void> {
  while (true) {
    try {
      await servePeer(await Deno.connect({ hostname: host, port: Number(basePort) + id }));
    } catch {
      // It is not there, or not yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function again(otherMode: string, stdin: "null" | "piped"): void {
  const program = new URL(import.meta.url).pathname;
  const args = ["run", "-A", "-q", "--no-config", program, otherMode, basePort, ...contract];
  const output = { stdin, stdout: "null", stderr: "null", detached: true } as const;
  const child = new Deno.Command(Deno.execPath(), { args, ...output }).spawn();
  child.unref();
}

async function untilInputEnds(): Promise<void> {
  for await (const _ of Deno.stdin.readable) continue;
}

if (mode === "exit") {
  console.error("no room left");
  Deno.exit(3);
}
if (mode === "escape") {
  again("correct", "null");
  Deno.exit(0);
}
if (mode === "respawn") again("watch", "piped");
if (mode === "watch") {
  await untilInputEnds();
  await new Promise((resolve) => setTimeout(resolve, 100));
}
if (mode === "slow") await new Promise((resolve) => setTimeout(resolve, 2500));
if (mode === "own") untilInputEnds().then(() => Deno.exit(0));
console.log(`server ${self} is up`);
if (isNumeric) {
  listen(Number(basePort) + Number(self), servePeer);
  for (let id = 0; id < Math.min(Number(self), count); id++) dial(id);
}
listen(masterPort, serveMaster);
