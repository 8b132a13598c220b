// Who may ask. A page of anybody's, in a browser of this machine, can send requests to loopback: with an Origin that the
// page cannot forge, or through a name that was made to point here. Neither gets further than this file, token or not.

import type { HttpRequest } from "../../core/devices.ts";
import { type GatewayAttrs, isLoopbackName } from "./gateway_attrs.ts";

/** Why a request is not carried out; certainly not. */
export interface GatewayFault {
  readonly status: number;
  readonly error: string;
  readonly headers?: { readonly [name: string]: string };
}

const hostForm = /^(?:\[([0-9a-f:.]+)\]|([0-9a-z._-]+))(?::\d{1,5})?$/;

/** Why a request is refused, whatever it asks for; undefined if it may ask. */
export function refusalOf(
  { method, headers }: Pick<HttpRequest, "method" | "headers">,
  attrs: Pick<GatewayAttrs, "hostname" | "hosts" | "origins" | "token">,
): GatewayFault | undefined {
  const host = headers["host"] ?? "";
  const [, sixth, other] = hostForm.exec(host.toLowerCase()) ?? [];
  const name = sixth ?? other ?? "";
  // A name that its owner lets point to this machine makes a foreign page one of the same origin: DNS rebinding.
  if (!isLoopbackName(name) && name !== attrs.hostname && !attrs.hosts.includes(name)) {
    return forbidden(`The Host is ${quote(host)}, want a name of loopback or of this gateway`);
  }
  const origin = headers["origin"];
  if (origin !== undefined && !attrs.origins.includes(origin)) {
    return forbidden(`The Origin is ${quote(origin)}, want none, or one of the gateway's attrs`);
  }
  const site = headers["sec-fetch-site"];
  // Pictures and links of foreign pages come without an Origin.
  if (origin === undefined && site !== undefined && site !== "same-origin" && site !== "none") {
    return forbidden(`Sec-Fetch-Site is ${quote(site)}, want no page of another site`);
  }
  // Asked by the browser, which shows no token; it says which headers a page may send and does nothing.
  if (method === "OPTIONS" && origin !== undefined) return undefined;
  const [, token] = /^Bearer ([!-~]+)$/i.exec(headers["authorization"] ?? "") ?? [];
  if (token === undefined) {
    return unauthorised("There is no token, want Authorization: Bearer TOKEN");
  }
  return isSame(token, attrs.token) ? undefined : unauthorised("The token is a wrong one");
}

/** Takes as long for a token that is wrong at its end as for one that is wrong at its beginning. */
export function isSame(given: string, wanted: string): boolean {
  let difference = given.length ^ wanted.length;
  for (let index = 0; index < given.length; index++) {
    difference |= given.charCodeAt(index) ^ wanted.charCodeAt(index % wanted.length);
  }
  return difference === 0;
}

/** A text that somebody else chose, short enough for an error. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text);
}

function forbidden(error: string): GatewayFault {
  return { status: 403, error };
}

function unauthorised(error: string): GatewayFault {
  return { status: 401, error, headers: { "www-authenticate": "Bearer" } };
}
