/** An ingested shop of a few items, for tests of pipelines. */
import { join } from 'node:path';
import { ingest } from '../../src/pipelines/ingest/index.ts';
import type { PretrainConfigInput } from '../../src/pipelines/pretrain/config.ts';
import { shopSource } from '../../src/shop/files.ts';
import { generateShop } from '../../src/shop/generate.ts';

/** Writes a shop and its dataset below the folder. */
export async function tinyDataset(folder: string): Promise<string> {
  const shop = join(folder, 'shop');
  const files = await generateShop({ items: 60, shoppers: 12, pageViews: 240, photoSide: 16, out: shop });
  const dataset = join(folder, 'dataset');
  await ingest({ ...shopSource(files), out: dataset, side: 16 });
  return dataset;
}

/** The smallest pre-training that goes through every part. */
export const tinyPretraining = {
  encoder: { patch: 8, width: 16, depth: 1, heads: 2, mlpRatio: 2, dimension: 16 },
  objective: { heads: 2 },
  steps: 12,
  batchSize: 16,
  validateEvery: 4,
  checkpointEvery: 2,
  validationPageViews: 20,
} satisfies Partial<PretrainConfigInput>;
