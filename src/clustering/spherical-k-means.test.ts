import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NONE } from '../data/dataset.ts';
import type { StoredEmbeddings } from '../data/embeddings/embeddings.ts';
import { silent } from '../progress.ts';
import { Random } from '../random.ts';
import { CentreSearch, chunkRows } from './centre-search.ts';
import { initializations } from './initialization.ts';
import { kMeansDefaults } from './k-means.ts';
import { nearestCentres, sphericalKMeans } from './spherical-k-means.ts';
import { presentItems } from './unit-rows.ts';

const dimension = 16;

/** Unit vectors around `groups` random directions. Item i is of group i % groups. */
function grouped(count: number, groups: number, spread: number, seed = 1): StoredEmbeddings {
  const random = Random.seeded(seed, 'grouped');
  const middles = Array.from({ length: groups }, () => unit(draw(random, 1)));
  const rows = Array.from({ length: count }, (_, row) => {
    const noise = draw(random, spread);
    return unit(middles[row % groups]!.map((value, i) => value + noise[i]!));
  });
  return stored(rows);
}

function stored(rows: readonly (readonly number[])[]): StoredEmbeddings {
  const ids = rows.map((_, row) => `item${row}`);
  return { ids, dimension: rows[0]!.length, vectors: Float32Array.from(rows.flat()) };
}

function draw(random: Random, scale: number): number[] {
  return Array.from({ length: dimension }, () => scale * random.normal());
}

