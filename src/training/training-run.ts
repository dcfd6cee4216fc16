/**
 * What a pre-training run remembers between steps, on disk so that it can be stopped anywhere. Of several processes the first
 * reads and writes, and all remember the same.
 */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { bytesOf, type ProcessGroup } from '../collectives/process-group.ts';
import { allGatherNumbers, broadcastText } from '../collectives/texts.ts';
import type { SamplerState } from '../data/dealer.ts';
import { learnedUntilMetadata } from '../data/learned-until.ts';
import { CourierError } from '../errors.ts';
import { loadCheckpoint, saveCheckpoint } from '../graph/checkpoint.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import type { Spread } from '../objectives/collapse.ts';
import { MetricsLog, numberOf, readMetrics } from '../runs/metrics-log.ts';
import type { RunFolder, RunIdentity } from '../runs/run-folder.ts';
import type { EngineState } from '../runtime/engine.ts';
import { parseJson } from '../storage/json.ts';
import type { SafeArray } from '../storage/safetensors.ts';
import type { StepPlan } from './step-models.ts';
import type { Look } from './validation.ts';

export const checkpointFile = 'checkpoint.safetensors';
export const metricsFile = 'metrics.jsonl';

/** What a checkpoint holds besides its vectors. Nothing in it depends on the clock. */
const memorySchema = z.object({
  sampler: z.object({ random: z.array(z.number()), epoch: z.int(), taken: z.int() }),
  bestStep: z.int(),
  bestScore: z.number().nullable(),
  images: z.int(),
  spread: z
    .object({ embeddingDeviation: z.number(), effectiveRank: z.number(), uniformity: z.number() })
    .nullable(),
  plan: z.object({ chunk: z.int().positive(), group: z.int().positive() }),
  /** Processes that the plan is for. */
  processes: z.int().positive().default(1),
});

type Memory = z.infer<typeof memorySchema>;
type Vectors = Readonly<Record<string, Float32Array>>;
type Arrays = Readonly<Record<string, SafeArray>>;

interface Opened {
  readonly folder: string;
  /** Hash of the run's identity. */
  readonly id: string;
  readonly layout: ParameterLayout;
  readonly log: MetricsLog;
  readonly seconds: number;
  readonly learnedUntil: number | null;
}

/** What a new run starts from. */
interface Fresh {
  readonly vectors: Vectors;
  readonly arrays: Arrays;
  readonly sampler: SamplerState;
  readonly plan: () => Promise<StepPlan>;
  /** As `learnedUntilMetadata` has it, of the parameters of every checkpoint. */
  readonly learnedUntil: number | null;
}

/** Where a run stands; one that begins remembers nothing. */
interface Found {
  readonly stepsDone: number;
  readonly vectors: Vectors;
  readonly arrays: Arrays;
  readonly best: Float32Array;
  readonly memory: Memory | null;
}

export class TrainingRun {
  /** Steps done when the run was opened. */
  readonly stepsDone: number;
  /** The state to start from: parameters and the optimiser's slots. */
  readonly vectors: Vectors;
  /** What the objective remembers of earlier steps. */
  readonly arrays: Arrays;
  readonly #group: ProcessGroup;
  /** null in all processes but the first. */
  readonly #opened: Opened | null;
  #memory: Memory;
  #best: Float32Array;
  #seconds: number;
  #clock = performance.now();

  private constructor(
    group: ProcessGroup,
    opened: Opened | null,
    { stepsDone, vectors, arrays, best }: Found,
    memory: Memory,
  ) {
    this.#group = group;
    this.#opened = opened;
    this.#seconds = opened?.seconds ?? 0;
    this.stepsDone = stepsDone;
    this.vectors = vectors;
    this.arrays = arrays;
    this.#best = best;
    this.#memory = memory;
  }

  /**
   * Begins a run in its folder, or finds it where its last checkpoint left it. What the first process finds is what all have.
   * @param held the folder, in the first process
   * @param fresh what a new run starts from; its plan is asked for where there is none for so many processes
   * @throws CourierError OUTPUT_EXISTS, OUTPUT_NOT_WRITABLE, FILE_CORRUPT, CHECKPOINT_INVALID
   */
  static async open(
    held: RunFolder | null,
    group: ProcessGroup,
    identity: RunIdentity,
    layout: ParameterLayout,
    fresh: Fresh,
  ): Promise<TrainingRun> {
    const own = held === null ? null : await openFolder(held, identity, layout, fresh);
    const found = await foundByAll(group, own?.found ?? startOf(fresh));
    const { memory } = found;
    const planned =
      memory !== null && memory.processes === group.size
        ? memory
        : {
            ...(memory ?? newMemory(fresh)),
            plan: await smallestPlan(group, await fresh.plan()),
            processes: group.size,
          };
    return new TrainingRun(group, own?.opened ?? null, found, planned);
  }

