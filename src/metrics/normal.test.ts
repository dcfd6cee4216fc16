import { describe, expect, it } from 'vitest';
import { normalQuantile, normalQuantile975, upperTail } from './normal.ts';

/** P(Z > x) from erfc computed with 40 digits. */
const known: readonly (readonly [number, number])[] = [
  [0, 0.5],
  [0.1, 0.460172162722971],
  [1, 0.15865525393145705],
  [1.5, 0.06680720126885807],
  [2, 0.02275013194817921],
  [2.4, 0.008197535924596131],
  [2.5, 0.006209665325776135],
  [3, 0.0013498980316300946],
  [5, 2.866515718791939e-7],
  [10, 7.619853024160525e-24],
  [20, 2.7536241186062337e-89],
  [35, 1.1249107064724062e-268],
];

describe('the normal distribution', () => {
  it('has the tail of the tables to 13 significant digits, near and far', () => {
    for (const [x, tail] of known) expect(Math.abs(upperTail(x) / tail - 1)).toBeLessThan(1e-13);
  });

  it('is symmetric', () => {
    for (const [x, tail] of known) expect(upperTail(-x)).toBeCloseTo(1 - tail, 15);
  });

  it('leaves 2.5 % above the quantile of a 95 % interval', () => {
    expect(upperTail(normalQuantile975)).toBeCloseTo(0.025, 15);
  });

  it('ends at 0 and 1', () => {
    expect(upperTail(Infinity)).toBe(0);
    expect(upperTail(-Infinity)).toBe(1);
    expect(upperTail(NaN)).toBeNaN();
  });

  it('has the quantiles that its tail undoes, on both sides', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(normalQuantile975, 12);
    expect(normalQuantile(0.2)).toBeCloseTo(-0.8416212335729143, 12);
    for (const tail of [0.5, 0.1, 1e-6, 1e-30])
      expect(upperTail(-normalQuantile(tail)) / tail).toBeCloseTo(1, 9);
  });
});
