import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NONE } from '../data/dataset.ts';
import type { StoredEmbeddings } from '../data/embeddings.ts';
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

const [count, dimension, levels, codes] = [2000, 12, 4, 16];

function drawEmbeddings(seed: number): StoredEmbeddings {
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
      const error = squares.reduce((sum, square) => sum + square, 0) / count;
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
      for (let item = 0; item < count; item += 17) {
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
});
