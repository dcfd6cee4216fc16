import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyDataset } from '../../../test/support/tiny-dataset.ts';
import { type Dataset, NONE, splits } from '../dataset.ts';
import { loadDataset } from '../store.ts';
import { behaviourPairs, PairSampler } from './pair-sampler.ts';
import { PhotoSampler } from './photo-sampler.ts';

describe('pairs of behaviour', () => {
  let folder: string;
  let dataset: Dataset;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await loadDataset(await tinyDataset(folder));
  });
  afterAll(async () => {
    dataset.images.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Every pair of a training click and another photo among the newest clicks before it. */
  function possible(places: number): Set<string> {
    const { pageViews, exposures, catalogue } = dataset;
    const pairs = new Set<string>();
    for (const [pageView, split] of pageViews.split.entries()) {
      if (split !== splits.indexOf('train')) continue;
      const from = pageView * pageViews.historyLength;
      const items = [...pageViews.history.subarray(from, from + pageViews.historyLength)];
      const photos = items.flatMap((item) => (item === NONE ? [] : [catalogue.photo[item]!]));
      const newest = photos.filter((photo) => photo !== NONE).slice(0, places);
      for (let row = pageViews.start[pageView]!; row < pageViews.start[pageView + 1]!; row++) {
        const clicked = catalogue.photo[exposures.item[row]!]!;
        if (exposures.clicked[row] !== 1 || clicked === NONE) continue;
        for (const earlier of newest) if (earlier !== clicked) pairs.add(`${clicked} ${earlier}`);
      }
    }
    return pairs;
  }

  it('are a click of the training period and another photo that its user clicked before', () => {
    const allowed = possible(2);
    const sampler = new PairSampler(dataset, { batchSize: 8, history: 2, seed: 1 });
    const seen = new Set<string>();
    for (let count = 0; count < 3 * sampler.batchesPerEpoch; count++) {
      const { photos, clicked, earlier } = sampler.next();
      expect(new Set(photos).size).toBe(photos.length);
      for (const [sample, row] of clicked.entries()) {
        const pair = `${photos[row]} ${earlier[sample]}`;
        expect(allowed.has(pair)).toBe(true);
        seen.add(pair);
      }
    }
    expect(seen.size).toBeGreaterThan(behaviourPairs(dataset, 2).length / 4);
  });

  it('are drawn anew in each epoch, but the same for the same seed', () => {
    const config = { batchSize: 1000, history: 5, seed: 1 };
    const [one, other] = [new PairSampler(dataset, config), new PairSampler(dataset, config)];
    expect(one.next()).toEqual(other.next());
    expect([...one.next().earlier].sort()).not.toEqual(
      [...new PairSampler(dataset, config).next().earlier].sort(),
    );
  });

  it('photos stand in a batch once for each view', () => {
    const sampler = new PhotoSampler(Int32Array.of(3, 5, 7, 9), { batchSize: 4, views: 2, seed: 1 });
    const { photos } = sampler.next();
    expect([...photos].filter((_, row) => row % 2 === 0)).toEqual(
      [...photos].filter((_, row) => row % 2 === 1),
    );
    expect([...photos].sort((a, b) => a - b)).toEqual([3, 3, 5, 5, 7, 7, 9, 9]);
  });
});
