// What a register's clients, its desk and its copies say to each other.

import { z } from "zod";

const op = z.int();
/** Writes are numbered: of two values, that with the larger number is the newer. */
const stamped = { number: z.int(), value: z.string().nullable() };

export const protocol = {
  // Clients and the desk.
  put: z.object({ value: z.string() }),
  done: z.object({}),
  get: z.object({}),
  value: z.object({ value: z.string().nullable() }),
  // The desk and the copies.
  write: z.object({ op, ...stamped }),
  written: z.object({ op }),
  read: z.object({ op }),
  held: z.object({ op, ...stamped }),
};
