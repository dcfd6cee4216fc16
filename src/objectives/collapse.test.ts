import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { alignment, hasCollapsed, measureSpread } from './collapse.ts';

const [count, dimension] = [300, 12];

/** Unit vectors around a direction: `apart` 0 for copies of it, large for any direction. */
function vectorsAround(apart: number, used = dimension): Float32Array {
  const random = Random.seeded(1, 'vectors');
  const rows = Array.from({ length: count }, () => {
    const row = Array.from({ length: dimension }, (_, i) => (i < used ? apart * random.normal() : 0));
    row[0]! += 1;
    const length = Math.hypot(...row);
    return row.map((value) => value / length);
  });
  return Float32Array.from(rows.flat());
}

describe('collapse', () => {
  it('is not seen where embeddings point everywhere: deviation 1, full rank, very uniform', () => {
    const spread = measureSpread(vectorsAround(1000), dimension);
    expect(spread.embeddingDeviation).toBeCloseTo(1, 1);
    expect(spread.effectiveRank).toBeGreaterThan(0.97 * dimension);
    expect(spread.uniformity).toBeLessThan(-3);
    expect(hasCollapsed(spread)).toBe(false);
  });

  it('is seen where all embeddings are the same: deviation 0, rank 1, uniformity 0', () => {
    const spread = measureSpread(vectorsAround(0), dimension);
    expect(spread.embeddingDeviation).toBeCloseTo(0, 6);
    expect(spread.effectiveRank).toBeCloseTo(1, 3);
    expect(spread.uniformity).toBeCloseTo(0, 6);
    expect(hasCollapsed(spread)).toBe(true);
  });

  it('counts the dimensions that are used, with more photos than dimensions and with fewer', () => {
    for (const photos of [count, 10]) {
      const vectors = vectorsAround(1000, 3).subarray(0, photos * dimension);
      const { effectiveRank } = measureSpread(vectors, dimension);
      expect(effectiveRank).toBeGreaterThan(2.5);
      expect(effectiveRank).toBeLessThan(3.001);
    }
  });

  it('knows the effective rank of a matrix with known singular values', () => {
    // Two orthogonal directions, 9 and 1 times: singular values 3 and 1, shares 3/4 and 1/4.
    const vectors = new Float32Array(20);
    for (let row = 0; row < 10; row++) vectors[row * 2 + (row === 9 ? 1 : 0)] = 1;
    const entropy = -0.75 * Math.log(0.75) - 0.25 * Math.log(0.25);
    expect(measureSpread(vectors, 2).effectiveRank).toBeCloseTo(Math.exp(entropy), 6);
  });

  it('has the alignment and uniformity of a worked example', () => {
    // At right angles: squared distance 2. Opposite: 4.
    const vectors = Float32Array.of(1, 0, 0, 1, -1, 0);
    expect(alignment(vectors, 2, Int32Array.of(0, 1))).toBeCloseTo(2, 6);
    expect(alignment(vectors, 2, Int32Array.of(0, 1, 0, 2))).toBeCloseTo(3, 6);
    const mean = (2 * Math.exp(-4) + Math.exp(-8)) / 3;
    expect(measureSpread(vectors, 2).uniformity).toBeCloseTo(Math.log(mean), 6);
  });
});
