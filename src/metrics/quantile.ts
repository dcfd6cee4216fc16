/** Quantiles of a sample. */
import { undefinedMetric } from './rows.ts';

/**
 * Linear interpolation between the order statistics (Hyndman and Fan, 1996, type 7).
 *
 * @param sorted ascending. (n)
 * @param share in [0, 1]: 0 is the least value, 1 the largest
 * @throws CourierError METRIC_UNDEFINED without values
 */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) throw undefinedMetric('A quantile', 'there are no values');
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const [low, high] = [sorted[below]!, sorted[Math.ceil(place)]!];
  return low + (high - low) * (place - below);
}

/**
 * The middle value, or the mean of the two in the middle.
 *
 * @param values in any order. (n)
 * @throws CourierError METRIC_UNDEFINED without values
 */
export function median(values: Iterable<number>): number {
  return quantile(Float64Array.from(values).sort(), 0.5);
}
