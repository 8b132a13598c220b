import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { type HttpEvent, type HttpLimits, httpLimits } from "../core/devices.ts";
import { agentId } from "../core/id.ts";
import { FailingTransport } from "../transport/failing.ts";
import { tcp } from "../transport/tcp.ts";
import type { Transport } from "../transport/transport.ts";
import { HttpServers } from "./http.ts";
import { parseHead } from "./http_request.ts";

const agent = agentId("g");
const json = "application/json";

/** What strangers see of an agent that the test plays. */
async function bench(limits: Partial<HttpLimits> = {}, transport: Transport = tcp) {
  const notes: string[] = [];
  const events: HttpEvent[] = [];
  const wakers: (() => void)[] = [];
  const servers = new HttpServers({
    transport,
    limits: { ...httpLimits, ...limits },
    event(_agent, event) {
      events.push(event);
      for (const wake of wakers.splice(0)) wake();
    },
    note: (event, detail) => notes.push(`${event} ${detail}`),
  });
  /** The next event of a type. */
  const next = async <T extends HttpEvent["type"]>(type: T) => {
    while (true) {
      const index = events.findIndex((event) => event.type === type);
      const [event] = index < 0 ? [] : events.splice(index, 1);
      if (event !== undefined) return event as Extract<HttpEvent, { type: T }>;
      await new Promise<void>((resolve) => wakers.push(resolve));
    }
  };
  servers.take(agent, { type: "listen", hostname: "127.0.0.1", port: 0 });
  const { port } = await next("listening");
  const connect = () => Deno.connect({ hostname: "127.0.0.1", port });
  return {
    servers,
    notes,
    next,
    connect,
    url: `http://127.0.0.1:${port}`,
    port,
    [Symbol.asyncDispose]: () => servers.close(),
  };
}

/** All that comes until the other end closes. */
async function readAll(connection: Deno.TcpConn): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65536);
  let text = "";
  try {
    for (let count; (count = await connection.read(buffer)) !== null;) {
      text += decoder.decode(buffer.subarray(0, count), { stream: true });
    }
  } catch {
    // Cut off.
  }
  connection.close();
  return text;
}

async function send(connection: Deno.TcpConn, text: string): Promise<void> {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(await connection.write(bytes));
}

const plain = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

Deno.test("HttpServers hands a request over whole, and answers it once", async () => {
  await using a = await bench();
  const answer = fetch(`${a.url}/a%20b?c=d?e`, {
    method: "POST",
    body: "{}é",
    headers: { "content-type": json, "x-own": "1" },
  });
  const request = await a.next("request");
  const { id, method, path, query, body, headers } = request;
  assertEquals([method, path, query, body], ["POST", "/a%20b", "c=d?e", "{}é"]);
  assertEquals(
    Object.keys(headers).sort(),
    ["content-type", "host", "sec-fetch-site"].filter(
      (name) => Object.hasOwn(headers, name),
    ),
  );
  a.servers.take(agent, {
    ...{ type: "respond", id, status: 201, contentType: json, body: "1é" },
    headers: { etag: '"1"', "x-bad": "a\r\nset-cookie: b" },
  });
  a.servers.take(agent, { type: "respond", id, status: 500, contentType: json, body: "2" });
  const response = await answer;
  assertEquals([response.status, await response.text()], [201, "1é"]);
  assertEquals(response.headers.get("etag"), '"1"');
  assertEquals(response.headers.get("cache-control"), "no-store");
  assertEquals(response.headers.get("x-content-type-options"), "nosniff");
  assertEquals([...response.headers.keys()].filter((name) => /bad|cookie/.test(name)), []);
});

Deno.test("HttpServers streams, and tells when the reader has gone", async () => {
  await using a = await bench();
  const gone = new AbortController();
  const answer = fetch(a.url, { signal: gone.signal });
  const { id } = await a.next("request");
  a.servers.take(agent, { type: "begin", id, status: 200, contentType: "text/event-stream" });
  a.servers.take(agent, { type: "chunk", id, text: "data: é\n\n" });
  const reader = (await answer).body?.getReader();
  const { value } = await reader?.read() ?? {};
  assertEquals(new TextDecoder().decode(value), "data: é\n\n");
  gone.abort();
  assertEquals((await a.next("closed")).id, id);

  const other = fetch(a.url);
  const { id: second } = await a.next("request");
  a.servers.take(agent, { type: "begin", id: second, status: 200, contentType: "text/plain" });
  a.servers.take(agent, { type: "chunk", id: second, text: "all" });
  a.servers.take(agent, { type: "end", id: second });
  assertEquals(await (await other).text(), "all");
});

