/**
 * What a pre-training run remembers between steps, on disk so that it can be stopped anywhere. Of several processes the first
 * reads and writes, and all remember the same.
 */

import { join } from 'node:path';
import type { ProcessGroup } from '../collectives/process-group.ts';
import { broadcastText } from '../collectives/texts.ts';
import { learnedUntilMetadata } from '../data/embeddings/learned-until.ts';
import type { SamplerState } from '../data/samplers/dealer.ts';
import { saveCheckpoint } from '../graph/checkpoint.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import type { Spread } from '../objectives/collapse.ts';
import type { RunFolder, RunIdentity } from '../runs/run-folder.ts';
import type { EngineState } from '../runtime/engine.ts';
import { parseJson } from '../storage/json.ts';
import { CheckpointPace } from './checkpoint-pace.ts';
import {
  type Arrays,
  checkpointFile,
  copyOf,
  type Found,
  type Fresh,
  foundByAll,
  type Memory,
  memorySchema,
  newMemory,
  type Opened,
  openFolder,
  smallestPlan,
  startOf,
  type Vectors,
} from './run-start.ts';
import type { StepPlan } from './step-models.ts';
import type { Look } from './validation.ts';

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
  readonly #pace = new CheckpointPace();
  #written: Promise<void> = Promise.resolve();

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

  /** @param every steps between checkpoints; null for as many as cost little */
  isCheckpointDue(step: number, every: number | null): boolean {
    return every === null ? this.#pace.isDue(performance.now()) : step % every === 0;
  }

  /**
   * Takes down where the run stands; it is written while training goes on, one checkpoint after the other.
   * @param arrays what the objective remembers
   * @throws what the writing of the one before came to
   */
  async checkpoint(step: number, state: EngineState, arrays: Arrays): Promise<void> {
    if (this.#opened === null) return;
    const { folder, id, layout, learnedUntil } = this.#opened;
    await this.#written;
    const began = performance.now();
    this.#pace.begin();
    // Not the sum of gradients, which is zero between steps.
    const kept = await state.read(Object.keys(this.vectors));
    const vectors = { ...kept, best: this.#best };
    const checkpoint = { step, vectors, arrays, progress: this.#memory };
    const about = learnedUntilMetadata(learnedUntil);
    const saved = saveCheckpoint(join(folder, checkpointFile), id, layout, checkpoint, about);
    this.#written = saved.finally(() => this.#pace.end(began, performance.now()));
    // It is thrown to whoever waits for it.
    this.#written.catch(() => {});
  }

  /**
   * Ends when the last checkpoint is on the disk.
   * @throws CourierError OUTPUT_NOT_WRITABLE
   */
  written(): Promise<void> {
    return this.#written;
  }
}