function unit(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

function cosine(vectors: Float32Array, row: number, centres: Float32Array, centre: number): number {
  let sum = 0;
  for (let i = 0; i < dimension; i++) sum += vectors[row * dimension + i]! * centres[centre * dimension + i]!;
  return sum;
}

describe('spherical k-means', () => {
  let search: CentreSearch;
  beforeAll(async () => {
    search = await CentreSearch.open(dimension);
  });
  afterAll(() => search.close());

  function run(embeddings: StoredEmbeddings, clusters: number, more: object = {}, seed = 1) {
    const options = { ...kMeansDefaults, clusters, ...more };
    return sphericalKMeans(embeddings, options, search, Random.seeded(seed, 'test'), silent);
  }

  it('finds groups that are there', async () => {
    const groups = 12;
    const { codes, sizes } = await run(grouped(600, groups, 0.01), groups);
    for (let item = 0; item < 600; item++) expect(codes[item]).toBe(codes[item % groups]);
    expect([...sizes]).toEqual(Array(groups).fill(50));
  });

  it.each(initializations)(
    'from %s gives each item the nearest centre, in agreement with sizes and inertia',
    async (initialization) => {
      const embeddings = grouped(3000, 40, 0.5);
      const { codes, cosines, centres, sizes, inertia } = await run(embeddings, 60, { initialization });
      const counted = new Int32Array(60);
      let sum = 0;
      for (let item = 0; item < 3000; item++) {
        const all = Array.from({ length: 60 }, (_, centre) =>
          cosine(embeddings.vectors, item, centres, centre),
        );
        const best = Math.max(...all);
        expect(all[codes[item]!]).toBeGreaterThan(best - 1e-5);
        expect(cosines[item]).toBeCloseTo(best, 5);
        counted[codes[item]!]!++;
        sum += 1 - best;
      }
      expect([...sizes]).toEqual([...counted]);
      expect(Math.min(...sizes)).toBeGreaterThan(0);
      expect(inertia / sum).toBeCloseTo(1, 4);
      for (let centre = 0; centre < 60; centre++) {
        expect(cosine(centres, centre, centres, centre)).toBeCloseTo(1, 5);
      }
    },
  );

  it('lowers the inertia with more passes, and ends where centres are the directions of their items', async () => {
    const embeddings = grouped(2000, 30, 0.6);
    const few = await run(embeddings, 30, { iterations: 2, tolerance: 0 });
    const many = await run(embeddings, 30, { iterations: 300, tolerance: 1e-9 });
    expect([few.iterations, many.inertia < few.inertia]).toEqual([2, true]);
    for (let cluster = 0; cluster < 30; cluster++) {
      const sum = Array<number>(dimension).fill(0);
      for (const [item, code] of many.codes.entries()) {
        if (code !== cluster) continue;
        for (let i = 0; i < dimension; i++) sum[i]! += embeddings.vectors[item * dimension + i]!;
      }
      expect(cosine(Float32Array.from(unit(sum)), 0, many.centres, cluster)).toBeCloseTo(1, 5);
    }
  });

  it('goes on from the first batch to all items, which its clusters fit better than those of a sample', async () => {
    // More items than the first batch holds.
    const large = grouped(40_000, 200, 0.4);
    const { inertia, codes } = await run(large, 100);
    const sample = await run(
      { ...large, ids: large.ids.slice(0, 16_000), vectors: large.vectors.slice(0, 16_000 * dimension) },
      100,
    );
    const assigned = await nearestCentres(large, sample.centres, search);
    const fromSample = assigned.cosines.reduce((sum, value) => sum + 1 - value, 0);
    expect(inertia).toBeLessThan(fromSample);
    expect(codes.every((code) => code >= 0 && code < 100)).toBe(true);
  });

  it('gives the same bytes for the same seed, and others for another', async () => {
    const embeddings = grouped(20_000, 50, 0.7);
    const [one, same, other] = [
      await run(embeddings, 40),
      await run(embeddings, 40),
      await run(embeddings, 40, {}, 2),
    ];
    expect(same).toEqual(one);
    expect(other.centres).not.toEqual(one.centres);
  });

  it('reseeds empty clusters until every different item has one', async () => {
    // All but 19 items are the same; a random initialization takes that item for nearly all centres.
    const directions = grouped(20, 20, 0.1).vectors;
    const rows = Array.from({ length: 500 }, (_, row) => {
      const direction = row < 20 ? row : 0;
      return [...directions.subarray(direction * dimension, (direction + 1) * dimension)];
    });
    const { sizes, inertia } = await run(stored(rows), 20, { initialization: 'random' });
    expect([...sizes].sort((a, b) => a - b)).toEqual([...Array(19).fill(1), 481]);
    expect(inertia).toBeLessThan(1e-3);
  });

  it('refuses more clusters than there are items, or different items, naming both numbers', async () => {
    await expect(run(grouped(30, 3, 0.3), 31)).rejects.toMatchObject({
      code: 'VALUE_INVALID',
      message: expect.stringContaining('fewer items than clusters: 30 items, for 31'),
      remedy: expect.stringContaining('at most 30'),
    });
    for (const initialization of initializations) {
      await expect(run(grouped(300, 7, 0), 10, { initialization })).rejects.toMatchObject({
        message: expect.stringContaining(
          'fewer different items than clusters: 300 items, 7 of them different, for 10',
        ),
      });
    }
  });

  it('refuses vectors that are all zero as such', async () => {
    const zeros = stored(Array.from({ length: 30 }, () => Array(dimension).fill(0)));
    await expect(run(zeros, 4)).rejects.toMatchObject({
      code: 'VALUE_INVALID',
      message: 'There is nothing to cluster: the vectors of all items are zero.',
    });
  });

  it('compares directions alone: the same clusters and cosines whatever the lengths of the rows', async () => {
    const embeddings = grouped(300, 6, 0.2);
    const shorter = { ...embeddings, vectors: embeddings.vectors.map((value) => 0.998 * value) };
    const [one, other] = [await run(embeddings, 6), await run(shorter, 6)];
    expect(other.codes).toEqual(one.codes);
    expect(other.inertia).toBeCloseTo(one.inertia, 4);
    const assigned = await nearestCentres(shorter, one.centres, search);
    expect(assigned.codes).toEqual(one.codes);
    for (const [item, value] of assigned.cosines.entries()) expect(value).toBeCloseTo(one.cosines[item]!, 5);
  });

  it('leaves items without a photo out', async () => {
    const embeddings = grouped(100, 4, 0.1);
    embeddings.vectors.fill(0, 10 * dimension, 20 * dimension);
    const { codes, cosines, sizes } = await run(embeddings, 4);
    for (let item = 0; item < 100; item++) expect(codes[item] === NONE).toBe(item >= 10 && item < 20);
    expect(cosines[10]).toBe(0);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(90);
  });

  it('refuses a vector that is not finite, and names the item', () => {
    const embeddings = grouped(10, 2, 0.1);
    const changed = (value: number): StoredEmbeddings => ({
      ...embeddings,
      vectors: embeddings.vectors.with(7 * dimension, value),
    });
    expect(() => presentItems(changed(Number.NaN))).toThrow('item7 is not finite');
    expect(() => presentItems(changed(Number.POSITIVE_INFINITY))).toThrow('item7 is not finite');
  });

  it('finds for new items the centre that a search through all finds', async () => {
    const { centres } = await run(grouped(500, 20, 0.4), 20);
    const fresh = grouped(5000, 20, 0.4, 2);
    fresh.vectors.fill(0, 0, dimension);
    const { codes } = await nearestCentres(fresh, centres, search);
    expect(codes[0]).toBe(NONE);
    for (let item = 1; item < 5000; item++) {
      const all = Array.from({ length: 20 }, (_, centre) => cosine(fresh.vectors, item, centres, centre));
      expect(all[codes[item]!]).toBeGreaterThan(Math.max(...all) - 1e-5);
    }
  });

  it('stops when it is told to', async () => {
    const options = { ...kMeansDefaults, clusters: 10 };
    const stopped = AbortSignal.abort();
    const random = Random.seeded(1, 'test');
    const running = sphericalKMeans(grouped(100, 10, 0.5), options, search, random, silent, stopped);
    await expect(running).rejects.toThrow('aborted');
  });

  it('keeps the scores of a chunk below a fixed size for up to 100,000 centres', () => {
    for (const centres of [2, 10, 1000, 100_000])
      expect(chunkRows(centres) * centres).toBeLessThanOrEqual(2 ** 25);
    expect(chunkRows(100_000)).toBeGreaterThan(0);
  });
});
