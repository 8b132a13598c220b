import { assert, assertEquals } from "@std/assert";
import { accepts, Conversation, dialMaster } from "./conversation.ts";

// A server's end of a conversation, in this process: the test says what it hears and says.
class Rig implements AsyncDisposable {
  readonly lines: [line: string, isAnswer: boolean][] = [];
  readonly notes: string[] = [];
  readonly conversation: Conversation;
  readonly #server: Deno.TcpConn;
  #heard = "";
  #arrived = Promise.withResolvers<void>();

  private constructor(mine: Deno.TcpConn, server: Deno.TcpConn) {
    this.#server = server;
    this.conversation = new Conversation(mine, {
      line: (line, isAnswer) => {
        this.lines.push([line, isAnswer]);
        this.#arrived.resolve();
      },
      note: (text) => this.notes.push(text),
    });
  }

  static async open(): Promise<Rig> {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const [mine, server] = await Promise.all([dialMaster(listener.addr.port), listener.accept()]);
    assert(mine !== undefined);
    return new Rig(mine, server);
  }

  /** Waits until the server has heard `text`, and nothing else. */
  async hear(text: string): Promise<void> {
    const buffer = new Uint8Array(1024);
    while (this.#heard.length < text.length) {
      const count = await this.#server.read(buffer);
      assert(count !== null, `the end came before ${JSON.stringify(text)}`);
      this.#heard += new TextDecoder().decode(buffer.subarray(0, count));
    }
    assertEquals(this.#heard, text);
    this.#heard = "";
  }

  async say(text: string): Promise<void> {
    await this.#server.write(new TextEncoder().encode(text));
  }

  /** Says `text`, and waits until the script has seen this many lines. */
  async sayUntil(text: string, count: number): Promise<void> {
    await this.say(text);
    while (this.lines.length < count) {
      await this.#arrived.promise;
      this.#arrived = Promise.withResolvers();
    }
  }

  hangUp(): void {
    this.#server.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.conversation.close();
    try {
      this.#server.close();
    } catch {
      // The test closed it.
    }
  }
}

const never = new AbortController().signal;
const soon = () => performance.now() + 20;
const later = () => performance.now() + 10_000;

Deno.test("Conversation.ask: gives the answer to its asker and to the script, blanks at its end included", async () => {
  await using rig = await Rig.open();
  const answer = rig.conversation.ask("get", "get  all");
  await rig.hear("get  all\n");
  await rig.say("messages \n");
  assertEquals(await answer, "messages ");
  assertEquals(rig.lines, [["messages ", true]]);
});

Deno.test("Conversation.ask: a line that is no answer is shown, and the wait goes on", async () => {
  await using rig = await Rig.open();
  const answer = rig.conversation.ask("alive", "alive");
  await rig.say("hello\n\nmessagesx\nalive 0\r\n");
  assertEquals(await answer, "alive 0\r");
  assertEquals(rig.lines, [["hello", false], ["", false], ["messagesx", false], [
    "alive 0\r",
    true,
  ]]);
});

Deno.test("Conversation.ask: an answer of the other verb is an answer", async () => {
  await using rig = await Rig.open();
  const answer = rig.conversation.ask("get", "get");
  await rig.say("alive 0\n");
  assertEquals(await answer, "alive 0");
});

Deno.test("Conversation.ask: resolves to undefined when the server hangs up, and afterwards", async () => {
  await using rig = await Rig.open();
  const answer = rig.conversation.ask("get", "get");
  await rig.hear("get\n");
  rig.hangUp();
  assertEquals(await answer, undefined);
  assertEquals(rig.conversation.closed, true);
  assertEquals(await rig.conversation.ask("get", "get"), undefined);
});

Deno.test("Conversation: what nobody asked for is shown", async () => {
  await using rig = await Rig.open();
  await rig.sayUntil("alive 0\nwelcome\n", 2);
  assertEquals(rig.lines, [["alive 0", true], ["welcome", false]]);
});

Deno.test("Conversation.check: its answer never reaches the script", async () => {
  await using rig = await Rig.open();
  const check = rig.conversation.check(later(), never);
  await rig.hear("alive\n");
  await rig.say("alive 0,1\n");
  assertEquals(await check, "alive 0,1");
  assertEquals(rig.lines, []);
});

Deno.test("Conversation.check: an answer that comes late is not taken for the script's", async () => {
  await using rig = await Rig.open();
  assertEquals(await rig.conversation.check(soon(), never), undefined);
  const answer = rig.conversation.ask("alive", "alive");
  await rig.hear("alive\nalive\n");
  await rig.say("alive 0\nalive 0,1\n");
  assertEquals(await answer, "alive 0,1");
  assertEquals(rig.lines, [["alive 0,1", true]]);
});

Deno.test("Conversation.check: asks nothing while an earlier check has no answer", async () => {
  await using rig = await Rig.open();
  await rig.conversation.check(soon(), never);
  assertEquals(await rig.conversation.check(soon(), never), undefined);
  await rig.conversation.tell("broadcast end");
  await rig.hear("alive\nbroadcast end\n");
});

Deno.test("Conversation.check: ends with the signal", async () => {
  await using rig = await Rig.open();
  const over = new AbortController();
  const check = rig.conversation.check(later(), over.signal);
  over.abort();
  assertEquals(await check, undefined);
});

Deno.test("Conversation.check: a server that does not answer it may still answer the script", async () => {
  await using rig = await Rig.open();
  await rig.conversation.check(soon(), never);
  const get = rig.conversation.ask("get", "get");
  await rig.say("messages a\n");
  assertEquals(await get, "messages a");
  const alive = rig.conversation.ask("alive", "alive");
  await rig.say("alive 0\n");
  assertEquals(await alive, "alive 0");
  assertEquals(rig.lines, [["messages a", true], ["alive 0", true]]);
});

Deno.test("Conversation.check: a line in place of its answer is noted, and no answer awaited any more", async () => {
  await using rig = await Rig.open();
  const check = rig.conversation.check(later(), never);
  await rig.say("not ready\n");
  assertEquals(await check, undefined);
  const answer = rig.conversation.ask("alive", "alive");
  assertEquals(rig.notes, ['answered alive by "not ready"']);
  await rig.say("alive 0\n");
  assertEquals(await answer, "alive 0");
  assertEquals(rig.lines, [["alive 0", true]]);
});

Deno.test("Conversation.check: what a server says besides its answer is shown, as without the check", async () => {
  await using rig = await Rig.open();
  const check = rig.conversation.check(later(), never);
  await rig.sayUntil("welcome\nalive 0\n", 1);
  await check;
  assertEquals(rig.lines, [["welcome", false]]);
});

Deno.test("Conversation.check: a server that answers nothing but garbage is not asked more for it", async () => {
  await using rig = await Rig.open();
  const check = rig.conversation.check(later(), never);
  await rig.say("garbage\n");
  assertEquals(await check, undefined);
  const answer = rig.conversation.ask("get", "get");
  await rig.hear("alive\nget\n");
  await rig.sayUntil("garbage\n", 1);
  assertEquals(rig.lines, [["garbage", false]]);
  rig.hangUp();
  assertEquals(await answer, undefined);
});

Deno.test("Conversation: bytes that are no text do not end it", async () => {
  await using rig = await Rig.open();
  await rig.sayUntil("messages \xff\n", 1);
  assertEquals(rig.lines.length, 1);
});

Deno.test("dialMaster: gives nothing where nobody accepts", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  assertEquals(await accepts(port), true);
  listener.close();
  assertEquals(await accepts(port), false);
});
