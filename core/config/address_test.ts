import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { isLoopback, parseBox } from "./address.ts";

const spellings: Record<string, readonly string[]> = {
  "127.0.0.1:5000": [
    "127.0.0.1:5000",
    "127.0.00.001:05000",
    "00127.000.0.1:0005000",
    "[::ffff:127.0.0.1]:5000",
    "[::ffff:7f00:1]:5000",
    "[0:0:0:0:0:FFFF:127.0.00.001]:5000",
  ],
  "10.11.12.13:8": ["10.11.12.13:8", "010.011.012.013:08"],
  "255.255.255.255:65535": ["255.255.255.255:65535"],
  "1.2.3.4:1": ["1.2.3.4:1"],
  "[::1]:5000": ["[::1]:5000", "[0:0:0:0:0:0:0:1]:5000", "[0000::0001]:05000", "[::0.0.0.1]:5000"],
  "[2001:db8::1]:80": ["[2001:DB8::1]:80", "[2001:0db8:0:0:0:0:0:1]:80", "[2001:db8:0::0:1]:80"],
  // The longest run of zeroes is left out, the first of two, and never a single group.
  "[2001:0:0:1::1]:80": ["[2001:0:0:1:0:0:0:1]:80", "[2001::1:0:0:0:1]:80"],
  "[2001::1:0:0:1:1]:80": ["[2001:0:0:1:0:0:1:1]:80"],
  "[1:0:3:4:5:6:7:8]:80": ["[1::3:4:5:6:7:8]:80", "[1:0:3:4:5:6:7:8]:80"],
  "[1:2:3:4:5:6:7:0]:80": ["[1:2:3:4:5:6:7::]:80"],
  "[1::]:80": ["[1::]:80"],
  "[64:ff9b::102:304]:80": ["[64:ff9b::1.2.3.4]:80"],
  "[1:2:3:4:5:6:102:304]:80": ["[1:2:3:4:5:6:1.2.3.4]:80"],
};

Deno.test("parseBox: gives every spelling of an address the same text", () => {
  for (const [canonical, texts] of Object.entries(spellings)) {
    for (const text of texts) assertEquals(`${parseBox(text)}`, canonical, text);
  }
});

const wantAddress = "an IP address and a port such as 127.0.0.1:5000 or [::1]:5000";
const refusals: Record<string, readonly string[]> = {
  [wantAddress]: [
    "",
    "5000",
    ":5000",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:x",
    "127.0.0.1:-1",
    "127.0.0.1:+1",
    "127.0.0.1:1.5",
    " 127.0.0.1:5000",
    "127.0.0.1:5000 ",
    "127.0.0.1:5000\n",
    "127:0.0.1:5000",
    "127.0.1:5000",
    "127.0.0.0.1:5000",
    "127.0.0.256:5000",
    "127.0..1:5000",
    "127.0.0.-1:5000",
    "[127.0.0.1]:5000",
    "[]:5000",
    "[::1]",
    "[::1]5000",
    "[:1]:5000",
    "[1:]:5000",
    "[:::]:5000",
    "[1::2::3]:5000",
    "[1:2:3:4:5:6:7]:5000",
    "[1:2:3:4:5:6:7:8:9]:5000",
    "[1::2:3:4:5:6:7:8]:5000",
    "[::12345]:5000",
    "[::g]:5000",
    "[1.2.3.4::]:5000",
    "[::1.2.3.4:5]:5000",
    "[::1.2.3.256]:5000",
    `127.0.0.1:${"0".repeat(300)}1`,
  ],
  [`${wantAddress}, brackets around an IPv6 address`]: ["::1", "1::", "2001:db8::1:5000"],
  [`${wantAddress}, not a host name`]: ["localhost:5000", "box-1.example:80", "0x7f.0.0.1:5000"],
  [`${wantAddress}, without a zone`]: ["[fe80::1%eth0]:5000"],
  "an address that other boxes can dial": ["0.0.0.0:5000", "[::]:5000", "[::ffff:0.0.0.0]:5000"],
  "a port from 1 to 65535": ["127.0.0.1:0", "127.0.0.1:65536", "[::1]:99999999999999999999"],
};

Deno.test("parseBox: refuses everything else, and says what is wanted", () => {
  for (const [wanted, texts] of Object.entries(refusals)) {
    for (const text of texts) {
      const { message } = assertThrows(() => parseBox(text), SyntaxError);
      assertEquals(message.slice(message.indexOf(", want ") + 7), wanted, text);
    }
  }
  assertThrows(
    () => parseBox("localhost:5000"),
    SyntaxError,
    `Cannot use "localhost:5000" as the address of a box, want ${wantAddress}, not a host name`,
  );
});

Deno.test("parseBox: agrees with the URL parser on IPv6", () => {
  fc.assert(fc.property(fc.ipV6(), fc.integer({ min: 1, max: 65535 }), (ip, port) => {
    const { hostname } = new URL(`http://[${ip}]`);
    fc.pre(hostname !== "[::]" && !hostname.startsWith("[::ffff:"));
    assertEquals(`${parseBox(`[${ip}]:${port}`)}`, `${hostname}:${port}`);
  }));
});

Deno.test("parseBox: leaves its own results as they are", () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6().map((ip) => `[${ip}]`));
  fc.assert(fc.property(host, fc.integer({ min: 1, max: 65535 }), (ip, port) => {
    fc.pre(!/^(0\.0\.0\.0|\[[0:.]*\])$/.test(ip));
    const box = parseBox(`${ip}:${port}`);
    assertEquals(parseBox(box), box);
  }));
});

Deno.test("isLoopback: knows what only this machine can reach", () => {
  for (const text of ["127.0.0.1:1", "127.255.0.3:1", "[::1]:1", "[::ffff:127.0.0.1]:1"]) {
    assertEquals(isLoopback(parseBox(text)), true, text);
  }
  for (
    const text of ["128.0.0.1:1", "12.7.0.1:1", "10.0.0.127:1", "[::2]:1", "[1::1]:1", "[127::1]:1"]
  ) {
    assertEquals(isLoopback(parseBox(text)), false, text);
  }
});
