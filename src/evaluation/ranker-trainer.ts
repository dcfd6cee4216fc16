/** Trains the rankers of a table: with the images of its rows, on the parts of the training period. */
import { join } from 'node:path';
import { oneProcess } from '../collectives/one-process.ts';
import { firstBeforeOthers } from '../collectives/order.ts';
import type { ProcessGroup } from '../collectives/process-group.ts';
import type { Dataset } from '../data/dataset.ts';
import { newerPart, olderPart, trainingCut } from '../data/samplers/training-cut.ts';
import type { VisualFeature } from '../data/visual-feature.ts';
import { CourierError, messageOf } from '../errors.ts';
import { createFeature, featureSet } from '../features/index.ts';
import type { ItemEmbeddings } from '../features/item-embeddings.ts';
import { silent } from '../progress.ts';
import { gateCategories } from '../rankers/batch.ts';
import type { RankerConfig } from '../rankers/config.ts';
import { rowsOfSplit } from '../rankers/fields.ts';
import { requireWeighing } from '../rankers/index.ts';
import type { RankerState, RankerWeights } from '../rankers/model.ts';
import { type RankerOrigin, type ReadyRanker, readyRanker } from '../rankers/ready-ranker.ts';
import { type TrainedRanker, trainRanker } from '../rankers/train.ts';
import type { Start } from '../report/report.ts';
import { defaultLanes, inLanes, type Lane } from '../runs/lanes.ts';
import type { Engine } from '../runtime/engine.ts';
import type { EvaluationConfig } from './config.ts';
import { rankersFolder } from './ranker-place.ts';
import { loadKnownEmbeddings, visualInputs } from './visual-inputs.ts';

/** A row of the table before its rankers are trained: with which images, and how they are fed. */
export interface VisualRow {
  readonly source: string;
  /** A set of features, as `featureSet` takes it. */
  readonly features: string;
  /** Path of the embeddings for a seed; null where they could not be made. */
  readonly embeddings: (seed: number) => string | null;
  /** Whether they were made here: then a file that says of no clicks that it has seen them has seen none. */
  readonly areOwn?: true;
}

/** null: the row without images, which the others are compared with. */
export type PlannedRow = VisualRow | null;

/**
 * Refuses, before anything is trained, columns that the dataset does not have.
 * @throws CourierError CONFIG_INVALID
 */
export function requireColumns(
  dataset: Pick<Dataset, 'catalogue' | 'exposures'>,
  { ranker, sliceBy }: Pick<EvaluationConfig, 'ranker' | 'sliceBy'>,
): void {
  gateCategories(dataset, ranker.gateCategory);
  const columns = [...dataset.catalogue.categories, ...dataset.exposures.context].map(({ name }) => name);
  if (sliceBy === null || columns.includes(sliceBy)) return;
  throw new CourierError(
    'CONFIG_INVALID',
    `Invalid configuration: sliceBy is ${sliceBy}, which is no categorical column of the dataset.`,
    columns.length === 0 ? 'Leave it out: the dataset has none.' : `Choose one of ${columns.join(', ')}.`,
  );
}

/**
 * Refuses, before anything is trained, features that the ranker has no use for.
 * @throws CourierError CONFIG_INVALID
 */
export function requireAttention(
  sets: readonly string[],
  { ranker }: Pick<EvaluationConfig, 'ranker'>,
): void {
  if (sets.some((set) => featureSet(set).includes('attention-cosine'))) requireWeighing(ranker);
}

/** What a ranker learns from: all of the training period, or one side of its cut. */
export type TrainingPart = 'all' | 'older' | 'newer';

/** Rankers that begin warm learn from one side of the cut, and those from scratch from all of the period. */
function startOf(part: TrainingPart): Start {
  return part === 'all' ? 'scratch' : 'warm';
}

function partOf(dataset: Dataset, part: TrainingPart, olderShare: number): Dataset {
  const cut = part === 'all' ? null : trainingCut(dataset, olderShare);
  if (cut === null) return dataset;
  return part === 'older' ? olderPart(dataset, cut) : newerPart(dataset, cut);
}

/** Seconds from one checkpoint of a ranker to the next at least. */
const checkpointSeconds = 60;

/** Where the clusterings of the embeddings of a row are kept. */
export function clustersFolder(out: string, { source }: Pick<VisualRow, 'source'>, seed: number): string {
  return join(out, 'clusters', `${source}-seed-${seed}`);
}

/** What a trainer may have from another. */
interface TrainerOptions {
  /** Where its rankers are kept: by default that of the run folder. */
  readonly folder?: string;
  /** Settings of the rankers of each start; those of the configuration where there are none. */
  readonly chosen?: ReadonlyMap<Start, RankerConfig>;
  /** The processes that train each ranker together; by default this one alone trains its own. */
  readonly group?: ProcessGroup;
}

/** Trains rankers on one dataset. */
export class RankerTrainer {
  readonly dataset: Dataset;
  readonly config: EvaluationConfig;
  readonly engine: Engine;
  readonly signal: AbortSignal | undefined;
  /** Where they are kept. */
  readonly folder: string;
  /** The processes that train each ranker together: all of them are asked for the same ones in the same order. */
  readonly group: ProcessGroup;
  readonly #chosen: ReadonlyMap<Start, RankerConfig>;
  /** The embeddings that were loaded last: rows that share them are trained one after the other. */
  #loaded: { readonly path: string; readonly embeddings: Promise<ItemEmbeddings> } | null = null;

