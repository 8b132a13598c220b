// Viewstamped Replication in golden transcripts: replicas r0, r1 and so on, the spares after them, and clients c1, c2
// and so on, each on a box of its own name. Beside client c1 sits c1_user, who asks it for what the story says.

import { z } from "zod";
import { vrClient } from "../../agents/vr/client.ts";
import {
  callOutcomeSchema,
  type Command,
  commandSchema,
  type Entry,
  entrySchema,
  memberSchema,
  type Outcome,
  outcomeSchema,
} from "../../agents/vr/protocol.ts";
import { vrReplica } from "../../agents/vr/replica.ts";
import { opNumber, type ReplicaState } from "../../agents/vr/state.ts";
import type { AnyMessage } from "../../core/agent.ts";
import type { DeepReadonly, Json } from "../../core/data.ts";
import type { AgentDefinition } from "../../core/define.ts";
import { type Cast, defineCast, type Typed } from "../cast.ts";
import { fieldsOf, kindWords } from "../plain_words.ts";
import { type PlainAgent, plainGrid } from "../plain_grid.ts";
import { vrAsker } from "../scenarios/vr_agents.ts";

const options = {
  replicas: 3,
  spares: 0,
  clients: 1,
  machine: "kv",
  /** How long a backup waits for its primary, in ms. */
  patience: 120,
  /** How long a backup promises not to vote for another primary, in ms; 0 for no leases. */
  lease: 0,
  /** How many operations between two checkpoints, and how many before one stay in the log. */
  checkpoint: 1000,
  keep: 1000,
  /** How many PREPAREs may be under way. */
  prepares: 1,
};

/** How many entries of a longer suffix are shown: the ones that the others may lack. */
const entriesMax = 4;

const entries = z.array(entrySchema);
const members = z.array(memberSchema);

/**
 * The cast `vr`, with the agents that it is about.
 *
 * @param replica A test gives one that is broken, to see whether a story changes.
 */
export function vrCastOf(
  replica: AgentDefinition,
  client: AgentDefinition = vrClient,
  changes: Pick<Cast, "sendBeforeSync"> = {},
): Cast {
  return defineCast({
    name: "vr",
    options,
    grid(options, isFirst) {
      const { founders, all } = replicasOf(options);
      const agents: Record<string, PlainAgent> = {};
      for (const id of all) {
        const attrs = {
          replicas: founders,
          machine: options.machine,
          bootstrap: isFirst && founders.includes(id),
          viewChangeMs: options.patience,
          leaseMs: options.lease,
          checkpointOperations: options.checkpoint,
          keepOperations: options.keep,
          batch: { prepares: options.prepares },
        };
        agents[id] = { type: "vr_replica", box: id, attrs };
      }
      for (let number = 1; number <= options.clients; number++) {
        const id = `c${number}`;
        agents[id] = { type: "vr_client", box: id, attrs: { replicas: all } };
        agents[userOf(id)] = { type: "vr_asker", box: id, attrs: { client: id } };
      }
      return plainGrid(agents);
    },
    definitions: [replica, client, vrAsker],
    ask,
    message: messageWords,
    record: recordWords,
    note: noteWords,
    printed: (text) => outcomeWords(callOutcomeSchema.parse(JSON.parse(text))),
    repeated: [
      "prepareOk",
      "commit",
      "startViewChange",
      "doViewChange",
      "recovery",
      "getState",
      "startView",
      "startEpoch",
    ],
    views: {
      state: (state) => stateWords(state as ReplicaState),
      log: (state) => logWords(state as ReplicaState),
    },
    shown: (options) => replicasOf(options).all,
    ...changes,
  });
}

/** The built-in cast `vr`. */
export const vrCast: Cast = vrCastOf(vrReplica);

function replicasOf({ replicas, spares }: { replicas: number; spares: number }) {
  const all = Array.from({ length: replicas + spares }, (_, index) => `r${index}`);
  return { founders: all.slice(0, replicas), all };
}

function userOf(client: string): string {
  return `${client}_user`;
}

/** What a client can be asked for: operations of the two machines, and what an administrator does. */
function ask(client: string, [verb = "", ...words]: readonly string[]): Typed {
  const [key = "", value = "", next = ""] = words;
  const calls: { readonly [verb: string]: readonly [count: number, call: () => Json] } = {
    get: [1, () => apply({ kind: "get", key })],
    put: [2, () => apply({ kind: "put", key, value })],
    delete: [1, () => apply({ kind: "delete", key })],
    cas: [3, () => apply({ kind: "cas", key, expected: value, value: next })],
    add: [1, () => apply({ kind: "add", amount: Number(key) })],
    read: [0, () => apply({ kind: "read" })],
    reconfigure: [Math.max(1, words.length), () => ({ kind: "reconfigure", replicas: words })],
    epoch: [0, () => ({ kind: "checkEpoch" })],
  };
  const [count, call] = Object.hasOwn(calls, verb) ? calls[verb] ?? [] : [];
  if (call === undefined || count !== words.length) {
    throw new SyntaxError(
      "A client can get KEY, put KEY VALUE, delete KEY, cas KEY OLD NEW, add AMOUNT, read, " +
        "reconfigure REPLICA..., and ask for the epoch",
    );
  }
  return { agent: userOf(client), line: JSON.stringify(call()) };
}

