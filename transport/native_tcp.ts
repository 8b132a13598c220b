// TCP as the runtime at hand does it best: programs run on Deno as well as on Node, and Deno's own connections cost half
// of what those of its node:net do.

import { nodeTcp } from "./node_tcp.ts";
import { tcp } from "./tcp.ts";
import type { Transport } from "./transport.ts";

/** Makes TCP connections between addresses of the form `127.0.0.1:5000` or `[::1]:5000`, on Deno and on Node alike. */
export const nativeTcp: Transport = "Deno" in globalThis ? tcp : nodeTcp;
