import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { idLengthMax } from "../../core/id.ts";
import { oneLine } from "../../core/text.ts";
import {
  commandText,
  findCommandFault,
  type Outcome,
  outcomeText,
  parseCommand,
  parseReply,
  replyText,
  valueLengthMax,
} from "./command.ts";

Deno.test("parseCommand() takes put with a key and a value of words, and get with a key", () => {
  assertEquals(parseCommand("put a 1"), { type: "put", key: "a", value: "1" });
  assertEquals(parseCommand(" put\ta   b  c "), { type: "put", key: "a", value: "b  c" });
  assertEquals(parseCommand("get a"), { type: "get", key: "a" });
});

Deno.test("parseCommand() refuses everything else", () => {
  for (const line of ["", " ", "put", "put a", "get", "get a b", "PUT a 1", "putt a 1", "a"]) {
    assertEquals(parseCommand(line), undefined, line);
  }
});

Deno.test("parseCommand() reads what commandText() writes, for whatever a store takes", () => {
  const key = fc.string({ unit: "grapheme", minLength: 1, maxLength: 10 });
  const value = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
  fc.assert(fc.property(key, value, fc.boolean(), (key, value, put) => {
    const command = put ? { type: "put", key, value } as const : { type: "get", key } as const;
    fc.pre(findCommandFault(command) === undefined);
    assertEquals(oneLine(commandText(command)), commandText(command), "it travels as it is");
    assertEquals(parseCommand(commandText(command)), command);
  }));
});

Deno.test("findCommandFault() holds keys and values to their limits, from both sides", () => {
  const put = (key: string, value: string) => findCommandFault({ type: "put", key, value });
  assertEquals(put("k".repeat(idLengthMax), "v".repeat(valueLengthMax)), undefined);
  assertEquals(
    put("k".repeat(idLengthMax + 1), "v"),
    "the key has 257 characters, want at most 256",
  );
  assertEquals(
    put("k", "v".repeat(valueLengthMax + 1)),
    "the value has 65537 characters, want at most 65536",
  );
  assertEquals(findCommandFault({ type: "get", key: "k".repeat(257) }), put("k".repeat(257), "v"));
});

Deno.test("findCommandFault() refuses what a text could not say", () => {
  const put = (key: string, value: string) => findCommandFault({ type: "put", key, value });
  for (const key of ["", "a b", "a\n", "\ud800"]) {
    assertEquals(put(key, "v"), "the key is not a word");
  }
  for (const value of ["", " ", " v", "v\n", "a\nb", "\ud800"]) {
    assertEquals(put("k", value), "the value is not a line of text", JSON.stringify(value));
  }
});

Deno.test("parseReply() reads what replyText() writes, as an answer to the right command", () => {
  const answers: [Outcome, string, "put" | "get"][] = [
    [{ kind: "stored" }, "putok", "put"],
    [{ kind: "found", value: "a  b" }, "getok a  b", "get"],
    [{ kind: "absent" }, "getbad", "get"],
    [{ kind: "refused", why: "too long" }, "error: too long", "put"],
    [{ kind: "refused", why: "too long" }, "error: too long", "get"],
  ];
  for (const [outcome, text, type] of answers) {
    assertEquals(replyText(outcome), text);
    assertEquals(parseReply(text, type), outcome);
  }
  for (const [text, type] of [["putok", "get"], ["getok 1", "put"], ["getbad", "put"]] as const) {
    assertEquals(parseReply(text, type), undefined);
  }
  for (const text of ["", "ok", "PUTOK"]) assertEquals(parseReply(text, "put"), undefined);
});

Deno.test("outcomeText() says what a person reads", () => {
  assertEquals(outcomeText({ kind: "stored" }), "ok");
  assertEquals(outcomeText({ kind: "found", value: "1" }), "1");
  assertEquals(outcomeText({ kind: "absent" }), "No such entry");
  assertEquals(outcomeText({ kind: "refused", why: "full" }), "error: full");
});
