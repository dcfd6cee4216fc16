/** An ingested shop of a few items, for tests of pipelines. */
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pageViewOfRows, type Split } from '../../src/data/dataset.ts';
import { writeEmbeddings } from '../../src/data/embeddings/embeddings.ts';
import { loadDataset, writeDataset } from '../../src/data/store.ts';
import { ingest } from '../../src/pipelines/ingest/index.ts';
import type { PretrainConfigInput } from '../../src/pipelines/pretrain/config.ts';
import { Random } from '../../src/random.ts';
import { rowsOfSplit } from '../../src/rankers/fields.ts';
import { shopSource } from '../../src/shop/files.ts';
import { generateShop } from '../../src/shop/generate.ts';
import { unsaved } from './unsaved-dataset.ts';

const tinySize = { items: 60, shoppers: 12, pageViews: 240 };

/** Writes a shop and its dataset below the folder. */
export async function tinyDataset(folder: string, size = tinySize): Promise<string> {
  const shop = join(folder, 'shop');
  const files = await generateShop({ ...size, photoSide: 16, out: shop });
  const dataset = join(folder, 'dataset');
  await ingest({ ...shopSource(files), out: dataset, side: 16 });
  return dataset;
}

/** Embeddings that point anywhere, of every item. */
export async function writeRandomEmbeddings(dataset: string, path: string, seed = 1): Promise<void> {
  const dimension = 4;
  const { catalogue, images } = await loadDataset(dataset);
  images.close();
  const random = Random.seeded(seed, 'directions');
  const vectors = catalogue.ids.flatMap(() => {
    const values = Array.from({ length: dimension }, () => random.normal());
    return values.map((value) => value / Math.hypot(...values));
  });
  await writeEmbeddings(path, { ids: catalogue.ids, dimension, vectors: Float32Array.from(vectors) });
}

/**
 * Writes a copy of a dataset in which the user, or what else is known of its row, decides whether an exposure of a split is clicked. Whatever was made
 * from the clicks before, such as histories, stays.
 */
export async function relabelledDataset(
  dataset: string,
  split: Split,
  labelOf: (user: number, row: number) => number,
  out: string,
): Promise<string> {
  const loaded = await loadDataset(dataset);
  const pageViewOf = pageViewOfRows(loaded);
  const clicked = loaded.exposures.clicked.slice();
  for (const row of rowsOfSplit(loaded, split))
    clicked[row] = labelOf(loaded.pageViews.user[pageViewOf[row]!]!, row);
  await mkdir(out);
  await copyFile(join(dataset, 'images.bin'), join(out, 'images.bin'));
  const manifest = JSON.parse(await readFile(join(dataset, 'dataset.json'), 'utf8'));
  await writeDataset(out, unsaved({ ...loaded, exposures: { ...loaded.exposures, clicked } }), manifest.made);
  loaded.images.close();
  return out;
}

/** The smallest pre-training that goes through every part. */
export const tinyPretraining = {
  encoder: { name: 'vit', patch: 8, width: 16, depth: 1, heads: 2, mlpRatio: 2, dimension: 16 },
  objective: { heads: 2 },
  steps: 12,
  batchSize: 16,
  validateEvery: 4,
  checkpointEvery: 2,
  validationPageViews: 20,
} satisfies Partial<PretrainConfigInput>;
