// A process that grades a folder, to be killed. Arguments: FOLDER, and PROCESS_FILE for servers of others.

import { foreignLauncher } from "../../master/foreign.ts";
import { gradeFolder } from "../../master/grader.ts";
import { ownLauncher } from "./support.ts";

const [folder = "", processFile] = Deno.args;
await gradeFolder(folder, {
  launcher: processFile === undefined ? ownLauncher() : foreignLauncher(processFile),
});
