// Why a file could not be read or written, in words: what the runtime says carries the names of its own calls.

import { messageOf } from "../core/error.ts";

/** The words for an error of a file; of one that is written, its folder is what may be missing. */
export function fileFault(error: unknown, missing: "file" | "folder" = "file"): string {
  if (error instanceof Deno.errors.NotFound) return `there is no such ${missing}`;
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  if (error instanceof Deno.errors.PermissionDenied) return "that is not permitted";
  return messageOf(error);
}
