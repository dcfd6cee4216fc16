import { describe, expect, it } from 'vitest';
import { chiSquaredTail } from './chi-squared.ts';
import { upperTail } from './normal.ts';

describe('the tail of chi-squared', () => {
  it('is that of published tables', () => {
    const published = [
      [3.841459, 1, 0.05],
      [5.991465, 2, 0.05],
      [7.814728, 3, 0.05],
      [10.827566, 1, 0.001],
      [13.815511, 2, 0.001],
      [18.307038, 10, 0.05],
      [21.666, 9, 0.01],
    ] as const;
    for (const [x, degrees, tail] of published) expect(chiSquaredTail(x, degrees)).toBeCloseTo(tail, 6);
  });

  it('has its closed forms far out, where one less the share below would be nothing', () => {
    expect(chiSquaredTail(400, 1) / (2 * upperTail(20))).toBeCloseTo(1, 12);
    expect(chiSquaredTail(400, 4) / (Math.exp(-200) * 201)).toBeCloseTo(1, 12);
  });

  it('is all there is beyond nothing', () => {
    for (const degrees of [1, 2, 3, 8]) expect(chiSquaredTail(0, degrees)).toBe(1);
  });
});
