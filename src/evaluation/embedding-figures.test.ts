import { join } from 'node:path';
import { expect, it } from 'vitest';
import { defined } from '../../test/support/measured.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { tinyDataset, writeRandomEmbeddings } from '../../test/support/tiny-dataset.ts';
import { type Dataset, NONE, pageViewOfRows, splits } from '../data/dataset.ts';
import { trainingCut } from '../data/samplers/training-cut.ts';
import { loadDataset } from '../data/store.ts';
import type { ItemEmbeddings } from '../features/item-embeddings.ts';
import { auc } from '../metrics/auc.ts';
import { embeddingFigures } from './embedding-figures.ts';
import { loadItemEmbeddings } from './visual-inputs.ts';

const olderShare = 2 / 3;

/** Maximum plus mean cosine with the five newest clicks of other photos, counted out. */
function countedOut(
  dataset: Dataset,
  embeddings: ItemEmbeddings,
  holds: (split: string, time: number) => boolean,
) {
  const { pageViews, exposures, catalogue } = dataset;
  const pageViewOf = pageViewOfRows(dataset);
  const [scores, labels]: [number[], number[]] = [[], []];
  for (const [row, item] of exposures.item.entries()) {
    const view = pageViewOf[row]!;
    if (!holds(splits[pageViews.split[view]!] ?? '', pageViews.time[view]!)) continue;
    const from = view * pageViews.historyLength;
    const cosines = [...pageViews.history.subarray(from, from + 5)]
      .filter((clicked) => clicked !== NONE && catalogue.photo[clicked] !== catalogue.photo[item])
      .map((clicked) => embeddings.cosine(item, clicked));
    if (cosines.length === 0) continue;
    const sum = cosines.reduce((total, cosine) => total + cosine, 0);
    scores.push(Math.max(...cosines) + sum / cosines.length);
    labels.push(exposures.clicked[row]!);
  }
  return auc(Float64Array.from(scores), Uint8Array.from(labels));
}

it('SimScore of each period is that of the older days, the newer days and validation, once for each source', async () => {
  const folder = await temporaryFolder();
  const dataset = await loadDataset(await tinyDataset(folder));
  dataset.images.close();
  const path = join(folder, 'embeddings.parquet');
  await writeRandomEmbeddings(join(folder, 'dataset'), path);
  const row = {
    source: 'noise',
    features: 'sim-score',
    embeddings: (seed: number) => (seed === 3 ? null : path),
  };
  const other = { ...row, features: 'vector' };
  const config = { seeds: [3, 4], olderShare };
  const [periods, ...more] = await embeddingFigures(dataset, config, [null, row, other]);
  expect(more).toEqual([]);
  expect(periods).toMatchObject({ source: 'noise', seed: 4, same: false });
  const embeddings = await loadItemEmbeddings(dataset, path);
  const cut = trainingCut(dataset, olderShare)!;
  const out = (holds: (split: string, time: number) => boolean) => countedOut(dataset, embeddings, holds);
  expect(defined(periods!.older)).toBe(out((split, time) => split === 'train' && time < cut));
  expect(defined(periods!.newer)).toBe(out((split, time) => split === 'train' && time >= cut));
  expect(defined(periods!.validation)).toBe(out((split) => split === 'validation'));
});
