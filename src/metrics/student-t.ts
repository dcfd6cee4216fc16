/** Student's t distribution. */
import jstat from 'jstat';

/**
 * The value that a share of the distribution lies below, to about eight digits.
 *
 * @param share between 0 and 1, both excluded; a small one keeps its digits, so take the lower tail and its sign
 * @param degreesOfFreedom above 0, not necessarily whole
 */
export function studentQuantile(share: number, degreesOfFreedom: number): number {
  return jstat.studentt.inv(share, degreesOfFreedom);
}

/**
 * P(|T| > t), the two-sided p-value of a t statistic, to about eight digits; below 1e-12 it may be 0.
 *
 * @param degreesOfFreedom above 0, not necessarily whole
 */
export function studentTwoSided(t: number, degreesOfFreedom: number): number {
  return Math.min(1, Math.max(0, 2 * jstat.studentt.cdf(-Math.abs(t), degreesOfFreedom)));
}