  constructor(
    dataset: Dataset,
    config: EvaluationConfig,
    engine: Engine,
    signal: AbortSignal | undefined,
    { folder = rankersFolder(config.out), chosen = new Map(), group = oneProcess }: TrainerOptions = {},
  ) {
    this.dataset = dataset;
    this.config = config;
    this.engine = engine;
    this.signal = signal;
    this.folder = folder;
    this.group = group;
    this.#chosen = chosen;
  }

  /** The same with other settings of the rankers of each start, with rankers kept elsewhere, or by other processes. */
  with(options: TrainerOptions): RankerTrainer {
    const { dataset, config, engine, signal, folder, group } = this;
    const own = { folder, group, chosen: this.#chosen };
    return new RankerTrainer(dataset, config, engine, signal, { ...own, ...options });
  }

  /**
   * Works through tasks, each with a trainer that has a compute thread to itself: several at a time, or one after the other
   * where several processes train each ranker together.
   */
  async each<Task>(
    tasks: readonly Task[],
    work: (task: Task, trainer: RankerTrainer) => Promise<void>,
  ): Promise<void> {
    if (this.group.size === 1) {
      const { parallel } = this.config;
      await inLanes(tasks, parallel ?? defaultLanes(), {}, this.signal, (task, lane) =>
        work(task, this.#on(lane)),
      );
      return;
    }
    for (const task of tasks) await work(task, this);
  }

  #on({ engine, signal }: Lane): RankerTrainer {
    const { dataset, config, folder, group } = this;
    return new RankerTrainer(dataset, config, engine, signal, { folder, group, chosen: this.#chosen });
  }

  /** Settings of the rankers of a start. */
  settingsOf(start: Start): RankerConfig {
    return this.#chosen.get(start) ?? this.config.ranker;
  }

  /**
   * The caller releases the model, and removes the checkpoint once it has kept the result.
   * @param base null to begin from nothing
   * @param part of the training period: the newer one is gone through once, in the order of time
   * @param checkpoint path of what an interrupted training goes on from
   * @throws CourierError those of `trainRanker` and of reading
   */
  async train(
    row: PlannedRow,
    seed: number,
    base: RankerState | null,
    part: TrainingPart,
    checkpoint: string,
  ): Promise<TrainedRanker> {
    const { group, signal } = this;
    // Of several, one may have been asked to stop before another: they agree on it before their first step.
    if (group.size === 1) signal?.throwIfAborted();
    try {
      return await trainRanker({
        ...(await firstBeforeOthers(group, () => this.#originOf(row, seed, part))),
        progress: silent,
        base,
        course: part === 'newer' || this.settingsOf(startOf(part)).epochs === 1 ? 'once' : 'passes',
        signal,
        checkpoint: { path: checkpoint, seconds: checkpointSeconds },
        group,
      });
    } catch (thrown) {
      // What a user can cause comes to all processes at the same place; from anything else they cannot go on together.
      if (group.size === 1 || thrown instanceof CourierError) throw thrown;
      throw failedAlone(group, thrown);
    }
  }

  /** What `train` has trained on the newer part, from its weights. The caller releases it. */
  async ready(row: PlannedRow, seed: number, weights: RankerWeights): Promise<ReadyRanker> {
    return readyRanker(await this.#originOf(row, seed, 'newer'), weights);
  }

  async #originOf(row: PlannedRow, seed: number, part: TrainingPart): Promise<RankerOrigin> {
    const { dataset, engine, config } = this;
    const feature = row === null ? null : await this.#featureOf(row, seed);
    const rows = rowsOfSplit(partOf(dataset, part, config.olderShare), 'train');
    return { dataset, rows, feature, config: this.settingsOf(startOf(part)), seed, engine };
  }

  async #featureOf(row: VisualRow, seed: number): Promise<VisualFeature> {
    const { dataset, signal } = this;
    const { out, codes, allowLeak } = this.config;
    const embeddings = row.embeddings(seed);
    if (embeddings === null) throw new Error(`there are no embeddings of ${row.source}, seed ${seed}`);
    const set = featureSet(row.features);
    const folder = clustersFolder(out, row, seed);
    const options = { config: codes, seed, folder, signal, file: embeddings, allowLeak };
    return createFeature(
      set,
      dataset,
      await visualInputs(dataset, await this.#load(embeddings), set, options),
    );
  }

  #load(path: string): Promise<ItemEmbeddings> {
    if (this.#loaded?.path !== path)
      this.#loaded = { path, embeddings: loadKnownEmbeddings(this.dataset, path) };
    return this.#loaded.embeddings;
  }
}

function failedAlone({ rank }: Pick<ProcessGroup, 'rank'>, thrown: unknown): CourierError {
  return new CourierError(
    'PROCESSES_DIFFER',
    `Process ${rank + 1} cannot go on with a ranker that all train together: ${messageOf(thrown)}`,
    'Run the same command again to go on from the last checkpoint.',
    { cause: thrown },
  );
}
