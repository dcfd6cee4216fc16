import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  exportOf,
  largestDifference,
  offlineFeature,
  offlineScores,
  type Replayed,
  replay,
  type ServedShop,
  scoresOf,
  servedShop,
} from '../../test/support/served-shop.ts';
import type { Dataset } from '../data/dataset.ts';
import { closeDataset, loadDataset } from '../data/store.ts';
import { widthOf } from '../data/visual-feature.ts';
import { featureNames } from '../features/index.ts';
import { openService, type ServiceOptions } from './service.ts';

describe('a service', () => {
  let folder: string;
  let shop: ServedShop;
  let dataset: Dataset;
  let replayed: readonly Replayed[];
  let states = 0;
  const open = (served: string, options: Partial<ServiceOptions> = {}) =>
    openService({ export: served, state: join(folder, `state-${states++}.mdb`), window: 0, ...options });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    shop = await servedShop(folder);
    dataset = await loadDataset(shop.dataset);
    replayed = await replay(shop.dataset, dataset);
  });
  afterAll(async () => {
    closeDataset(dataset);
    await rm(folder, { recursive: true, force: true });
  });

  /** What the ranker gives the test period without a service. */
  async function offline(features: string, ranker: string): Promise<Float32Array> {
    const feature = await offlineFeature(shop, dataset, features, ranker);
    return offlineScores(dataset, feature, ranker, replayed);
  }

  it('gives replayed page views the base features of the dataset, to the last bit, before and after a restart', async () => {
    const { served } = await exportOf(shop, { name: 'base' });
    const state = join(folder, 'restarted.mdb');
    let service = await open(served, { state });
    const { names } = dataset.exposures.numeric;
    for (const [number, { before, request, rows }] of replayed.entries()) {
      if (number === replayed.length >> 1) {
        await service.close();
        service = await open(served, { state });
      }
      if (before.length > 0) await service.record(before);
      const found = await service.features(request);
      const wanted = new Float32Array(rows.length * names.length);
      dataset.exposures.numeric.fill(rows, wanted);
      expect([found.names, found.base]).toEqual([names, wanted]);
    }
    expect(replayed.length).toBeGreaterThan(15);
    await service.close();
  });

  it.each(['none', ...featureNames])('scores with %s as the ranker does offline', async (features) => {
    const name = `feature-${features}`;
    const { served, ranker } = await exportOf(shop, { name, features });
    const service = await open(served);
    expect(
      largestDifference(await scoresOf(service, replayed), await offline(features, ranker)),
    ).toBeLessThan(1e-5);
    await service.close();
    // Of its own features too, whose standardised values a score might hide.
    const feature = await offlineFeature(shop, dataset, features, ranker);
    if (feature === null) return;
    const again = await open(served);
    for (const { before, request, rows } of replayed) {
      if (before.length > 0) await again.record(before);
      const { visual, nearness } = await again.features(request);
      const [wanted, near] = [
        new Float32Array(rows.length * widthOf(feature)),
        new Float32Array(nearness.length),
      ];
      feature.fill(rows, wanted);
      feature.fillNearness?.(rows, near);
      expect([visual, nearness]).toEqual([wanted, near]);
    }
    await again.close();
  });

  it.each(['din', 'dcnv2', 'deepfm'] as const)(
    'scores with %s as offline: after a restart, in a second replica, and after a swap',
    async (ranker) => {
      const features = 'sim-score+cluster-id+semantic-id';
      const exported = await exportOf(shop, { name: ranker, ranker: { ranker }, features });
      const wanted = await offline(features, exported.ranker);
      const state = join(folder, `${ranker}.mdb`);
      const half = replayed.length >> 1;
      const [early, late] = [replayed.slice(0, half), replayed.slice(half)];
      const first = await open(exported.served, { state });
      const found = [await scoresOf(first, early)];
      await first.close();
      // The same log in two replicas, of which one opens another export in between.
      const [one, other] = [await open(exported.served, { state }), await open(exported.served, { state })];
      const none = await exportOf(shop, { name: `${ranker}-none`, ranker: { ranker }, features: 'none' });
      for (const [number, part] of late.entries()) {
        const swaps = number % 4 === 0;
        if (swaps) await other.swap(none.served);
        if (part.before.length > 0) {
          await one.record(part.before);
          // So that the other replica has read what the first has written: it answers what it knows.
          await other.record([]);
        }
        if (swaps) await other.swap(exported.served);
        const [scores, same] = [await one.score(part.request), await other.score(part.request)];
        expect(largestDifference(scores.scores, same.scores)).toBeLessThan(1e-6);
        found.push(scores.scores);
      }
      const all = Float32Array.from(found.flatMap((scores) => Array.from(scores)));
      expect(largestDifference(all, wanted)).toBeLessThan(1e-5);
      expect(other.statistics().totals.swaps).toBe(2 * Math.ceil(late.length / 4));
      await one.close();
      await other.close();
    },
  );
});
