/** Normalised discounted cumulative gain: how near the top of its page view a click is ranked. */
import { CourierError } from '../errors.ts';
import { groupByIds } from './groups.ts';
import { ascendingOrder } from './order.ts';
import { checkGroups, checkRows, type Scores, undefinedMetric } from './rows.ts';

export interface Ndcg {
  readonly ndcg: number;
  readonly pageViewsCounted: number;
  /** Page views without a click, whose ideal gain is 0, and page views of clicks alone, which no order can rank wrongly. */
  readonly pageViewsLeftOut: number;
}

/**
 * NDCG@k with gain 1 for a click and discount 1 / log₂(rank + 1) (Järvelin and Kekäläinen, Cumulated
 * Gain-Based Evaluation of IR Techniques, 2002), the mean over page views with a click and something beside it that was
 * not clicked: where a log has an exposure a page view, every ranker would have 1. Equal scores count
 * with the mean over all orders of theirs (McSherry and Najork, Computing Information Retrieval Performance
 * Measures Efficiently in the Presence of Tied Scores, 2008), so that the order of the rows does not matter.
 *
 * @param scores any real numbers, larger meaning a likelier click. (R)
 * @param labels 1 for a click, 0 for none. (R)
 * @param pageViews the page view of each row; any integers. (R)
 * @param k ranks that count, at least 1
 * @throws CourierError METRIC_UNDEFINED for no rows or no such page view; VALUE_INVALID for a score that is not a
 *   number, a label that is neither 0 nor 1, different lengths, or a k that is no whole number ≥ 1
 */
export function ndcg(scores: Scores, labels: Uint8Array, pageViews: Int32Array, k: number): Ndcg {
  const { values } = ndcgOfPageViews(scores, labels, pageViews, k);
  const counted = values.filter((value) => !Number.isNaN(value));
  return {
    ndcg: counted.reduce((sum, value) => sum + value, 0) / counted.length,
    pageViewsCounted: counted.length,
    pageViewsLeftOut: values.length - counted.length,
  };
}

export interface PageViewNdcg {
  /** NaN for a page view that is left out. (P) */
  readonly values: Float64Array;
  /** A row of each page view. (P) */
  readonly rows: Int32Array;
}

/**
 * The NDCG@k of each page view, as `ndcg` takes their mean.
 * @throws CourierError as `ndcg` does
 */
export function ndcgOfPageViews(
  scores: Scores,
  labels: Uint8Array,
  pageViews: Int32Array,
  k: number,
): PageViewNdcg {
  if (!Number.isSafeInteger(k) || k < 1) {
    throw new CourierError('VALUE_INVALID', `NDCG@${k} has no meaning.`, 'Use a whole k, such as 10.');
  }
  const metric = `NDCG@${k}`;
  checkRows(metric, scores, labels);
  checkGroups(metric, pageViews, scores.length);
  const { count, start, rows } = groupByIds(pageViews, ascendingOrder(scores).reverse());
  const discounts = discountSums(start, k);
  const values = new Float64Array(count).fill(Number.NaN);
  for (let group = 0; group < count; group++) {
    const own = rows.subarray(start[group]!, start[group + 1]!);
    const clicks = clicksAmong(own, labels);
    if (clicks === 0 || clicks === own.length) continue;
    values[group] = expectedGain(own, scores, labels, discounts) / discounts(clicks);
  }
  if (values.every(Number.isNaN)) {
    throw undefinedMetric(metric, `none of ${count} page views has both a click and an exposure without one`);
  }
  return { values, rows: Int32Array.from(values, (_, group) => rows[start[group]!]!) };
}

/** @param own rows of one page view by descending score */
function expectedGain(
  own: Int32Array,
  scores: Scores,
  labels: Uint8Array,
  discounts: (ranks: number) => number,
): number {
  let [gain, first, clicked] = [0, 0, 0];
  for (let rank = 0; rank < own.length; rank++) {
    const [row, next] = [own[rank]!, own[rank + 1]];
    clicked += labels[row]!;
    if (next !== undefined && scores[next] === scores[row]) continue;
    const equals = rank + 1 - first;
    gain += (clicked / equals) * (discounts(rank + 1) - discounts(first));
    [first, clicked] = [rank + 1, 0];
  }
  return gain;
}

function clicksAmong(own: Int32Array, labels: Uint8Array): number {
  let clicks = 0;
  for (let place = 0; place < own.length; place++) clicks += labels[own[place]!]!;
  return clicks;
}

/** A table of the discounts of the first so many ranks together; ranks after the k-th add nothing. */
function discountSums(start: Int32Array, k: number): (ranks: number) => number {
  let largest = 0;
  for (let group = 0; group + 1 < start.length; group++) {
    largest = Math.max(largest, start[group + 1]! - start[group]!);
  }
  const last = Math.min(largest, k);
  const sums = new Float64Array(last + 1);
  for (let rank = 1; rank <= last; rank++) sums[rank] = sums[rank - 1]! + 1 / Math.log2(rank + 1);
  return (ranks) => sums[Math.min(ranks, last)]!;
}
