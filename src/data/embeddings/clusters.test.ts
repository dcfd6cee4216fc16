import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { writeSafeTensors } from '../../storage/safetensors.ts';
import { NONE } from '../dataset.ts';
import { writeParquet } from '../duckdb/parquet.ts';
import { codesForCatalogue, readCentres, readClusters, writeCentres, writeClusters } from './clusters.ts';

const stored = {
  ids: ['b', 'a', "it's"],
  of: { hash: 'abc', learnedUntil: 1_700_000_000_000 },
  columns: [
    { name: 'cluster_10', count: 10, codes: Int32Array.of(9, NONE, 0) },
    { name: 'semantic_1', count: 4, codes: Int32Array.of(3, NONE, 1) },
  ],
};

describe('cluster ids on disk', () => {
  it('are read as they were written', async () => {
    const path = join(await temporaryFolder(), 'clusters.parquet');
    await writeClusters(path, stored);
    expect(await readClusters(path)).toEqual(stored);
    await writeClusters(path, { ...stored, of: null });
    expect((await readClusters(path)).of).toBeNull();
  });

  it('go to the items of a catalogue by their id, NONE where it has another', () => {
    const [column] = codesForCatalogue(stored, { ids: ['x', "it's", 'a', 'b'] });
    expect(column).toEqual({ name: 'cluster_10', count: 10, codes: Int32Array.of(NONE, 0, NONE, 9) });
  });

  it.each([
    ['a code beyond the clusters', ['a', 'b'], [0, 10], 'cluster_10 of item b is 10'],
    ['a code below NONE', ['a', 'b'], [-2, 1], 'cluster_10 of item a is -2'],
    ['an item twice', ['a', 'a'], [0, 1], 'item a is there twice'],
    ['an item without an id', ['a', null], [0, 1], 'an item id is missing'],
  ])('are refused with %s', async (_, ids, codes, message) => {
    const path = join(await temporaryFolder(), 'clusters.parquet');
    const columns = [
      { name: 'item_id', type: 'VARCHAR', values: ids } as const,
      { name: 'cluster_10', type: 'INTEGER', values: Int32Array.from(codes) } as const,
    ];
    await writeParquet(path, columns, { 'courier.codes': '{"cluster_10": 10}' });
    await expect(readClusters(path)).rejects.toMatchObject({
      code: 'VALUE_INVALID',
      message: expect.stringContaining(message),
    });
    await writeParquet(path, columns);
    await expect(readClusters(path)).rejects.toThrow('does not say how many clusters');
  });
});

describe('centres on disk', () => {
  const learnedUntil = 1_700_000_000_000;
  const origin = { encoder: 'e', precision: 'float32', model: 'm' };

  it('are read as they were written, in ascending order', async () => {
    const path = join(await temporaryFolder(), 'centres.safetensors');
    const named = (name: string, rows: number) => ({ name, values: new Float32Array(rows * 2).fill(0.5) });
    const centres = [
      named('cluster_20', 20),
      named('cluster_100', 100),
      named('semantic_2', 3),
      named('semantic_10', 3),
    ];
    for (const known of [origin, null]) {
      await writeCentres(path, { dimension: 2, centres: centres.toReversed(), origin: known, learnedUntil });
      expect(await readCentres(path)).toEqual({ dimension: 2, centres, origin: known, learnedUntil });
    }
  });

  it.each([
    ['another tensor', 'weights', [2, 2], [1, 0, 0, 1]],
    ['another shape', 'cluster_2', [4], [1, 0, 0, 1]],
    ['values that are not finite', 'cluster_2', [2, 2], [1, 0, Number.NaN, 1]],
  ])('are refused with %s', async (_, name, shape, values) => {
    const path = join(await temporaryFolder(), 'centres.safetensors');
    const tensors = new Map([[name, { shape, data: Float32Array.from(values) }]]);
    await writeSafeTensors(path, { metadata: {}, tensors });
    await expect(readCentres(path)).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
  });
});
