/** What a pre-training run remembers between steps, on disk so that it can be stopped anywhere. */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import type { SamplerState } from '../data/dealer.ts';
import { learnedUntilMetadata } from '../data/learned-until.ts';
import { CourierError } from '../errors.ts';
import { loadCheckpoint, saveCheckpoint } from '../graph/checkpoint.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import type { Spread } from '../objectives/collapse.ts';
import { MetricsLog, numberOf, readMetrics } from '../runs/metrics-log.ts';
import type { RunFolder, RunIdentity } from '../runs/run-folder.ts';
import type { EngineState } from '../runtime/engine.ts';
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
  plan: z.object({
    chunk: z.int().positive(),
    group: z.int().positive(),
    shares: z.int().positive().default(1),
  }),
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

export class TrainingRun {
  /** Steps done when the run was opened. */
  readonly stepsDone: number;
  /** The state to start from: parameters and the optimiser's slots. */
  readonly vectors: Vectors;
  /** What the objective remembers of earlier steps. */
  readonly arrays: Arrays;
  readonly #opened: Opened;
  #memory: Memory;
  #best: Float32Array;
  #seconds: number;
  #clock = performance.now();

  private constructor(
    opened: Opened,
    stepsDone: number,
    vectors: Vectors,
    arrays: Arrays,
    best: Float32Array,
    memory: Memory,
  ) {
    this.#opened = opened;
    this.#seconds = opened.seconds;
    this.stepsDone = stepsDone;
    this.vectors = vectors;
    this.arrays = arrays;
    this.#best = best;
    this.#memory = memory;
  }

  /**
   * Begins a run in its folder, or finds it where its last checkpoint left it.
   * @param fresh what a new run starts from; its plan is asked for only then
   * @throws CourierError OUTPUT_EXISTS, OUTPUT_NOT_WRITABLE, FILE_CORRUPT, CHECKPOINT_INVALID
   */
  static async open(
    held: RunFolder,
    identity: RunIdentity,
    layout: ParameterLayout,
    fresh: {
      readonly vectors: Vectors;
      readonly arrays: Arrays;
      readonly sampler: SamplerState;
      readonly plan: () => Promise<StepPlan>;
      /** As `learnedUntilMetadata` has it, of the parameters of every checkpoint. */
      readonly learnedUntil: number | null;
    },
  ): Promise<TrainingRun> {
    await held.begin(identity);
    const folder = held.path;
    const id = createHash('sha256').update(JSON.stringify(identity)).digest('hex');
    const names = [...Object.keys(fresh.vectors), 'best'];
    const checkpoint = await loadCheckpoint(join(folder, checkpointFile), id, layout, names);
    const log = await MetricsLog.open(join(folder, metricsFile), checkpoint?.step ?? 0);
    const opened = {
      folder,
      id,
      layout,
      log,
      seconds: numberOf((await readMetrics(join(folder, metricsFile))).at(-1), 'seconds'),
      learnedUntil: fresh.learnedUntil,
    };
    if (checkpoint === null) {
      const best = fresh.vectors['parameters']!.slice();
      const start = { sampler: copyOf(fresh.sampler), bestStep: 0, bestScore: null, images: 0, spread: null };
      const { chunk, group, shares = 1 } = await fresh.plan();
      // In the order in which it is read again: a checkpoint is the same to the last byte.
      const memory = { ...start, plan: { chunk, group, shares } };
      return new TrainingRun(opened, 0, fresh.vectors, fresh.arrays, best, memory);
    }
    const { step, arrays, progress } = checkpoint;
    const { best, ...vectors } = checkpoint.vectors;
    requireArrays(arrays, fresh.arrays, folder);
    return new TrainingRun(opened, step, vectors, arrays, best!, parseMemory(progress, folder));
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
    if (score !== null && bestScore !== null && score <= bestScore) return;
    this.#best = (await state.read([vector]))[vector]!;
    this.#memory = { ...this.#memory, bestStep: step, bestScore: score };
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
    await this.#opened.log.append({ step, ...metrics, images, seconds: this.#seconds });
  }

  /** @param arrays what the objective remembers */
  async checkpoint(step: number, state: EngineState, arrays: Arrays): Promise<void> {
    const { folder, id, layout, learnedUntil } = this.#opened;
    // Not the sum of gradients, which is zero between steps.
    const kept = await state.read(Object.keys(this.vectors));
    const vectors = { ...kept, best: this.#best };
    const checkpoint = { step, vectors, arrays, progress: this.#memory };
    const about = learnedUntilMetadata(learnedUntil);
    await saveCheckpoint(join(folder, checkpointFile), id, layout, checkpoint, about);
  }
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
