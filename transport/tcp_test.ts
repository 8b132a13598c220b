import { assertEquals, assertRejects } from "@std/assert";
import { tcp } from "./tcp.ts";
import { testTransport } from "./transport_contract.ts";

testTransport("tcp", () => ({ transport: tcp, address: "127.0.0.1:0" }));

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

Deno.test({ name: "tcp: speaks IPv6", ignore: !hasIpv6() }, async () => {
  const listener = await tcp.listen("[::1]:0");
  assertEquals(listener.address.startsWith("[::1]:"), true);
  const dialled = tcp.dial(listener.address, new AbortController().signal);
  const far = await listener.accept();
  const near = await dialled;
  assertEquals(near.remote, listener.address);
  for (const end of [near, far, listener]) end?.close();
});

Deno.test("tcp: refuses what is no address", async () => {
  for (
    const address of [
      "127.0.0.1",
      "127.0.0.1:65536",
      "127.0.0.1:-1",
      "::1:80",
      "[::1]",
      "a b:1",
      "",
    ]
  ) {
    const wanted = `Cannot use address "${address}", want "127.0.0.1:5000" or "[::1]:5000"`;
    await assertRejects(() => tcp.listen(address), SyntaxError, wanted);
    await assertRejects(() => tcp.dial(address, new AbortController().signal), SyntaxError, wanted);
  }
});

Deno.test("tcp: refuses an address of another machine", async () => {
  await assertRejects(
    // Reserved for documentation, so it is nobody's.
    () => tcp.listen("192.0.2.1:0"),
    Error,
    "Cannot listen on 192.0.2.1:0: the address is none of this machine's",
  );
});