function apply(operation: Json): Json {
  return { kind: "apply", operation };
}

function messageWords({ type, ...message }: AnyMessage): string {
  const { epoch, view, client: _, command, outcome, lease, replicas, incarnation, ...more } =
    message;
  const { after, entries: suffix, part, old: __, ...rest } = more;
  const list = suffix === undefined ? undefined : entries.parse(suffix);
  const isPrepare = type === "prepare" && list !== undefined;
  return join([
    epoch === 0 ? "" : fieldsOf({ epoch }),
    fieldsOf({ view }),
    // PREPARE of section 4.1 has an op-number; ours may carry several operations, and says where they begin.
    isPrepare ? fieldsOf({ op: Number(after) + list.length }) : "",
    fieldsOf(rest),
    command === undefined ? "" : commandWords(commandSchema.parse(command)),
    outcome === undefined ? "" : outcomeWords(outcomeSchema.parse(outcome)),
    replicas === undefined ? "" : memberWords(replicas),
    incarnation === undefined ? "" : incarnationWords(Number(incarnation)),
    list === undefined ? fieldsOf({ after }) : suffixWords(Number(after), list, !isPrepare),
    part === undefined ? "" : partWords(part),
    lease === undefined ? "" : "lease",
  ]);
}

function recordWords(record: Json): string {
  const { entries: added, after, replicas, old: _, checkpoint, incarnation, ...rest } = Object(
    record,
  );
  const list = added === undefined ? undefined : entries.parse(added);
  return join([
    // A view alone is a vote for it.
    kindWords(rest),
    incarnation === undefined ? "" : incarnationWords(incarnation),
    checkpoint === undefined ? "" : fieldsOf({ checkpoint: checkpoint.op }),
    // Entries behind all others do not say where that is.
    after === undefined ? list?.map(entryWords).join("; ") ?? "" : suffixWords(after, list ?? []),
    replicas === undefined ? "" : memberWords(replicas),
  ]);
}

function noteWords(detail: Json): string {
  const { epoch, incarnation, ...rest } = Object(detail);
  return join([
    epoch === 0 ? "" : fieldsOf({ epoch }),
    fieldsOf(rest),
    incarnation === undefined ? "" : incarnationWords(incarnation),
  ]);
}

function join(words: readonly string[]): string {
  return words.filter((text) => text !== "").join(" ");
}

/** The last few entries by their op-numbers and, unless `stamped` is false, the views that make them viewstamps. */
function suffixWords(
  after: number,
  list: readonly DeepReadonly<Entry>[],
  stamped = true,
  most = entriesMax,
): string {
  if (list.length === 0) return `after=${after} []`;
  const words = list.map((entry, index) =>
    `${after + index + 1}${stamped ? `@${entry.view}` : ""} ${entryWords(entry)}`
  );
  return `[${list.length > most ? "..; " : ""}${words.slice(-most).join("; ")}]`;
}

function entryWords({ client, command }: DeepReadonly<Entry>): string {
  return command.kind === "open" ? `open ${client}` : commandWords(command);
}

function commandWords(command: DeepReadonly<Command>): string {
  switch (command.kind) {
    case "open":
      return "open";
    case "apply": {
      const { kind, ...fields } = Object(command.operation);
      return [kind, ...Object.values(fields)].join(" ");
    }
    case "reconfigure":
      return `reconfigure epoch=${command.epoch} ${memberWords(command.replicas)}`;
    case "checkEpoch":
      return "checkEpoch";
  }
}

function outcomeWords(outcome: DeepReadonly<Outcome> | z.infer<typeof callOutcomeSchema>): string {
  return outcome.kind === "applied" ? kindWords(Object(outcome.result)) : kindWords(outcome);
}

/** A replica by its id; one that has not founded the group also by its incarnation. */
function memberWords(value: unknown): string {
  const words = members.parse(value).map(({ agent, incarnation }) =>
    agent + incarnationWords(incarnation)
  );
  return `[${words.join(" ")}]`;
}

/** Enough of it to tell one from another; nothing of a founder. */
function incarnationWords(incarnation: number): string {
  return incarnation === 0 ? "" : `'${incarnation % 1000}`;
}

function partWords(part: Json): string {
  const { op, offset, length, text } = Object(part);
  // Whoever asks says how much is there already.
  if (text === undefined) return fieldsOf({ checkpoint: op, offset });
  return fieldsOf({ checkpoint: op }) + (text.length === length ? "" : ` from ${offset}`);
}

function stateWords(state: ReplicaState): string {
  const { status, view, commit, durable, transfer } = state;
  const { epoch, lastNormal, base, checkpoint } = durable;
  return fieldsOf({
    status,
    epoch: epoch === 0 ? undefined : epoch,
    view,
    lastNormal: lastNormal === view ? undefined : lastNormal,
    op: opNumber(durable),
    commit,
    checkpoint: checkpoint.op === 0 ? undefined : checkpoint.op,
    base: base === 0 ? undefined : base,
    transfer: transfer?.want,
  });
}

function logWords({ durable }: ReplicaState): string {
  return suffixWords(durable.base, durable.log, true, Infinity);
}
