/** Where a pre-training run begins: at its start, or where its last checkpoint left it. What the first process finds, all have. */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { bytesOf, type ProcessGroup } from '../collectives/process-group.ts';
import { allGatherNumbers, broadcastText } from '../collectives/texts.ts';
import type { SamplerState } from '../data/samplers/dealer.ts';
import { CourierError } from '../errors.ts';
import { loadCheckpoint } from '../graph/checkpoint.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import { MetricsLog, numberOf, readMetrics } from '../runs/metrics-log.ts';
import type { RunFolder, RunIdentity } from '../runs/run-folder.ts';
import { parseJson } from '../storage/json.ts';
import type { SafeArray } from '../storage/safetensors.ts';
import type { StepPlan } from './step-models.ts';

export const checkpointFile = 'checkpoint.safetensors';
export const metricsFile = 'metrics.jsonl';

/** What a checkpoint holds besides its vectors. Nothing in it depends on the clock. */
export const memorySchema = z.object({
  sampler: z.object({ random: z.array(z.number()), epoch: z.int(), taken: z.int() }),
  bestStep: z.int(),
  bestScore: z.number().nullable(),
  images: z.int(),
  spread: z
    .object({ embeddingDeviation: z.number(), effectiveRank: z.number(), uniformity: z.number() })
    .nullable(),
  plan: z.object({
    chunk: z.int().positive(),
    group: z.int().positive(),
    shares: z.int().positive().default(1),
  }),
  /** Processes that the plan is for. */
  processes: z.int().positive().default(1),
});

export type Memory = z.infer<typeof memorySchema>;
export type Vectors = Readonly<Record<string, Float32Array>>;
export type Arrays = Readonly<Record<string, SafeArray>>;

export interface Opened {
  readonly folder: string;
  /** Hash of the run's identity. */
  readonly id: string;
  readonly layout: ParameterLayout;
  readonly log: MetricsLog;
  readonly seconds: number;
  readonly learnedUntil: number | null;
}

/** What a new run starts from. */
export interface Fresh {
  readonly vectors: Vectors;
  readonly arrays: Arrays;
  readonly sampler: SamplerState;
  readonly plan: () => Promise<StepPlan>;
  /** As `learnedUntilMetadata` has it, of the parameters of every checkpoint. */
  readonly learnedUntil: number | null;
}

/** Where a run stands; one that begins remembers nothing. */
export interface Found {
  readonly stepsDone: number;
  readonly vectors: Vectors;
  readonly arrays: Arrays;
  readonly best: Float32Array;
  readonly memory: Memory | null;
}

export async function openFolder(
  held: RunFolder,
  identity: RunIdentity,
  layout: ParameterLayout,
  fresh: Fresh,
) {
  await held.begin(identity);
  const folder = held.path;
  const id = createHash('sha256').update(JSON.stringify(identity)).digest('hex');
  const names = [...Object.keys(fresh.vectors), 'best'];
  const checkpoint = await loadCheckpoint(join(folder, checkpointFile), id, layout, names);
  const log = await MetricsLog.open(join(folder, metricsFile), checkpoint?.step ?? 0);
  const opened: Opened = {
    folder,
    id,
    layout,
    log,
    seconds: numberOf((await readMetrics(join(folder, metricsFile))).at(-1), 'seconds'),
    learnedUntil: fresh.learnedUntil,
  };
  if (checkpoint === null) return { opened, found: startOf(fresh) };
  const { step, arrays, progress } = checkpoint;
  const { best, ...vectors } = checkpoint.vectors;
  requireArrays(arrays, fresh.arrays, folder);
  const memory = parseMemory(progress, folder);
  return { opened, found: { stepsDone: step, vectors, arrays, best: best!, memory } };
}

export function startOf({ vectors, arrays }: Fresh): Found {
  return { stepsDone: 0, vectors, arrays, best: vectors['parameters']!.slice(), memory: null };
}

export function newMemory({ sampler }: Fresh): Omit<Memory, 'plan' | 'processes'> {
  return { sampler: copyOf(sampler), bestStep: 0, bestScore: null, images: 0, spread: null };
}

const sharedSchema = z.object({ stepsDone: z.int(), memory: memorySchema.nullable() });

/** What the first process has found. The arrays of the others are filled with it, where they are. */
export async function foundByAll(group: ProcessGroup, found: Found): Promise<Found> {
  const { stepsDone, vectors, arrays, best, memory } = found;
  const text = await broadcastText(group, JSON.stringify({ stepsDone, memory }));
  const all = [...inOrder(vectors), ...inOrder(arrays), best];
  for (const values of all) await group.broadcast(bytesOf(values));
  return group.rank > 0 ? { ...found, ...sharedSchema.parse(parseJson(text)) } : found;
}

/** By their names, which processes may have put down in different orders. */
function inOrder(arrays: Arrays): readonly SafeArray[] {
  return Object.entries(arrays)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, values]) => values);
}

/**
 * What fits everywhere: photos are dealt by the chunk, and each process keeps the activations of as many photos as the one that
 * keeps fewest. With its fields in the order in which a checkpoint is read again, so that it is the same to the last byte.
 */
export async function smallestPlan(
  processes: ProcessGroup,
  { chunk: own, group, shares = 1 }: StepPlan,
): Promise<Memory['plan']> {
  const smallest = async (number: number) => Math.min(...(await allGatherNumbers(processes, number)));
  const [chunk, photos] = [await smallest(own), await smallest(own * group)];
  return { chunk, group: Math.ceil(photos / chunk), shares: await smallest(shares) };
}

export function copyOf({ random, epoch, taken }: SamplerState): Memory['sampler'] {
  return { random: [...random], epoch, taken };
}

function requireArrays(found: Arrays, expected: Arrays, folder: string): void {
  const whole = Object.entries(expected).every(([name, { length }]) => found[name]?.length === length);
  if (!whole) throw unusable(folder, 'lacks what its objective remembers');
}

function parseMemory(progress: unknown, folder: string): Memory {
  const parsed = memorySchema.safeParse(progress);
  if (parsed.success) return parsed.data;
  throw unusable(folder, 'does not say where its run stands');
}

function unusable(folder: string, problem: string): CourierError {
  return new CourierError(
    'CHECKPOINT_INVALID',
    `${join(folder, checkpointFile)} ${problem}.`,
    'Choose another output folder, or delete the checkpoint to start over.',
  );
}
