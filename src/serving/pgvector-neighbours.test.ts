import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type PostgresServer, startPostgres } from '../../test/support/pgvector.ts';
import { exportOf, servedShop } from '../../test/support/served-shop.ts';
import { readEmbeddings } from '../data/embeddings/embeddings.ts';
import { Random } from '../random.ts';
import { openNeighbours } from './neighbours.ts';
import { PgvectorNeighbours } from './pgvector-neighbours.ts';
import { openService, type ServiceOptions } from './service.ts';

describe('neighbours in PostgreSQL', () => {
  let folder: string;
  let served: string;
  let ids: readonly string[];
  let postgres: PostgresServer;
  let states = 0;
  const open = (options: Partial<ServiceOptions> = {}) => {
    const number = states++;
    const neighbours = `${postgres.url}?prefix=shop${number}`;
    return openService({
      export: served,
      state: join(folder, `${number}.mdb`),
      window: 0,
      neighbours,
      ...options,
    });
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    const shop = await servedShop(folder);
    ({ served } = await exportOf({ ...shop, encoder: undefined }, { name: 'items', features: 'sim-score' }));
    ({ ids } = await readEmbeddings(shop.embeddings));
    postgres = await startPostgres('with pgvector');
  });
  afterAll(async () => {
    await postgres.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Of length 1, with one number that is not 0. */
  const direction = (place: number) => Float32Array.from({ length: 8 }, (_, at) => (at === place ? 1 : 0));

  it('are those that a comparison with all finds, in the same order, before and after it is opened again', async () => {
    const exact = await open({ neighbours: undefined });
    const state = join(folder, 'again.mdb');
    const neighbours = `${postgres.url}?prefix=again`;
    for (let opening = 0; opening < 2; opening++) {
      const service = await open({ state, neighbours });
      expect([service.statistics().neighbours, exact.statistics().neighbours]).toEqual(['pgvector', 'exact']);
      for (const item of ids.slice(0, 20))
        expect(await service.similar({ item })).toEqual(await exact.similar({ item }));
      expect(await service.similar({ embedding: direction(3), most: 1000 })).toEqual(
        await exact.similar({ embedding: direction(3), most: 1000 }),
      );
      await service.close();
    }
    await exact.close();
  });

  it('know what is put, changed and deleted as soon as that resolves, in another replica too, and after a swap', async () => {
    const state = join(folder, 'changed.mdb');
    const neighbours = `${postgres.url}?prefix=changed`;
    const [one, other] = [await open({ state, neighbours }), await open({ state, neighbours, refresh: 20 })];
    const nearest = async (service: typeof one, place: number) =>
      (await service.similar({ embedding: direction(place), most: 1 }))[0]?.item;
    await one.putItem({ id: 'new', embedding: direction(2) });
    expect(await nearest(one, 2)).toBe('new');
    await vi.waitFor(async () => expect(await nearest(other, 2)).toBe('new'), { timeout: 10_000 });
    await one.putItem({ id: 'new', embedding: direction(5) });
    expect(await nearest(one, 5)).toBe('new');
    expect(await nearest(one, 2)).not.toBe('new');
    await one.swap(served);
    expect(await nearest(one, 5)).toBe('new');
    await one.deleteItem('new');
    const left = await one.similar({ embedding: direction(5), most: 1000 });
    expect(left).toHaveLength(60);
    expect(left.map(({ item }) => item)).not.toContain('new');
    await one.close();
    await other.close();
  });

  it('are nearly all of them in a table of thousands, whose index is searched', async () => {
    const [dimension, count] = [16, 3000];
    const random = Random.seeded(1, 'neighbours');
    const vectors = Float32Array.from({ length: count * dimension }, () => random.normal());
    const vectorOf = (item: number) => vectors.subarray(item * dimension, (item + 1) * dimension);
    for (let item = 0; item < count; item++) {
      const vector = vectorOf(item);
      const length = Math.hypot(...vector);
      vector.set(vector.map((value) => value / length));
    }
    const names = Array.from({ length: count }, (_, item) => `item ${item}`);
    const present = new Uint8Array(count).fill(1);
    const catalogue = {
      dimension,
      vectors,
      present,
      vectorOf,
      ids: names,
      find: (id: string) => names.indexOf(id),
    };
    const url = `${postgres.url}?prefix=thousands`;
    const [table, all] = [
      await PgvectorNeighbours.open(url, catalogue, { files: {} }),
      await openNeighbours(catalogue),
    ];
    let hits = 0;
    for (let item = 0; item < count; item += 60) {
      const wanted = new Set((await all.nearest(vectorOf(item), 10, item)).map((each) => each.item));
      const found = await table.nearest(vectorOf(item), 10, item);
      hits += found.filter((each) => wanted.has(each.item)).length;
    }
    expect(hits / (10 * (count / 60))).toBeGreaterThan(0.98);
    await table.release();
  });

  it('are an error while PostgreSQL is away, and know afterwards what came meanwhile; nothing else waits for it', async () => {
    const service = await open();
    const item = ids[0] ?? '';
    await postgres.stop();
    await service.putItem({ id: 'new', embedding: direction(1) });
    expect((await service.score({ candidates: ['new'] })).known[0]).toBe(1);
    await expect(service.similar({ item })).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    expect(service.statistics().state.problem).toBeNull();
    await postgres.start();
    const [nearest] = await service.similar({ embedding: direction(1), most: 1 });
    expect(nearest?.item).toBe('new');
    await service.close();
  });

  it('are refused with one message where there is no pgvector, no PostgreSQL, or no address of one', async () => {
    const without = await startPostgres('without pgvector');
    await expect(open({ neighbours: without.url })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('has no pgvector'),
    });
    await without.close();
    await expect(open({ neighbours: without.url })).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    await expect(open({ neighbours: 'mysql://host/shop' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(open({ neighbours: `${postgres.url}?prefix=a;b` })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });
});
