import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { CentreSearch } from './centre-search.ts';
import { nearestCode, residualCodes } from './nearest-code.ts';
import { encodeResiduals, residualSearchWidth } from './residual-quantization.ts';
import { nearestCentres } from './spherical-k-means.ts';

const dimension = 6;

function unitVectors(count: number, random: Random): Float32Array {
  return Float32Array.from(
    Array.from({ length: count }, () => {
      const values = Array.from({ length: dimension }, () => random.normal());
      return values.map((value) => value / Math.hypot(...values));
    }).flat(),
  );
}

describe('the codes of one vector', () => {
  const random = Random.seeded(1, 'nearest code');
  const vectors = unitVectors(200, random);
  const ids = Array.from({ length: 200 }, (_, item) => `${item}`);
  const stored = { ids, dimension, vectors };
  const rowAt = (row: number) => vectors.slice(row * dimension, (row + 1) * dimension);

  it('is the centre that clustering gives it', async () => {
    const centres = unitVectors(17, random);
    const search = await CentreSearch.open(dimension);
    const { codes } = await nearestCentres(stored, centres, search);
    await search.close();
    expect(ids.map((_, row) => nearestCode(rowAt(row), centres))).toEqual([...codes]);
  });

  it('are those that residual quantisation gives it, level by level', async () => {
    const codebooks = [unitVectors(5, random), unitVectors(5, random).map((value) => value / 3)];
    const search = await CentreSearch.open(residualSearchWidth(dimension));
    const { codes } = await encodeResiduals(stored, codebooks, search);
    await search.close();
    for (const [row] of ids.entries())
      expect(residualCodes(rowAt(row), codebooks)).toEqual(codes.map((level) => level[row]));
  });
});
