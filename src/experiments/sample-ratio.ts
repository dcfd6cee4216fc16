/** Whether arms have the users that they should have. Where they have not, something lost users of one arm, and no lift holds. */
import { chiSquaredTail } from '../metrics/chi-squared.ts';

/** A smaller p-value is a mismatch: below what luck does, though it is looked at every day (Fabijan et al., KDD 2019). */
export const sampleRatioLevel = 0.001;

export interface SampleRatio {
  readonly chiSquared: number;
  readonly degreesOfFreedom: number;
  readonly p: number;
  readonly isMismatch: boolean;
  /** Users that each arm should have. */
  readonly expected: readonly number[];
}

/**
 * Pearson's chi-squared test of the users of arms against their shares.
 *
 * @param users of each arm
 * @param shares of the same, together 1
 */
export function sampleRatio(users: readonly number[], shares: readonly number[]): SampleRatio {
  const all = users.reduce((sum, count) => sum + count, 0);
  const expected = shares.map((share) => share * all);
  const chiSquared = users.reduce((sum, count, arm) => {
    const should = expected[arm]!;
    return should === 0 ? sum : sum + (count - should) ** 2 / should;
  }, 0);
  const degreesOfFreedom = Math.max(1, expected.filter((count) => count > 0).length - 1);
  const p = chiSquaredTail(chiSquared, degreesOfFreedom);
  return { chiSquared, degreesOfFreedom, p, isMismatch: p < sampleRatioLevel, expected };
}
