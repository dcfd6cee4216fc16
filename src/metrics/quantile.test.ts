import { describe, expect, it } from 'vitest';
import { median, quantile } from './quantile.ts';

describe('a quantile', () => {
  it('is an order statistic, or lies between two of them in proportion', () => {
    const sorted = [1, 2, 4, 8, 16];
    expect([0, 0.25, 0.5, 0.75, 1].map((share) => quantile(sorted, share))).toEqual(sorted);
    expect(quantile(sorted, 0.6)).toBeCloseTo(4 + 0.4 * 4, 12);
    expect(quantile(sorted, 0.975)).toBeCloseTo(8 + 0.9 * 8, 12);
  });

  it('is the only value there is, and undefined where there is none', () => {
    expect(quantile([3], 0.975)).toBe(3);
    expect(() => quantile([], 0.5)).toThrow('A quantile is undefined: there are no values.');
  });
});

describe('the median', () => {
  it('does not depend on the order of the values, which stay as they are', () => {
    const values = [10, 9, 2, 1];
    expect(median(values)).toBe(5.5);
    expect(median([10, 9, 2])).toBe(9);
    expect(values).toEqual([10, 9, 2, 1]);
  });
});
