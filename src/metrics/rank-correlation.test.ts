import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { spearman } from './rank-correlation.ts';
import { userMean } from './user-mean.ts';

describe('spearman', () => {
  it('equals examples worked by hand, without and with ties', () => {
    expect(spearman([1, 2, 3, 4], [1, 2, 4, 3])).toBeCloseTo(0.8, 14);
    // Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: 4.5 / √(4.5 · 5).
    expect(spearman([1, 5, 5, 9], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(22.5), 14);
  });

  it('is undefined for a single place and for a side without differences', () => {
    expect(spearman([1], [2])).toBeNull();
    expect(spearman([3, 3, 3], [1, 2, 3])).toBeNull();
  });

  it('is 1 for anything that rises alike, −1 against its reverse, and does not care which side is which', () => {
    const values = fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(values, fc.array(fc.nat(5), { minLength: 12, maxLength: 12 }), (one, noise) => {
        const rising = one.map((value) => Math.exp(value / 10));
        expect(spearman(one, rising)).toBeCloseTo(1, 12);
        expect(
          spearman(
            one,
            one.map((value) => -value),
          ),
        ).toBeCloseTo(-1, 12);
        const other = noise.slice(0, one.length);
        expect(spearman(one, other)).toBe(spearman(other, one));
      }),
    );
  });
});

describe('a mean over users', () => {
  it('has an interval that gets wider when the same values come from fewer users', () => {
    const random = Random.seeded(1, 'values');
    const perUser = Array.from({ length: 10 }, () => random.normal());
    const values = Float64Array.from({ length: 200 }, (_, row) => perUser[row % 10]!);
    const many = userMean(
      values,
      Int32Array.from(values, (_, row) => row),
    );
    const few = userMean(
      values,
      Int32Array.from(values, (_, row) => row % 10),
    );
    const width = (ci95: readonly [number, number] | null) => (ci95 === null ? 0 : ci95[1] - ci95[0]);
    expect(few.mean).toBeCloseTo(many.mean, 12);
    expect(width(few.ci95)).toBeGreaterThan(3 * width(many.ci95));
    expect(many.ci95?.[0]).toBeLessThan(many.mean);
  });

  it('has no interval for one user and is undefined without values', () => {
    expect(userMean(Float64Array.of(1, 3), Int32Array.of(7, 7))).toEqual({
      mean: 2,
      ci95: null,
    });
    expect(() => userMean(new Float64Array(), new Int32Array())).toThrow('no values');
  });
});
