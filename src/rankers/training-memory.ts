/** What the training of a ranker remembers between steps, on disk so that it can be stopped anywhere. */
import { z } from 'zod';
import { doneByFirst } from '../collectives/order.ts';
import type { ProcessGroup } from '../collectives/process-group.ts';
import { CourierError } from '../errors.ts';
import { known, type Measured, measuredSchema } from '../metrics/measured.ts';
import { exists } from '../storage/files.ts';
import { parseJson } from '../storage/json.ts';
import { readSafeTensors, writeSafeTensors } from '../storage/safetensors.ts';
import type { RankerModel, RankerState } from './model.ts';
import { gatherRanker, scatterRanker } from './shared-state.ts';
import { decodeState, encodeState } from './state-file.ts';

/**
 * Where the checkpoint of a training lies while it goes on. Who keeps the result removes it. Of several processes the first one
 * reads and writes it, with all rows of the table, so that any number of processes can go on.
 */
export interface CheckpointPlace {
  readonly path: string;
  /** From one to the next at least. */
  readonly seconds: number;
}

export interface CurvePoint {
  readonly step: number;
  /** Mean training loss since the point before; null before the first step. */
  readonly loss: number | null;
  /** null where it is undefined. */
  readonly validationAuc: number | null;
}

/** The state with the best validation AUC, or the last one where that is undefined. */
export interface Best {
  readonly validationAuc: Measured;
  readonly state: RankerState;
}

/** At most this share of the time goes into checkpoints. */
const share = 0.05;

export const curveSchema = z.array(
  z.object({ step: z.int(), loss: z.number().nullable(), validationAuc: z.number().nullable() }),
);

const standingSchema = z.object({
  steps: z.int().nonnegative(),
  /** Of the losses since the last point of the curve. */
  lossSum: z.number(),
  /** Points of the curve since the best one. */
  sinceBest: z.int().nonnegative(),
  curve: curveSchema,
  /** null before the first look. */
  bestAuc: measuredSchema(z.number()).nullable(),
  /** Of all calls together. */
  seconds: z.number(),
});

type Standing = z.infer<typeof standingSchema>;

export class TrainingMemory {
  readonly #model: RankerModel;
  readonly #place: CheckpointPlace | null;
  readonly #run: string;
  readonly #group: ProcessGroup;
  #standing: Standing;
  #best: RankerState | null;
  /** When this call began, of which `seconds` of the standing do not know. */
  readonly #began: number;
  /** The last checkpoint: its step, when it was written, and how long that took. */
  #kept = { steps: 0, at: performance.now(), took: 0 };

  private constructor(
    model: RankerModel,
    place: CheckpointPlace | null,
    run: string,
    began: number,
    group: ProcessGroup,
    standing: Standing,
    best: RankerState | null,
  ) {
    this.#model = model;
    this.#place = place;
    this.#run = run;
    this.#began = began;
    this.#group = group;
    this.#standing = standing;
    this.#best = best;
    this.#kept.steps = standing.steps;
  }

  /**
   * Begins a training, or puts the model where the last checkpoint left it.
   * @param place null: the training cannot be resumed
   * @param run identifies it, so that a checkpoint is never continued by another one
   * @param began when the work on it began, by `performance.now()`
   * @throws CourierError FILE_CORRUPT; CHECKPOINT_INVALID for a checkpoint of another run
   */
  static async open(
    model: RankerModel,
    place: CheckpointPlace | null,
    run: string,
    began: number,
    group: ProcessGroup,
  ): Promise<TrainingMemory> {
    let kept: Checkpoint | null = null;
    const standing = await doneByFirst(group, async () => {
      kept = await readCheckpoint(place, run);
      return kept?.standing ?? null;
    });
    if (standing === null) {
      const fresh = { steps: 0, lossSum: 0, sinceBest: 0, curve: [], bestAuc: null, seconds: 0 };
      return new TrainingMemory(model, place, run, began, group, fresh, null);
    }
    const { state, best }: Partial<Checkpoint> = kept ?? {};
    await model.restore(await scatterRanker(group, state ?? null));
    const own = standing.bestAuc === null ? null : await scatterRanker(group, best ?? null);
    return new TrainingMemory(model, place, run, began, group, standing, own);
  }

