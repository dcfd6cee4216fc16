/** Trains the rankers of a table: with the images of its rows, on the parts of the training period. */
import { join } from 'node:path';
import type { Dataset } from '../data/dataset.ts';
import { newerPart, olderPart, trainingCut } from '../data/training-cut.ts';
import type { VisualFeature } from '../data/visual-feature.ts';
import { CourierError } from '../errors.ts';
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
import type { Lane } from '../runs/lanes.ts';
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
}

/** Trains rankers on one dataset. */
export class RankerTrainer {
  readonly dataset: Dataset;
  readonly config: EvaluationConfig;
  readonly engine: Engine;
  readonly signal: AbortSignal | undefined;
  /** Where they are kept. */
  readonly folder: string;
  readonly #chosen: ReadonlyMap<Start, RankerConfig>;
  /** The embeddings that were loaded last: rows that share them are trained one after the other. */
  #loaded: { readonly path: string; readonly embeddings: Promise<ItemEmbeddings> } | null = null;

  constructor(
    dataset: Dataset,
    config: EvaluationConfig,
    engine: Engine,
    signal: AbortSignal | undefined,
    { folder = rankersFolder(config.out), chosen = new Map() }: TrainerOptions = {},
  ) {
    this.dataset = dataset;
    this.config = config;
    this.engine = engine;
    this.signal = signal;
    this.folder = folder;
    this.#chosen = chosen;
  }

  /** The same with another compute thread. */
  on({ engine, signal }: Lane): RankerTrainer {
    const { dataset, config, folder } = this;
    return new RankerTrainer(dataset, config, engine, signal, { folder, chosen: this.#chosen });
  }

  /** The same with other settings of the rankers of each start, or with rankers kept elsewhere. */
  with(options: TrainerOptions): RankerTrainer {
    const { dataset, config, engine, signal, folder } = this;
    return new RankerTrainer(dataset, config, engine, signal, { folder, chosen: this.#chosen, ...options });
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
    this.signal?.throwIfAborted();
    return trainRanker({
      ...(await this.#originOf(row, seed, part)),
      progress: silent,
      base,
      course: part === 'newer' || this.settingsOf(startOf(part)).epochs === 1 ? 'once' : 'passes',
      signal: this.signal,
      checkpoint: { path: checkpoint, seconds: checkpointSeconds },
    });
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
