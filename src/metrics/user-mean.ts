/** The mean of something that each user contributes several values to. */

import type { Random } from '../random.ts';
import { groupByIds } from './groups.ts';
import { quantile } from './quantile.ts';
import { undefinedMetric } from './rows.ts';

export interface UserMean {
  readonly mean: number;
  /** The 2.5 % and 97.5 % quantiles of the replicates; null for a single user, who says nothing of others. */
  readonly ci95: readonly [number, number] | null;
}

/**
 * The mean of values, with a percentile interval of a bootstrap that draws users with replacement, because the values of
 * one user are not independent (Efron and Tibshirani, 1993).
 * @param values (n)
 * @param users whose value each is. (n)
 * @throws CourierError METRIC_UNDEFINED without values
 */
export function userMean(
  values: Float64Array,
  users: Int32Array,
  random: Random,
  replicates = 1000,
): UserMean {
  if (values.length === 0) throw undefinedMetric('A mean over users', 'there are no values');
  const { count, ofRow } = groupByIds(users);
  const [sums, sizes] = [new Float64Array(count), new Int32Array(count)];
  for (let row = 0; row < values.length; row++) {
    sums[ofRow[row]!]! += values[row]!;
    sizes[ofRow[row]!]! += 1;
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (count === 1) return { mean, ci95: null };
  const means = Float64Array.from({ length: replicates }, () => {
    let [sum, size] = [0, 0];
    for (let draw = 0; draw < count; draw++) {
      const user = random.integer(count);
      sum += sums[user]!;
      size += sizes[user]!;
    }
    return sum / size;
  }).sort();
  return { mean, ci95: [quantile(means, 0.025), quantile(means, 0.975)] };
}
