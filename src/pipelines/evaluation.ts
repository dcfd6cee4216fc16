/** What `rank` and `compare` share: train a ranker per row and seed, and report on all of them. */
import { join } from 'node:path';
import type { Dataset } from '../data/dataset.ts';
import { splits } from '../data/dataset.ts';
import { readEmbeddings } from '../data/embeddings.ts';
import { type FeatureName, visualFeatures } from '../features/index.ts';
import { ItemEmbeddings } from '../features/item-embeddings.ts';
import { type Progress, silent } from '../progress.ts';
import type { RankerConfig } from '../rankers/config.ts';
import { trainRanker } from '../rankers/train.ts';
import type { Report } from '../report/report.ts';
import type { Engine } from '../runtime/engine.ts';
import { versions } from '../version.ts';
import { cachedCell } from './cells.ts';
import { rankerCurves } from './curves.ts';
import { machine } from './run-folder.ts';
import type { StageCosts } from './stage-costs.ts';
import { type TableCell, tableRows } from './table.ts';

/** A row of the table before its rankers are trained. */
export interface PlannedRow {
  readonly source: string | null;
  /** null: without images. */
  readonly feature: FeatureName | null;
  /** Path of the embeddings for a seed. */
  readonly embeddings: (seed: number) => string;
}

/** The row that the others are compared with. */
export const withoutImages: PlannedRow = {
  source: null,
  feature: null,
  embeddings: () => {
    throw new Error('a ranker without images has no embeddings');
  },
};

export interface EvaluationConfig {
  readonly out: string;
  readonly seeds: readonly number[];
  readonly ranker: RankerConfig;
  readonly replicates: number;
}

export interface EvaluationOptions {
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
  readonly title: string;
  /** The command line, for the manifest. */
  readonly command: string;
}

/** Embeddings by item id from a file that embed wrote, in the order of the catalogue. */
export async function loadItemEmbeddings(dataset: Dataset, path: string): Promise<ItemEmbeddings> {
  const { ids, vectors } = await readEmbeddings(path);
  return ItemEmbeddings.forCatalogue(dataset.catalogue, ids, vectors);
}

/** Trains what the run folder does not hold yet: a ranker for each row and seed. */
export async function rankRows(
  dataset: Dataset,
  rows: readonly PlannedRow[],
  config: EvaluationConfig,
  engine: Engine,
  costs: StageCosts,
  { progress, signal }: EvaluationOptions,
): Promise<readonly TableCell[]> {
  const cells: TableCell[] = [];
  progress({ kind: 'start', stage: 'Rank', total: rows.length * config.seeds.length, unit: 'rankers' });
  for (const { source, feature, embeddings } of rows) {
    for (const seed of config.seeds) {
      signal?.throwIfAborted();
      const name = feature === null ? 'none' : `${source}-${feature}`;
      const path = join(config.out, 'rankers', `${name}-seed-${seed}.safetensors`);
      const result = await cachedCell(path, async () => {
        const visual =
          feature === null
            ? null
            : visualFeatures[feature](dataset, await loadItemEmbeddings(dataset, embeddings(seed)));
        return trainRanker({
          dataset,
          feature: visual,
          config: config.ranker,
          seed,
          engine,
          progress: silent,
        });
      });
      cells.push({ source, feature, seed, result });
      progress({ kind: 'advance', stage: 'Rank', done: cells.length, detail: `${name}, seed ${seed}` });
    }
  }
  progress({ kind: 'end', stage: 'Rank' });
  const seconds = cells.reduce((sum, { result }) => sum + result.seconds, 0);
  await costs.add('Rank', seconds, `${cells.length} rankers`);
  return cells;
}

/** The report over trained rankers; pipelines add what they alone know. */
export function evaluationReport(
  dataset: Dataset,
  cells: readonly TableCell[],
  config: EvaluationConfig,
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