Deno.test("HttpServers cuts off a reader that is too slow, at its limit", async () => {
  await using a = await bench({ waitingBytes: 100_000 });
  const slow = await a.connect();
  await send(slow, plain);
  const { id } = await a.next("request");
  a.servers.take(agent, { type: "begin", id, status: 200, contentType: "text/event-stream" });
  let closed = false;
  const closing = a.next("closed").then(() => closed = true);
  let told = 0;
  for (; !closed && told < 2000; told++) {
    a.servers.take(agent, { type: "chunk", id, text: "x".repeat(50_000) });
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  assertLess(told, 2000);
  await closing;
  const text = await readAll(slow);
  assertLess(text.length, told * 50_000);
});

const refused: readonly [number, string][] = [
  [400, "GET / HTTP/1.0\r\nHost: a\r\n\r\n"],
  [400, "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  [400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  [400, "GET / HTTP/1.1\r\n\r\n"],
  [400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"],
  [400, "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n"],
  [400, "GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n"],
  [400, "GET / HTTP/1.1\nHost: a\n\r\n\r\n"],
  [400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"],
  [400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
  [400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n\x80"],
  [411, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  [413, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n"],
  [431, `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`],
  [431, `GET / HTTP/1.1\r\nHost: a\r\n${"x: 1\r\n".repeat(200)}\r\n`],
];

Deno.test("HttpServers refuses what could be read in two ways, and what is too long", async () => {
  await using a = await bench({ lingerMs: 20 });
  for (const [status, text] of refused) {
    const connection = await a.connect();
    // A byte for each character.
    await connection.write(Uint8Array.from(text, (char) => char.charCodeAt(0)));
    const answer = await readAll(connection);
    assertStringIncludes(answer, `HTTP/1.1 ${status} `, text.slice(0, 80));
    assertStringIncludes(answer, '"certain":true');
  }
});

Deno.test("HttpServers lets a sender that is refused read why, with all of its body on the way", async () => {
  await using a = await bench();
  const response = await fetch(a.url, { method: "POST", body: "x".repeat(3_000_000) });
  assertEquals(response.status, 413);
  await response.body?.cancel();
});

Deno.test("HttpServers gives time to a sender and to the agent, but not for ever", async () => {
  await using a = await bench({ requestMs: 50, answerMs: 50, lingerMs: 20 });
  const half = await a.connect();
  await send(half, "GET / HTTP/1.1\r\nHo");
  assertStringIncludes(await readAll(half), "HTTP/1.1 408 ");
  const response = await fetch(a.url);
  assertEquals([response.status, (await response.json()).certain], [503, false]);
  const { id } = await a.next("request");
  assertEquals((await a.next("closed")).id, id);
});

Deno.test("HttpServers serves so many at once, and then others again", async () => {
  await using a = await bench({ exchanges: 2 });
  const first = [fetch(a.url), fetch(a.url)];
  const ids = [(await a.next("request")).id, (await a.next("request")).id];
  const third = await fetch(a.url);
  assertEquals([third.status, (await third.json()).certain], [503, true]);
  for (const id of ids) {
    a.servers.take(agent, { type: "respond", id, status: 200, contentType: json, body: "" });
  }
  for (const response of await Promise.all(first)) await response.body?.cancel();
  const answered = a.next("request").then(({ id }) =>
    a.servers.take(agent, { type: "respond", id, status: 200, contentType: json, body: "" })
  );
  let status = 503;
  while (status === 503) {
    const response = await fetch(a.url);
    status = response.status;
    await response.body?.cancel();
  }
  assertEquals(status, 200);
  await answered;
});

Deno.test("HttpServers asks for a body that waits for leave", async () => {
  await using a = await bench({ lingerMs: 20 });
  const connection = await a.connect();
  await send(
    connection,
    "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
  );
  const buffer = new Uint8Array(100);
  const count = await connection.read(buffer) ?? 0;
  assertStringIncludes(new TextDecoder().decode(buffer.subarray(0, count)), "100 Continue");
  await send(connection, "{}");
  const { id, body } = await a.next("request");
  assertEquals(body, "{}");
  a.servers.take(agent, { type: "respond", id, status: 204, contentType: json, body: "" });
  assert(!(await readAll(connection)).includes("content-length"));
});

Deno.test("HttpServers says that a port is taken, and frees its own when it ends", async () => {
  const a = await bench();
  const b = await bench();
  b.servers.take(agent, { type: "listen", hostname: "127.0.0.1", port: a.port });
  assertStringIncludes((await b.next("failed")).reason, "in use");
  const waiting = await a.connect();
  await send(waiting, plain);
  await a.next("request");
  await a.servers.close();
  assertEquals(await readAll(waiting), "");
  b.servers.take(agent, { type: "listen", hostname: "127.0.0.1", port: a.port });
  assertEquals((await b.next("listening")).port, a.port);
  await b.servers.close();
});

Deno.test("HttpServers cuts off those whom an agent's last life has not answered", async () => {
  await using a = await bench();
  const waiting = await a.connect();
  await send(waiting, plain);
  const { id: old } = await a.next("request");
  a.servers.take(agent, { type: "listen", hostname: "127.0.0.1", port: a.port });
  assertEquals(await readAll(waiting), "");
  assertEquals((await a.next("listening")).port, a.port);
  const answer = fetch(a.url);
  const { id } = await a.next("request");
  assert(id > old);
  for (const each of [old, id]) {
    a.servers.take(agent, { type: "respond", id: each, status: 200, contentType: json, body: "1" });
  }
  assertEquals(await (await answer).text(), "1");
  await a.servers.stop(agent);
  const refused = await a.connect().then((connection) => connection.close(), () => "refused");
  assertEquals(refused, "refused");
});

Deno.test("HttpServers goes on accepting after the system could not, and says so once", async () => {
  let left = 3;
  const transport = new FailingTransport(tcp, (_, kind) => kind === "accept" && left-- > 0);
  await using served = await bench({}, transport);
  const connection = await served.connect();
  await send(connection, plain);
  const { id } = await served.next("request");
  served.servers.take(agent, { type: "respond", id, status: 200, contentType: json, body: "{}" });
  assertStringIncludes(await readAll(connection), "{}");
  const failures = served.notes.filter((note) => note.startsWith("http.accept"));
  assertEquals(failures, ["http.accept Too many open files: accept was told to fail"]);
});

Deno.test("parseHead() tells the headers that matter, in small letters", () => {
  const head = parseHead("GET /a?b HTTP/1.1\r\nHOST: a:1 \r\nCookie: c\r\nIf-Match:7", {
    bodyBytes: 1,
  });
  assertEquals(head, {
    ...{ method: "GET", path: "/a", query: "b", bodyBytes: 0, awaitsContinue: false },
    headers: { host: "a:1", "if-match": "7" },
  });
});
