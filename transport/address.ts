// The addresses of TCP, `127.0.0.1:5000` or `[::1]:5000`, and what goes wrong with them in words.

/** A host and a port. */
export interface HostAndPort {
  readonly hostname: string;
  readonly port: number;
}

const form = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/;

/** @throws {SyntaxError} if `address` is none. */
export function parseAddress(address: string): HostAndPort {
  const [, sixth, other, digits] = form.exec(address) ?? [];
  const hostname = sixth ?? other;
  const port = Number(digits);
  if (hostname === undefined || port > 65535) {
    throw new SyntaxError(`Cannot use address "${address}", want "127.0.0.1:5000" or "[::1]:5000"`);
  }
  return { hostname, port };
}

export function formatAddress({ hostname, port }: HostAndPort): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** `Cannot dial 127.0.0.1:5000: nobody listens there`, by the system's own words for what happened. */
export function addressError(act: string, address: string, error: unknown): Error {
  const name = error instanceof Error ? error.name : "";
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const reason = name === "AddrInUse" || code === "EADDRINUSE"
    ? "the address is in use"
    : name === "AddrNotAvailable" || code === "EADDRNOTAVAIL"
    ? "the address is none of this machine's"
    : name === "ConnectionRefused" || code === "ECONNREFUSED"
    ? "nobody listens there"
    : error instanceof Error
    ? error.message
    : String(error);
  return new Error(`Cannot ${act} ${address}: ${reason}`, { cause: error });
}