  /** Where the sampler stands before the next batch. */
  get sampler(): SamplerState {
    return this.#memory.sampler;
  }

  /** How the steps of this run are cut. */
  get plan(): StepPlan {
    return this.#memory.plan;
  }

  /** The parameters with the best validation score so far. (P) */
  get best(): Float32Array {
    return this.#best;
  }

  get summary() {
    const { bestStep, bestScore, images } = this.#memory;
    return { bestStep, bestScore, images, seconds: this.#seconds };
  }

  /** How embeddings lay at the last look; null before the first. */
  get spread(): Spread | null {
    return this.#memory.spread;
  }

  /**
   * Keeps a vector of the state if it is the best so far; without a score the latest counts as the best.
   * @param vector name of the parameters, or of their average
   */
  async offer(step: number, { scores, spread }: Look, state: EngineState, vector: string): Promise<void> {
    const { bestScore } = this.#memory;
    this.#memory = { ...this.#memory, spread };
    const score = scores.validationAuc ?? null;
    if (score === null || bestScore === null || score > bestScore) {
      this.#best = (await state.read([vector]))[vector]!;
      this.#memory = { ...this.#memory, bestStep: step, bestScore: score };
    }
    // Processors may round scores differently, and all have to decide alike by them.
    const decided = await broadcastText(this.#group, JSON.stringify(this.#memory));
    if (this.#group.rank > 0) this.#memory = memorySchema.parse(parseJson(decided));
  }

  /** Notes a finished step: where the sampler stands after it, the photos it saw, its metrics. */
  async record(
    step: number,
    sampler: SamplerState,
    images: number,
    metrics: Readonly<Record<string, number>>,
  ): Promise<void> {
    this.#memory = { ...this.#memory, sampler: copyOf(sampler), images: this.#memory.images + images };
    const now = performance.now();
    this.#seconds += (now - this.#clock) / 1000;
    this.#clock = now;
    await this.#opened?.log.append({ step, ...metrics, images, seconds: this.#seconds });
  }

  /** @param arrays what the objective remembers */
  async checkpoint(step: number, state: EngineState, arrays: Arrays): Promise<void> {
    if (this.#opened === null) return;
    const { folder, id, layout, learnedUntil } = this.#opened;
    // Not the sum of gradients, which is zero between steps.
    const kept = await state.read(Object.keys(this.vectors));
    const vectors = { ...kept, best: this.#best };
    const checkpoint = { step, vectors, arrays, progress: this.#memory };
    const about = learnedUntilMetadata(learnedUntil);
    await saveCheckpoint(join(folder, checkpointFile), id, layout, checkpoint, about);
  }
}

async function openFolder(held: RunFolder, identity: RunIdentity, layout: ParameterLayout, fresh: Fresh) {
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

function startOf({ vectors, arrays }: Fresh): Found {
  return { stepsDone: 0, vectors, arrays, best: vectors['parameters']!.slice(), memory: null };
}

function newMemory({ sampler }: Fresh): Omit<Memory, 'plan' | 'processes'> {
  return { sampler: copyOf(sampler), bestStep: 0, bestScore: null, images: 0, spread: null };
}

const sharedSchema = z.object({ stepsDone: z.int(), memory: memorySchema.nullable() });

/** What the first process has found. The arrays of the others are filled with it, where they are. */
async function foundByAll(group: ProcessGroup, found: Found): Promise<Found> {
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

/** What fits everywhere: photos are dealt by the chunk. */
async function smallestPlan(processes: ProcessGroup, { chunk, group }: StepPlan): Promise<StepPlan> {
  const chunks = await allGatherNumbers(processes, chunk);
  const groups = await allGatherNumbers(processes, group);
  return { chunk: Math.min(...chunks), group: Math.min(...groups) };
}

function copyOf({ random, epoch, taken }: SamplerState): Memory['sampler'] {
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
