/** Ranking: dataset + features → CTR models, and the table that compares them. */
import { z } from 'zod';
import { parseConfig } from '../config.ts';
import { CourierError } from '../errors.ts';
import { featureNames } from '../features/index.ts';
import { hashFile, requireReadable } from '../files.ts';
import { rankerConfig } from '../rankers/config.ts';
import type { Report } from '../report/report.ts';
import {
  type EvaluationOptions,
  evaluationReport,
  type PlannedRow,
  rankRows,
  withoutImages,
} from './evaluation.ts';
import { openRunFolder } from './run-folder.ts';
import { StageCosts } from './stage-costs.ts';
import { withDataset } from './with-dataset.ts';

export const rankConfig = z.strictObject({
  dataset: z.string().min(1),
  /** Run folder to write. */
  out: z.string().min(1),
  /** Parquet file of item embeddings; needed for every feature but `none`. */
  embeddings: z.string().min(1).optional(),
  /** `none`, the ranker without images, is always trained: it is what the others are compared with. */
  features: z
    .array(z.enum(['none', ...featureNames]))
    .min(1)
    .default(['none']),
  /** Each seed repeats the training of every ranker. */
  seeds: z.array(z.int().nonnegative()).min(1).default([1]),
  ranker: rankerConfig.prefault({}),
  /** Replicates of the bootstrap over users. */
  replicates: z.int().min(100).max(100_000).default(1000),
});

export type RankConfigInput = z.input<typeof rankConfig>;

/**
 * Trains a CTR model without images and one per feature, and compares them on the test period.
 * @throws CourierError CONFIG_INVALID, OUTPUT_EXISTS, SPLIT_EMPTY, METRIC_UNDEFINED, TRAINING_DIVERGED and
 * those of reading and writing
 */
export async function rank(settings: RankConfigInput, options: EvaluationOptions): Promise<Report> {
  const config = parseConfig(rankConfig, settings, 'rank configuration');
  const { dataset: folder, out, embeddings, ...identity } = config;
  const visual = config.features.filter((feature) => feature !== 'none');
  if (visual.length > 0 && embeddings === undefined) throw embeddingsMissing(visual);
  if (embeddings !== undefined) await requireReadable(embeddings, 'Embeddings');
  const embeddingsHash = embeddings === undefined ? null : await hashFile(embeddings);
  return withDataset(folder, async (dataset, engine) => {
    const run = { pipeline: 'rank', config: { ...identity, embeddingsHash }, datasetHash: dataset.hash };
    const { startedAt } = await openRunFolder(out, run);
    const costs = await StageCosts.open(out);
    const rows = visual.flatMap((feature): PlannedRow[] =>
      embeddings === undefined ? [] : [{ source: 'embeddings', feature, embeddings: () => embeddings }],
    );
    const cells = await rankRows(dataset, [withoutImages, ...rows], config, engine, costs, options);
    return evaluationReport(dataset, cells, config, costs, { ...options, startedAt });
  });
}

function embeddingsMissing(features: readonly string[]): CourierError {
  return new CourierError(
    'CONFIG_INVALID',
    `Invalid rank configuration: features ${features.join(', ')} need \`embeddings\`.`,
    'Name the embeddings.parquet that embed wrote, or ask for the feature none alone.',
  );
}
