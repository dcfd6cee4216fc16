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
