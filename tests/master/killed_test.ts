// A master that is killed cannot clean up, and leaves nothing behind even so.

import { fromFileUrl } from "@std/path";
import { accepts } from "../../master/conversation.ts";
import { eventually, Folder, freePorts } from "./support.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));

async function killWhileItGrades(folder: Folder, more: readonly string[]): Promise<void> {
  const port = freePorts(2);
  // Its temporary folders are left behind, and go with this one.
  using temporary = new Folder();
  folder.write({
    "a.input": `0 start 2 ${port}\n1 start 2 ${port + 1}\nsleep 60000\n`,
    "a.output": "",
  });
  const grading = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "-q", `--config=${root}deno.json`, "--no-lock"]
      .concat(`${root}tests/master/grading_process.ts`, folder.path, more),
    env: { TMPDIR: temporary.path },
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  try {
    await eventually(
      "both servers are up",
      async () => await accepts(port) && await accepts(port + 1),
      20_000,
    );
  } finally {
    grading.kill("SIGKILL");
    await grading.status;
  }
  await eventually(
    "no server is left",
    async () => !await accepts(port) && !await accepts(port + 1),
  );
}

Deno.test("gradeFolder: kill -9 of it leaves no server of its own", async () => {
  using folder = new Folder();
  await killWhileItGrades(folder, []);
});

Deno.test("gradeFolder: kill -9 of it leaves no server of others", async () => {
  using folder = new Folder();
  await killWhileItGrades(folder, [folder.writeProcess("correct")]);
});
