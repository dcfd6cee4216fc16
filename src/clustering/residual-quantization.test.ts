import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NONE } from '../data/dataset.ts';
import type { StoredEmbeddings } from '../data/embeddings/embeddings.ts';
import { silent } from '../progress.ts';
import { Random } from '../random.ts';
import { CentreSearch } from './centre-search.ts';
import { kMeansDefaults } from './k-means.ts';
import {
  encodeResiduals,
  reconstruct,
  residualQuantize,
  residualSearchWidth,
} from './residual-quantization.ts';

const [items, dimension, levels, codes] = [2000, 12, 4, 16];

function drawEmbeddings(seed: number, count = items): StoredEmbeddings {
  const random = Random.seeded(seed, 'residuals');
  const rows = Array.from({ length: count }, () => Array.from({ length: dimension }, () => random.normal()));
  const vectors = rows.flatMap((row) => row.map((value) => value / Math.hypot(...row)));
  return { ids: rows.map((_, row) => `item${row}`), dimension, vectors: Float32Array.from(vectors) };
}

describe('residual quantisation', () => {
  let search: CentreSearch;
  beforeAll(async () => {
    search = await CentreSearch.open(residualSearchWidth(dimension));
  });
  afterAll(() => search.close());

  function learn(embeddings: StoredEmbeddings) {
    const options = { ...kMeansDefaults, levels, codes };
    return residualQuantize(embeddings, options, search, Random.seeded(1, 'test'), silent);
  }

  it('rebuilds vectors better with each level, and says how well', async () => {
    const embeddings = drawEmbeddings(1);
    const found = await learn(embeddings);
    for (let level = 1; level <= levels; level++) {
      const rebuilt = reconstruct(found.codes.slice(0, level), found.codebooks, dimension);
      const squares = rebuilt.map((value, i) => (value - embeddings.vectors[i]!) ** 2);
      const error = squares.reduce((sum, square) => sum + square, 0) / items;
      expect(error).toBeCloseTo(found.errors[level - 1]!, 4);
      expect(error).toBeLessThan(level === 1 ? 1 : found.errors[level - 2]!);
    }
    expect(found.codebooks.map(({ length }) => length)).toEqual(Array(levels).fill(codes * dimension));
  });

  it('chooses at each level the code that is nearest in Euclidean distance', async () => {
    const embeddings = drawEmbeddings(1);
    const found = await learn(embeddings);
    const residuals = embeddings.vectors.slice();
    for (const [level, codebook] of found.codebooks.entries()) {
      for (let item = 0; item < items; item += 17) {
        const distances = Array.from({ length: codes }, (_, code) => {
          let sum = 0;
          for (let i = 0; i < dimension; i++)
            sum += (residuals[item * dimension + i]! - codebook[code * dimension + i]!) ** 2;
          return sum;
        });
        expect(distances[found.codes[level]![item]!]).toBeLessThan(Math.min(...distances) + 1e-5);
      }
      for (let place = 0; place < residuals.length; place++) {
        const code = found.codes[level]![Math.floor(place / dimension)]!;
        residuals[place]! -= codebook[code * dimension + (place % dimension)]!;
      }
    }
  });

  it('encodes the vectors that it learned from as it did then, and others nearly as well', async () => {
    const embeddings = drawEmbeddings(1);
    embeddings.vectors.fill(0, 0, dimension);
    const learned = await learn(embeddings);
    const again = await encodeResiduals(embeddings, learned.codebooks, search);
    expect(again.codes).toEqual(learned.codes);
    expect(again.codes.map((level) => level[0])).toEqual(Array(levels).fill(NONE));
    const others = await encodeResiduals(drawEmbeddings(2), learned.codebooks, search);
    expect(others.errors.at(-1)).toBeLessThan(1.3 * learned.errors.at(-1)!);
  });

  it('compares directions alone: the same codes whatever the lengths of the rows', async () => {
    const embeddings = drawEmbeddings(1);
    const shorter = { ...embeddings, vectors: embeddings.vectors.map((value) => 0.998 * value) };
    const [one, other] = [await learn(embeddings), await learn(shorter)];
    for (const [level, error] of one.errors.entries()) expect(other.errors[level]).toBeCloseTo(error, 5);
    expect((await encodeResiduals(shorter, one.codebooks, search)).codes).toEqual(one.codes);
  });

  it('ends with codes for all levels, or says which level left over too few different residuals', async () => {
    const sets = fc.record({
      count: fc.integer({ min: 1, max: 24 }),
      different: fc.integer({ min: 1, max: 12 }),
      codes: fc.integer({ min: 2, max: 6 }),
      scale: fc.double({ min: 0.998, max: 1.002, noNaN: true }),
      seed: fc.nat(1000),
    });
    const check = fc.asyncProperty(sets, async ({ count, different, codes, scale, seed }) => {
      const { vectors } = drawEmbeddings(seed, different);
      const place = (i: number) => scale * vectors[i % (different * dimension)]!;
      const rows = Float32Array.from({ length: count * dimension }, (_, i) => place(i));
      const ids = Array.from({ length: count }, (_, row) => `item${row}`);
      const options = { ...kMeansDefaults, levels: 3, codes };
      const random = Random.seeded(seed, 'test');
      const learned = residualQuantize({ ids, dimension, vectors: rows }, options, search, random, silent);
      const found = await learned.catch((error: unknown) => error);
      const few = Math.min(count, different);
      if (few < codes)
        expect(found).toMatchObject({
          message: expect.stringMatching(/fewer (different )?items than clusters/),
        });
      else if (found instanceof Error)
        expect(found).toMatchObject({
          code: 'VALUE_INVALID',
          message: expect.stringMatching(/fewer different residuals of level [12] than clusters/),
        });
      else {
        const allUsed = expect.toSatisfy((level: Int32Array) => new Set(level).size === codes);
        expect(found).toMatchObject({ codes: Array(3).fill(allUsed) });
      }
    });
    await fc.assert(check, { numRuns: 60 });
  });
});
