import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyDataset } from '../../../test/support/tiny-dataset.ts';
import { Random } from '../../random.ts';
import { type Dataset, NONE } from '../dataset.ts';
import { loadDataset } from '../store.ts';
import { type ClickBatch, ClickSampler, clickBatch, clickSamples } from './click-sampler.ts';

const config = { batchSize: 8, candidates: 4, history: 3, seed: 1 };

describe('the click sampler', () => {
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

  /** The photo that row `index` of an index array stands for, NONE where the mask is 0. */
  const photosAt = ({ photos }: ClickBatch, rows: Int32Array, mask: Float32Array) =>
    Array.from(rows, (row, place) => (mask[place] === 1 ? photos[row]! : NONE));

  it('names each distinct photo of a batch once', () => {
    const batch = new ClickSampler(dataset, config).next();
    expect(new Set(batch.photos).size).toBe(batch.photos.length);
    const used = new Set([...batch.clicked, ...batch.newest, ...batch.candidates, ...batch.history]);
    expect(used.size).toBe(batch.photos.length);
  });

  it('puts the clicked candidate first, the newest earlier click first, and padding under a mask', () => {
    const sampler = new ClickSampler(dataset, config);
    for (let count = 0; count < sampler.batchesPerEpoch; count++) {
      const batch = sampler.next();
      for (let sample = 0; sample < config.batchSize; sample++) {
        expect(batch.candidates[sample * 4]).toBe(batch.clicked[sample]);
        expect(batch.history[sample * 3]).toBe(batch.newest[sample]);
        expect([batch.candidateMask[sample * 4], batch.historyMask[sample * 3]]).toEqual([1, 1]);
      }
    }
  });

  it('takes histories from the page view itself: every sample is a click of the training period', () => {
    const { pageViews, exposures, catalogue } = dataset;
    const known = new Set<string>();
    for (const { pageView, row } of clickSamples(dataset, 'train')) {
      expect([pageViews.split[pageView], exposures.clicked[row]]).toEqual([0, 1]);
      const from = pageView * pageViews.historyLength;
      const history = [...pageViews.history.subarray(from, from + pageViews.historyLength)].map((item) =>
        item === NONE ? NONE : catalogue.photo[item]!,
      );
      const clicked = catalogue.photo[exposures.item[row]!]!;
      const others = new Set(history.filter((photo) => photo !== NONE && photo !== clicked));
      known.add(JSON.stringify([clicked, [...others].slice(0, 3)]));
    }
    const sampler = new ClickSampler(dataset, config);
    const batch = sampler.next();
    const history = photosAt(batch, batch.history, batch.historyMask);
    for (let sample = 0; sample < config.batchSize; sample++) {
      const own = history.slice(sample * 3, sample * 3 + 3).filter((photo) => photo !== NONE);
      expect(known.has(JSON.stringify([batch.photos[batch.clicked[sample]!], own]))).toBe(true);
    }
  });

  it('leaves the clicked photo and its copies out of the history, and a click with nothing else there altogether', () => {
    const repeated = {
      ...dataset,
      catalogue: { ...dataset.catalogue, photo: dataset.catalogue.photo.slice() },
    };
    repeated.catalogue.photo.fill(0, 0, 0.9 * dataset.catalogue.photo.length);
    const batch = clickBatch(repeated, { ...config, batchSize: 1000 }, 'train', Random.seeded(1, 'all'));
    if (batch === null) throw new Error('no clicks');
    const samples = batch.clicked.length;
    expect(samples).toBeLessThan(clickSamples(dataset, 'train').length);
    for (let sample = 0; sample < samples; sample++) {
      const places = batch.historyMask
        .subarray(sample * 3, sample * 3 + 3)
        .filter((each) => each === 1).length;
      const own = [...batch.history.subarray(sample * 3, sample * 3 + places)];
      expect(places).toBeGreaterThan(0);
      expect(own).not.toContain(batch.clicked[sample]);
      expect(new Set(own).size).toBe(places);
    }
  });

  it('deals every click once per epoch, in another order each time', () => {
    const sampler = new ClickSampler(dataset, { ...config, batchSize: 1 });
    const epoch = () => Array.from({ length: sampler.batchesPerEpoch }, () => photosOf(sampler.next()));
    const [first, second] = [epoch(), epoch()];
    expect(first.length).toBe(sampler.sampleCount);
    expect(first.toSorted()).toEqual(second.toSorted());
    expect(first).not.toEqual(second);
  });

  it('restored anywhere goes on with the very next batch', () => {
    const sampler = new ClickSampler(dataset, config);
    for (let count = 0; count < sampler.batchesPerEpoch + 2; count++) sampler.next();
    const state = sampler.state;
    const restored = new ClickSampler(dataset, config);
    restored.restore(state);
    for (let count = 0; count < sampler.batchesPerEpoch; count++)
      expect(restored.next()).toEqual(sampler.next());
  });

  /** The clicked photo and its history: what stays the same from epoch to epoch. */
  function photosOf(batch: ClickBatch): string {
    const history = photosAt(batch, batch.history, batch.historyMask);
    return JSON.stringify([batch.photos[batch.clicked[0]!], history]);
  }
});
