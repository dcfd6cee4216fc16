import { join } from 'node:path';
import { expect, it } from 'vitest';
import { defined } from '../../test/support/measured.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { tinyDataset } from '../../test/support/tiny-dataset.ts';
import { type Dataset, pageViewOfRows } from '../data/dataset.ts';
import { writeEmbeddings } from '../data/embeddings.ts';
import { loadDataset } from '../data/store.ts';
import { trainingCut } from '../data/training-cut.ts';
import { simScorePeriods } from './sim-score-periods.ts';

const olderShare = 2 / 3;

/** Two directions: items that anybody clicked in the older days point one way, the others the other way. */
async function learnedByHeart(dataset: Dataset, path: string): Promise<void> {
  const cut = trainingCut(dataset, olderShare)!;
  const pageViewOf = pageViewOfRows(dataset);
  const { item, clicked } = dataset.exposures;
  const { time } = dataset.pageViews;
  const known = new Set([...item].filter((_, row) => clicked[row] === 1 && time[pageViewOf[row]!]! < cut));
  const vectors = dataset.catalogue.ids.flatMap((_, one) => (known.has(one) ? [1, 0] : [0, 1]));
  await writeEmbeddings(path, {
    ids: dataset.catalogue.ids,
    dimension: 2,
    vectors: Float32Array.from(vectors),
  });
}

it('SimScore of what was learned by heart falls from the days that it was learned from to the later ones', async () => {
  const folder = await temporaryFolder();
  const dataset = await loadDataset(await tinyDataset(folder));
  dataset.images.close();
  const path = join(folder, 'embeddings.parquet');
  await learnedByHeart(dataset, path);
  const row = { source: 'heart', features: 'sim-score', embeddings: () => path };
  const other = { ...row, features: 'vector' };
  const config = { seeds: [3, 4], olderShare };
  const [periods, ...more] = await simScorePeriods(dataset, config, [null, row, other]);
  expect(more).toEqual([]);
  expect(periods).toMatchObject({ source: 'heart', seed: 3 });
  expect(defined(periods!.older)).toBeGreaterThan(0.55);
  expect(defined(periods!.older)).toBeGreaterThan(defined(periods!.validation) + 0.05);
});
