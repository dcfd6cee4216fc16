/** What `rank` and `compare` share: train a ranker per row and seed, and report on all of them. */
import { join } from 'node:path';
import type { Dataset } from '../data/dataset.ts';
import { splits } from '../data/dataset.ts';
import { CourierError } from '../errors.ts';
import type { VisualFeature } from '../features/feature.ts';
import { createFeature, featureSet } from '../features/index.ts';
import { type Progress, silent } from '../progress.ts';
import { gateCategories } from '../rankers/batch.ts';
import type { RankerState } from '../rankers/model.ts';
import { type RankerResult, type TrainedRanker, trainRanker } from '../rankers/train.ts';
import type { Diagnosis, Report, Start } from '../report/report.ts';
import type { Engine } from '../runtime/engine.ts';
import { versions } from '../version.ts';
import { readCell, writeCell } from './cells.ts';
import { rankerCurves } from './curves.ts';
import type { EvaluationConfig } from './evaluation-config.ts';
import { machine } from './run-folder.ts';
import type { StageCosts } from './stage-costs.ts';
import { type TableCell, tableRows } from './table.ts';
import { visualInputs } from './visual-inputs.ts';

/** A row of the table before its rankers are trained: with which images, and how they are fed. */
export interface VisualRow {
  readonly source: string;
  /** A set of features, as `featureSet` takes it. */
  readonly features: string;
  /** Path of the embeddings for a seed. */
  readonly embeddings: (seed: number) => string;
}

/** null: the row without images, which the others are compared with. */
export type PlannedRow = VisualRow | null;

export interface EvaluationOptions {
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
  readonly title: string;
  /** The command line, for the manifest. */
  readonly command: string;
}

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

  constructor(dataset: Dataset, config: EvaluationConfig, engine: Engine, signal: AbortSignal | undefined) {
    this.dataset = dataset;
    this.config = config;
    this.engine = engine;
    this.signal = signal;
  }

  /** The caller releases the model. @param start null to begin from nothing */
  async train(row: PlannedRow, seed: number, start: RankerState | null): Promise<TrainedRanker> {
    const { dataset, engine } = this;
    const feature = row === null ? null : await this.#featureOf(row, seed);
    const config = this.config.ranker;
    return trainRanker({ dataset, feature, config, seed, engine, progress: silent, start });
  }

  async #featureOf(row: VisualRow, seed: number): Promise<VisualFeature> {
    const { dataset, signal } = this;
    const { out, codes } = this.config;
    const set = featureSet(row.features);
    const folder = join(out, 'clusters', `${row.source}-seed-${seed}`);
    const options = { config: codes, seed, folder, signal };
    return createFeature(set, dataset, await visualInputs(dataset, row.embeddings(seed), set, options));
  }
}

/** Trains what the run folder does not hold yet: a ranker for each row, seed and start. */
export async function rankRows(
  trainer: RankerTrainer,
  rows: readonly PlannedRow[],
  costs: StageCosts,
  progress: Progress,
): Promise<readonly TableCell[]> {
  const { seeds, starts } = trainer.config;
  const cells: TableCell[] = [];
  const total = rows.length * seeds.length * starts.length;
  progress({ kind: 'start', stage: 'Rank', total, unit: 'rankers' });
  for (const seed of seeds) {
    const base = new BaseRanker(trainer, seed);
    for (const start of starts) {
      for (const row of rows) {
        trainer.signal?.throwIfAborted();
        cells.push(await cellOf(trainer, row, start, seed, base));
        const detail = `${nameOf(row)}, ${start}, seed ${seed}`;
        progress({ kind: 'advance', stage: 'Rank', done: cells.length, detail });
      }
    }
  }
  progress({ kind: 'end', stage: 'Rank' });
  const seconds = cells.reduce((sum, { result }) => sum + result.seconds, 0);
  await costs.add('Rank', seconds, `${cells.length} rankers`);
  return inTableOrder(cells, starts, rows);
}

/** The ranker without images of a seed, trained from nothing when it is first asked for. */
class BaseRanker {
  readonly #trainer: RankerTrainer;
  readonly #seed: number;
  #trained: Promise<{ readonly result: RankerResult; readonly state: RankerState }> | null = null;

  constructor(trainer: RankerTrainer, seed: number) {
    this.#trainer = trainer;
    this.#seed = seed;
  }

  get(): Promise<{ readonly result: RankerResult; readonly state: RankerState }> {
    this.#trained ??= this.#train();
    return this.#trained;
  }

  async #train() {
    const { result, state, model } = await this.#trainer.train(null, this.#seed, null);
    await model.release();
    return { result, state };
  }
}

async function cellOf(
  trainer: RankerTrainer,
  row: PlannedRow,
  start: Start,
  seed: number,
  base: BaseRanker,
): Promise<TableCell> {
  const path = join(trainer.config.out, 'rankers', `${nameOf(row)}-${start}-seed-${seed}.safetensors`);
  const cell = { source: row?.source ?? null, features: row?.features ?? null, start, seed };
  const finished = await readCell(path);
  if (finished !== null) return { ...cell, result: finished };
  const result = await trainCell(trainer, row, start, seed, base);
  await writeCell(path, result);
  return { ...cell, result };
}

async function trainCell(
  trainer: RankerTrainer,
  row: PlannedRow,
  start: Start,
  seed: number,
  base: BaseRanker,
): Promise<RankerResult> {
  if (start === 'scratch' && row === null) return (await base.get()).result;
  const from = start === 'warm' ? (await base.get()).state : null;
  const { result, model } = await trainer.train(row, seed, from);
  await model.release();
  return result;
}

function nameOf(row: PlannedRow): string {
  return row === null ? 'none' : `${row.source}-${row.features}`;
}

/** By start, then by row, then by seed. */
function inTableOrder(
  cells: readonly TableCell[],
  starts: readonly Start[],
  rows: readonly PlannedRow[],
): readonly TableCell[] {
  return starts.flatMap((start) =>
    rows.flatMap((row) =>
      cells.filter(
        (cell) =>
          cell.start === start &&
          cell.source === (row?.source ?? null) &&
          cell.features === (row?.features ?? null),
      ),
    ),
  );
}

/** The report over trained rankers; pipelines add what they alone know. */
export function evaluationReport(
  { dataset, config }: RankerTrainer,
  cells: readonly TableCell[],
  diagnosis: Diagnosis | null,
  costs: StageCosts,
  { title, command, startedAt }: EvaluationOptions & { readonly startedAt: string },
): Report {
  const { out: _, ...settings } = config;
  return {
    title,
    dataset: { name: dataset.name, ...dataset.report },
    testRows: cells[0]?.result.testRows.length ?? 0,
    testUsers: countTestUsers(dataset),
    rows: tableRows(cells, dataset, config),
    diagnosis,
    curves: [rankerCurves(cells)],
    examples: [],
    attention: null,
    stages: costs.all,
    manifest: {
      command,
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
