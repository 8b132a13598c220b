// What a grid says about a gateway. What it leaves out is the safe choice: loopback alone, and no page of any origin.

import { z } from "zod";
import { agentIdAttr } from "../vr/attrs.ts";

/** Whether nobody outside this machine can reach `hostname`. */
export function isLoopbackName(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}

const hostname = z.string().regex(
  /^[0-9a-z.:-]{1,253}$/,
  "want a name or address in small letters",
);

/** See the top of this file. */
export const gatewayAttrs = z.strictObject({
  /** The `gobby_client` that it asks, on the same box. */
  client: agentIdAttr,
  /** 0 is a port that is free. */
  port: z.int().min(0).max(65_535),
  hostname: hostname.default("127.0.0.1"),
  /** Whether others than this machine may reach it: what they send, the token too, is not encrypted. */
  public: z.boolean().default(false),
  /** What whoever asks must know. */
  token: z.string().regex(/^[!-~]{16,256}$/, "want 16 to 256 characters without white space"),
  /** By what other names it is called, besides `hostname` and those of loopback. */
  hosts: z.array(hostname).max(64).default([]),
  /** Whose pages may use it in a browser, such as `http://127.0.0.1:8000`. */
  origins: z.array(
    z.string().regex(/^https?:\/\/[0-9a-z.:[\]-]{1,253}$/, "want http://HOST or http://HOST:PORT"),
  ).max(64).default([]),
}).refine((attrs) => attrs.public || isLoopbackName(attrs.hostname), {
  error: 'want a name of loopback, or "public": true',
  path: ["hostname"],
});

/** See {@linkcode gatewayAttrs}. */
export type GatewayAttrs = z.infer<typeof gatewayAttrs>;
