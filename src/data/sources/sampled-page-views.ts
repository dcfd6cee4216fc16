/** Page views for logs that tell what was bought but not what was shown. */
import type { Random } from '../../random.ts';
import type { Clicks } from '../clicks.ts';
import type { Findings } from '../findings.ts';
import type { CandidateOptions } from './candidate-options.ts';
import { openPool } from './candidate-pools.ts';
import { FirstPurchases } from './first-purchases.ts';

export interface SampledPageViews {
  /** Row of the clicks that each page view ends in. (P) */
  readonly target: Int32Array;
  /** (P + 1) */
  readonly start: Int32Array;
  /** (R) */
  readonly item: Int32Array;
  readonly clicked: Uint8Array;
  /** How the candidates came about, in words for the report. */
  readonly sampling: string;
}

const minHistory = 2;

/**
 * One page view for every first purchase of an item by a user who bought at least two distinct items
 * strictly earlier. The others are drawn without replacement, in the order of the clicks, so that one seed
 * gives one result; the candidates of a page view are in random order.
 * @param period of the counters, in milliseconds: a page view knows what was bought before its period
 */
export function samplePageViews(
  clicks: Clicks,
  period: number,
  options: CandidateOptions,
  random: Random,
  findings: Findings,
): SampledPageViews {
  const firsts = new FirstPurchases(clicks);
  const pool = openPool({ clicks, firsts, period }, options, findings);
  const fewer = `Page views with fewer than ${pool.number} items to sample from`;
  const target: number[] = [];
  const start = [0];
  const item: number[] = [];
  const clicked: number[] = [];
  for (const row of firsts.rows) {
    if (firsts.countBefore(clicks.user[row]!, clicks.time[row]!) < minHistory) continue;
    const others = pool.draw(row, random);
    if (others.length < pool.number) findings.add(fewer);
    if (others.length === 0) continue;
    const bought = clicks.item[row]!;
    for (const candidate of random.shuffle([bought, ...others])) {
      item.push(candidate);
      clicked.push(candidate === bought ? 1 : 0);
    }
    target.push(row);
    start.push(item.length);
  }
  return {
    target: Int32Array.from(target),
    start: Int32Array.from(start),
    item: Int32Array.from(item),
    clicked: Uint8Array.from(clicked),
    sampling: `${pool.description}; targets are a user's first purchase of an item after at least ${minHistory} other items`,
  };
}