  /** Steps so far. */
  get steps(): number {
    return this.#standing.steps;
  }

  get curve(): readonly CurvePoint[] {
    return this.#standing.curve;
  }

  /** Looks in a row that brought no better AUC. */
  get sinceBest(): number {
    return this.#standing.sinceBest;
  }

  /** @throws Error before the first look */
  get best(): Best {
    const { bestAuc } = this.#standing;
    if (bestAuc === null || this.#best === null) throw new Error('training ended without an evaluation');
    return { validationAuc: bestAuc, state: this.#best };
  }

  /** Of training, all calls together. */
  get seconds(): number {
    return this.#standing.seconds + (performance.now() - this.#began) / 1000;
  }

  recordStep(loss: number): void {
    const { steps, lossSum } = this.#standing;
    this.#standing = { ...this.#standing, steps: steps + 1, lossSum: lossSum + loss };
  }

  /** Notes a look at the validation split, and the state if it is the best so far. */
  async recordLook(validationAuc: Measured): Promise<void> {
    const { steps, lossSum, curve, sinceBest, bestAuc } = this.#standing;
    const loss = steps === 0 ? null : lossSum / (steps - (curve.at(-1)?.step ?? 0));
    const longer = [...curve, { step: steps, loss, validationAuc: known(validationAuc) }];
    this.#standing = { ...this.#standing, curve: longer, lossSum: 0, sinceBest: sinceBest + 1 };
    if (bestAuc !== null && !isBetter(validationAuc, bestAuc)) return;
    this.#best = await this.#model.state();
    this.#standing = { ...this.#standing, bestAuc: validationAuc, sinceBest: 0 };
  }

  /** Whether the last checkpoint is long ago. Nothing that is computed depends on whether another one is written. */
  get isDue(): boolean {
    if (this.#place === null) return false;
    const since = performance.now() - this.#kept.at;
    return since >= 1000 * this.#place.seconds && since * share >= this.#kept.took;
  }

  /** Writes a checkpoint, unless nothing was trained since the last one. */
  async keep(): Promise<void> {
    const { steps } = this.#standing;
    const [group, place] = [this.#group, this.#place];
    if (place === null || steps === this.#kept.steps) return;
    const started = performance.now();
    const state = await gatherRanker(group, await this.#model.state());
    const best = this.#best === null ? null : await gatherRanker(group, this.#best);
    await doneByFirst(group, () => this.#write(place.path, state, best));
    const at = performance.now();
    this.#kept = { steps, at, took: at - started };
  }

  async #write(path: string, state: RankerState, best: RankerState | null): Promise<void> {
    const [own, better] = [encodeState('state', state), best && encodeState('best', best)];
    const standing = JSON.stringify({ ...this.#standing, seconds: this.seconds } satisfies Standing);
    await writeSafeTensors(path, {
      metadata: { ...own.metadata, ...better?.metadata, run: this.#run, standing },
      tensors: new Map([...own.tensors, ...(better?.tensors ?? [])]),
    });
  }
}

interface Checkpoint {
  readonly standing: Standing;
  readonly state: RankerState;
  /** null before the first look. */
  readonly best: RankerState | null;
}

/** null where there is none. */
async function readCheckpoint(place: CheckpointPlace | null, run: string): Promise<Checkpoint | null> {
  if (place === null || !(await exists(place.path))) return null;
  const { path } = place;
  const file = await readSafeTensors(path, 'Checkpoint');
  if (file.metadata['run'] !== run) throw invalid(path, 'belongs to another ranker');
  const standing = standingSchema.safeParse(parseJson(file.metadata['standing'] ?? ''));
  if (!standing.success) throw invalid(path, 'does not say where its training stands');
  const best = standing.data.bestAuc === null ? null : decodeState('best', file, path);
  return { standing: standing.data, state: decodeState('state', file, path), best };
}

function isBetter(one: Measured, other: Measured): boolean {
  return one.kind === 'undefined' || other.kind === 'undefined' || one.value > other.value;
}

function invalid(path: string, problem: string): CourierError {
  return new CourierError(
    'CHECKPOINT_INVALID',
    `Checkpoint ${path} ${problem}.`,
    'Delete it and run the command again to train the ranker from its start.',
  );
}
