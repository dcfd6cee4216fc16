/** The mean of something that each user contributes several values to. */

import { combineSources, crossedSources } from './crossed-sources.ts';
import { groupByIds } from './groups.ts';
import { known, measure } from './measured.ts';
import { undefinedMetric } from './rows.ts';
import { ratioInfluence } from './user-influence.ts';

export interface UserMean {
  readonly mean: number;
  /** Over users, as that of a lift; null for a single user, who says nothing of others, and for users who are all the same. */
  readonly ci95: readonly [number, number] | null;
}

/**
 * The mean of values, with an interval that takes users to be independent, and not the values of one.
 * @param values (n)
 * @param users whose value each is. (n)
 * @throws CourierError METRIC_UNDEFINED without values
 */
export function userMean(values: Float64Array, users: Int32Array): UserMean {
  if (values.length === 0) throw undefinedMetric('A mean over users', 'there are no values');
  const { count, ofRow } = groupByIds(users);
  const [sums, sizes] = [new Float64Array(count), new Float64Array(count)];
  for (let row = 0; row < values.length; row++) {
    sums[ofRow[row]!]! += values[row]!;
    sizes[ofRow[row]!]! += 1;
  }
  const influence = ratioInfluence(sums, sizes);
  const uncertainty = known(measure(() => combineSources(crossedSources([influence]))));
  return { mean: influence.value, ci95: uncertainty?.ci95 ?? null };
}
