/** A load on a server as a job for a process of its own, and what that says of it. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { parseJson } from '../src/storage/json.ts';
import { nodeWords } from './serve-process.ts';

const program = fileURLToPath(new URL('serve-load-program.ts', import.meta.url));

const load = z.strictObject({
  url: z.string(),
  /** File that `measuredShop` wrote. */
  shop: z.string(),
  mix: z.enum(['score', 'mixed']),
  /** Of this run: events of another have other ids. */
  name: z.string(),
  arrivals: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('rate'), rate: z.number() }),
    z.strictObject({ kind: z.literal('askers'), askers: z.int() }),
  ]),
  /** Seconds that do not count. */
  warmUp: z.number(),
  seconds: z.number(),
});

export type Load = z.output<typeof load>;

const answersOfKind = z.strictObject({
  asked: z.int(),
  /** Without any answer. */
  failed: z.int(),
  /** Answers that say when to come again. */
  retryAfter: z.int(),
  statuses: z.record(z.string(), z.int()),
  /** Milliseconds from when a request was due to the end of its answer, of those that succeeded. */
  p50: z.number(),
  p99: z.number(),
  most: z.number(),
});

const answers = z.strictObject({
  kinds: z.strictObject({
    score: answersOfKind,
    events: answersOfKind,
    similar: answersOfKind,
    embed: answersOfKind,
  }),
  /** Until the last answer was there. */
  seconds: z.number(),
  /** Cores that the generator took, on average. */
  cores: z.number(),
});

export type Answers = z.output<typeof answers>;

export function loadOf(value: unknown): Load {
  return load.parse(value);
}

/** @param core the only one that the generator may use; null for any */
export async function answersTo(job: Load, core: number | null): Promise<Answers> {
  const [node = '', ...words] = nodeWords(core, program, [JSON.stringify(job)]);
  const { stdout } = await promisify(execFile)(node, words, { maxBuffer: 1e7 });
  return answers.parse(parseJson(stdout));
}

/** Answers of a kind that succeeded. */
export function succeeded({ statuses }: z.output<typeof answersOfKind>): number {
  return Object.entries(statuses).reduce(
    (sum, [status, count]) => sum + (Number(status) < 300 ? count : 0),
    0,
  );
}
