import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { hasRedis, inRedis, type RedisServer, startRedis } from '../../test/support/redis.ts';
import { exportOf, replay, servedShop } from '../../test/support/served-shop.ts';
import { closeDataset, loadDataset } from '../data/store.ts';
import { openService } from './service.ts';

describe.skipIf(!hasRedis)(`replicas of a service with their state ${inRedis}`, () => {
  let folder: string;
  let redis: RedisServer;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    redis = await startRedis(folder);
  });
  afterAll(async () => {
    await redis.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('know what any of them was told, to the last bit, also after Redis was killed', async () => {
    const shop = await servedShop(folder);
    const { served } = await exportOf(shop, { name: 'replicas', features: 'cluster-id' });
    const dataset = await loadDataset(shop.dataset);
    const replayed = await replay(shop.dataset, dataset);
    const { names } = dataset.exposures.numeric;
    const options = { export: served, state: redis.url, window: 0, refresh: 20, threads: 1 };
    const replicas = [await openService(options), await openService(options)];
    for (const [number, { before, request, rows }] of replayed.entries()) {
      const [told, asked] = [replicas[number % 2]!, replicas[(number + 1) % 2]!];
      if (number === 5) await redis.crash();
      // What was refused while Redis was away is sent again under its ids.
      await vi.waitFor(() => told.record(before), { timeout: 20_000 });
      const { position } = told.statistics().state;
      await vi.waitFor(() => expect(asked.statistics().state.position).toBeGreaterThanOrEqual(position), {
        timeout: 20_000,
      });
      const wanted = new Float32Array(rows.length * names.length);
      dataset.exposures.numeric.fill(rows, wanted);
      expect((await asked.features(request)).base).toEqual(wanted);
    }
    for (const replica of replicas) await replica.close();
    closeDataset(dataset);
  });
});
