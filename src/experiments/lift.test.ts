import { describe, expect, it } from 'vitest';
import { defined } from '../../test/support/measured.ts';
import { Random } from '../random.ts';
import { absoluteDifference, fixedTest, relativeDifference } from './lift.ts';

describe('a lift', () => {
  it("has Welch's t, degrees of freedom and p-value of a worked example", () => {
    // Means 20.82 and 23.71 of 10 and 20 with variances 7.58 and 1.84 a value: 0.758 and 0.092 of the mean.
    const control = { users: 10, value: 20.82, variance: 0.758 };
    const treatment = { users: 20, value: 23.71, variance: 0.092 };
    const difference = defined(absoluteDifference(control, treatment));
    expect(difference.value / difference.standardError).toBeCloseTo(2.89 / Math.sqrt(0.85), 10);
    expect(difference.degreesOfFreedom).toBeCloseTo(0.85 ** 2 / (0.758 ** 2 / 9 + 0.092 ** 2 / 19), 10);
    expect(fixedTest(difference).p).toBeGreaterThan(0.009);
    expect(fixedTest(difference).p).toBeLessThan(0.012);
  });

  it('relative to control has the spread that draws have', () => {
    const random = Random.seeded(1, 'relative');
    const side = (mean: number) => ({ users: 1000, value: mean + 0.2 * random.normal(), variance: 0.04 });
    const lifts = Array.from({ length: 4000 }, () => defined(relativeDifference(side(5), side(6))));
    const mean = lifts.reduce((sum, { value }) => sum + value, 0) / lifts.length;
    const variance = lifts.reduce((sum, { value }) => sum + (value - mean) ** 2, 0) / lifts.length;
    const said = lifts.reduce((sum, { standardError }) => sum + standardError ** 2, 0) / lifts.length;
    expect(mean).toBeCloseTo(0.2, 2);
    expect(said / variance).toBeGreaterThan(0.93);
    expect(said / variance).toBeLessThan(1.07);
  });

  it('is a gap with a reason where it is not defined', () => {
    const none = { users: 5, value: 0, variance: 0 };
    const one = { users: 1, value: 2, variance: 1 };
    expect(relativeDifference(none, one)).toMatchObject({ why: expect.stringContaining('not above 0') });
    expect(absoluteDifference(none, none)).toMatchObject({ why: 'It is the same for every user.' });
    expect(absoluteDifference(none, one)).toMatchObject({ why: 'An arm has fewer than two users.' });
  });
});
