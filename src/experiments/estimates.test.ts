import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { estimateArms } from './estimates.ts';

const ones = (values: readonly number[]) => Float64Array.from(values);

/** Mean and variance of the mean, as everybody knows them. */
function meanOf(values: readonly number[]) {
  const value = values.reduce((sum, each) => sum + each, 0) / values.length;
  const squares = values.reduce((sum, each) => sum + (each - value) ** 2, 0);
  return { value, variance: squares / (values.length - 1) / values.length };
}

const samples = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 2, maxLength: 30 });

describe('the estimate of an arm', () => {
  it('is the mean over its users with the variance of the mean, and no user of other arms is in it', () => {
    fc.assert(
      fc.property(samples, samples, (first, second) => {
        const arm = Int32Array.from([...first.map(() => 0), ...second.map(() => 1), -1]);
        const sample = { numerator: ones([...first, ...second, 1e9]), denominator: null };
        const [one, other] = estimateArms(sample, null, arm, 2);
        for (const [estimate, values] of [
          [one, first],
          [other, second],
        ] as const) {
          const { value, variance } = meanOf(values);
          expect(estimate?.users).toBe(values.length);
          expect(estimate?.plain.value).toBeCloseTo(value, 8);
          expect(estimate?.plain.variance).toBeCloseTo(variance, 6);
          expect(estimate?.adjusted).toBe(null);
        }
      }),
    );
  });

  it('of a ratio has the variance that draws of users have, though rows of a user go together', () => {
    const random = Random.seeded(1, 'ratio');
    const draw = () => {
      const users = 400;
      const exposures = Float64Array.from({ length: users }, () => 1 + random.integer(20));
      const clicks = exposures.map((count) => {
        // Of one interest for all exposures of a user: a binomial over rows would be far too sure.
        const interest = random.uniform() ** 3;
        return Array.from({ length: count }, () => random.uniform() < interest).filter((each) => each).length;
      });
      const sample = { numerator: clicks, denominator: exposures };
      const [arm] = estimateArms(sample, null, new Int32Array(users), 1);
      return arm?.plain ?? { value: Number.NaN, variance: Number.NaN };
    };
    const drawn = Array.from({ length: 1500 }, draw);
    const spread = meanOf(drawn.map(({ value }) => value)).variance * drawn.length;
    expect(meanOf(drawn.map(({ variance }) => variance)).value / spread).toBeCloseTo(1, 1);
  });

  it('is adjusted by the regression within arms, which takes away what the time before explains', () => {
    const random = Random.seeded(1, 'before');
    const users = 4000;
    const arm = Int32Array.from({ length: users }, (_, user) => user % 2);
    const before = Float64Array.from({ length: users }, () => random.normal());
    const after = before.map((value, user) => 5 + 2 * value + random.normal() + (arm[user] === 1 ? 0.5 : 0));
    const estimates = estimateArms(
      { numerator: after, denominator: null },
      { numerator: before, denominator: null },
      arm,
      2,
    );
    const [control, treatment] = estimates;
    // Of a variance of 4 + 1 the noise of 1 is left.
    for (const { plain, adjusted } of estimates)
      expect((adjusted?.variance ?? 0) / plain.variance).toBeCloseTo(0.2, 1);
    const difference = (treatment?.adjusted?.value ?? 0) - (control?.adjusted?.value ?? 0);
    expect(Math.abs(difference - 0.5)).toBeLessThan(4 * Math.sqrt(2 / (users / 2)));
  });

  it('stays as it is where nobody differs before', () => {
    const arm = Int32Array.of(0, 0, 1, 1);
    const sample = { numerator: Float64Array.of(1, 2, 3, 5), denominator: null };
    const same = { numerator: new Float64Array(4).fill(7), denominator: null };
    for (const { plain, adjusted } of estimateArms(sample, same, arm, 2)) expect(adjusted).toEqual(plain);
  });

  it('of a ratio is adjusted by the ratio of before, not by how much there was', () => {
    const random = Random.seeded(1, 'ratio before');
    const users = 3000;
    const interest = Float64Array.from({ length: users }, () => random.uniform());
    const period = () => {
      const exposures = interest.map(() => 10 + random.integer(100));
      return { numerator: exposures.map((count, user) => count * interest[user]!), denominator: exposures };
    };
    const arm = Int32Array.from({ length: users }, (_, user) => user % 2);
    const [control] = estimateArms(period(), period(), arm, 2);
    expect((control?.adjusted?.variance ?? 1) / (control?.plain.variance ?? 1)).toBeLessThan(0.6);
  });
});
