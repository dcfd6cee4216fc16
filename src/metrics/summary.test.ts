import { describe, expect, it } from 'vitest';
import { summarise, summariseMeasured } from './summary.ts';

describe('summarise', () => {
  it('divides by n − 1 in the standard deviation', () => {
    const { mean, std } = summarise([2, 4, 6]);
    expect(mean).toBeCloseTo(4, 12);
    expect(std).toBeCloseTo(2, 12);
  });

  it('has no standard deviation for a single seed', () => {
    expect(summarise([0.7])).toEqual({ mean: 0.7, std: null });
  });

  it('refuses no values and values that are not finite', () => {
    expect(() => summarise([])).toThrow('No seed gave a value');
    expect(() => summarise([0.7, NaN])).toThrow('seed number 2 is NaN');
  });
});

describe('summariseMeasured', () => {
  const value = (value: number) => ({ kind: 'value', value }) as const;

  it('is the mean of values, and a gap where one of them is', () => {
    expect(summariseMeasured([value(2), value(4)])).toMatchObject({ kind: 'value', value: { mean: 3 } });
    const gap = { kind: 'undefined', why: 'no row is clicked' } as const;
    expect(summariseMeasured([value(2), gap])).toEqual(gap);
    expect(summariseMeasured([])).toMatchObject({ kind: 'undefined', why: 'No seed gave a value.' });
  });
});
