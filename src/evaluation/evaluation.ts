/** What `rank` and `compare` share: train a ranker per row and seed, and report on all of them. */
import { join } from 'node:path';
import type { Dataset } from '../data/dataset.ts';
import { splits } from '../data/dataset.ts';
import { CourierError } from '../errors.ts';
import type { VisualFeature } from '../features/feature.ts';
import { createFeature, featureSet } from '../features/index.ts';
import type { ItemEmbeddings } from '../features/item-embeddings.ts';
import { silent, type WorkOptions } from '../progress.ts';
import { gateCategories } from '../rankers/batch.ts';
import type { RankerState } from '../rankers/model.ts';
import { type TrainedRanker, trainRanker } from '../rankers/train.ts';
import type { Diagnosis, Report } from '../report/report.ts';
import type { Lane } from '../runs/lanes.ts';
import { machine } from '../runs/run-folder.ts';
import type { StageCosts } from '../runs/stage-costs.ts';
import type { Engine } from '../runtime/engine.ts';
import { versions } from '../version.ts';
import type { EvaluationConfig } from './config.ts';
import { rankerCurves } from './curves.ts';
import { type TableCell, tableRows } from './table.ts';
import { loadItemEmbeddings, visualInputs } from './visual-inputs.ts';

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

/** Trains rankers on one dataset. */
export class RankerTrainer {
  readonly dataset: Dataset;
  readonly config: EvaluationConfig;
  readonly engine: Engine;
  readonly signal: AbortSignal | undefined;
  /** The embeddings that were loaded last: rows that share them are trained one after the other. */
  #loaded: { readonly path: string; readonly embeddings: Promise<ItemEmbeddings> } | null = null;

  constructor(dataset: Dataset, config: EvaluationConfig, engine: Engine, signal: AbortSignal | undefined) {
    this.dataset = dataset;
    this.config = config;
    this.engine = engine;
    this.signal = signal;
  }

  /** The same with another compute thread. */
  on({ engine, signal }: Lane): RankerTrainer {
    return new RankerTrainer(this.dataset, this.config, engine, signal);
  }

  /** The caller releases the model. @param start null to begin from nothing */
  async train(row: PlannedRow, seed: number, start: RankerState | null): Promise<TrainedRanker> {
    const { dataset, engine, signal } = this;
    signal?.throwIfAborted();
    const feature = row === null ? null : await this.#featureOf(row, seed);
    const config = this.config.ranker;
    return trainRanker({ dataset, feature, config, seed, engine, progress: silent, start });
  }

  async #featureOf(row: VisualRow, seed: number): Promise<VisualFeature> {
    const { dataset, signal } = this;
    const { out, codes } = this.config;
    const embeddings = row.embeddings(seed);
    if (embeddings === null) throw new Error(`there are no embeddings of ${row.source}, seed ${seed}`);
    const set = featureSet(row.features);
    const folder = join(out, 'clusters', `${row.source}-seed-${seed}`);
    const options = { config: codes, seed, folder, signal };
    return createFeature(
      set,
      dataset,
      await visualInputs(dataset, await this.#load(embeddings), set, options),
    );
  }

  #load(path: string): Promise<ItemEmbeddings> {
    if (this.#loaded?.path !== path)
      this.#loaded = { path, embeddings: loadItemEmbeddings(this.dataset, path) };
    return this.#loaded.embeddings;
  }
}

/** The report over trained rankers; pipelines add what they alone know. */
export async function evaluationReport(
  { dataset, config, signal }: RankerTrainer,
  cells: readonly TableCell[],
  diagnosis: Diagnosis | null,
  costs: StageCosts,
  startedAt: string,
  { progress, command }: WorkOptions,
): Promise<Report> {
  const { out: _, ...settings } = config;
  return {
    title: `What images add on ${dataset.name}`,
    dataset: { name: dataset.name, ...dataset.report },
    testRows: cells[0]?.result.testRows.length ?? 0,
    testUsers: countTestUsers(dataset),
    rows: await tableRows(cells, dataset, config, { progress, signal }),
    versusBestOther: [],
    failures: [],
    diagnosis,
    curves: [rankerCurves(cells)],
    examples: [],
    attention: null,
    stages: costs.all,
    manifest: {
      command: command ?? 'called as a library',
      seeds: config.seeds,
      datasetHash: dataset.hash,
      config: settings,
      versions: versions(),
      machine: machine(),
      startedAt,
    },
  };
}

function countTestUsers({ pageViews }: Dataset): number {
  const test = splits.indexOf('test');
  return new Set(pageViews.user.filter((_, pageView) => pageViews.split[pageView] === test)).size;
}
