import { expect, it } from 'vitest';
import { LiveHistogram, stabilityIndex } from './histogram.ts';

it('counts each value in its bin, those beyond in the outermost, and NaN nowhere', () => {
  const histogram = new LiveHistogram({ from: 0, to: 1, bins: 4 });
  histogram.add([0, 0.24, 0.25, 0.99, 1, 7, -3, Number.NaN]);
  expect(histogram.value).toEqual({ from: 0, to: 1, counts: [3, 1, 0, 3] });
});

it('is 0 for equal shares, the sum of (p − q) ln(p / q) for others, and nothing where nothing was counted', () => {
  const of = (...counts: number[]) => ({ from: 0, to: 1, counts });
  expect(stabilityIndex(of(10, 30), of(1, 3))).toBe(0);
  const wanted = (0.25 - 0.5) * Math.log(0.25 / 0.5) + (0.75 - 0.5) * Math.log(0.75 / 0.5);
  expect(stabilityIndex(of(50, 50), of(25, 75))).toBeCloseTo(wanted, 12);
  expect(stabilityIndex(of(50, 50), of(0, 0))).toBeNull();
});
