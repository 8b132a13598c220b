// What many short connections leave behind. An idle process allocates nothing, so its engine sees no reason to
// collect garbage, and a box that was hammered for a minute would stay large for ever.

import type { Transport } from "../transport/transport.ts";

/** After how many accepted connections garbage is collected. */
export const connectionsPerCollection = 500;

/** A transport that counts the connections that it accepts. */
export function countAccepted(transport: Transport, accepted: () => void): Transport {
  return {
    dial: (address, signal) => transport.dial(address, signal),
    async listen(address) {
      const listener = await transport.listen(address);
      return {
        address: listener.address,
        async accept() {
          const connection = await listener.accept();
          if (connection !== undefined) accepted();
          return connection;
        },
        close: () => listener.close(),
      };
    },
  };
}
