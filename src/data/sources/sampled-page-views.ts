/** Page views for logs that tell what was bought but not what was shown (protocol hm-v1). */
import type { Random } from '../../random.ts';
import { type Clicks, lowerBound } from '../clicks.ts';
import type { Findings } from '../findings.ts';

export interface SampledPageViews {
  /** Row of the clicks that each page view ends in. (P) */
  readonly target: Int32Array;
  /** (P + 1) */
  readonly start: Int32Array;
  /** (R) */
  readonly item: Int32Array;
  readonly clicked: Uint8Array;
}

const sampled = 4;
const windowClicks = 3000;
const minHistory = 2;

export const sampledCandidates =
  `sampled (hm-v1): the item and ${sampled} others drawn from the last ${windowClicks} purchases by anyone ` +
  "before that day (or moment), which the user had not bought before; targets are a user's first purchase of an item " +
  `after at least ${minHistory} other items`;

/** Popularity tells such a purchase from its sampled candidates without looking at it. */
const boughtFirst =
  'Page views whose bought item nobody had bought before, while every sampled candidate was: ' +
  'features such as popularity, cold and price give the answer away there';

/**
 * One page view for every first purchase of an item by a user who bought at least two distinct items
 * strictly earlier. The others are drawn without replacement, in the order of the clicks, so that one seed
 * gives one result; the candidates of a page view are in random order.
 * @param period candidates come from purchases before the period, in milliseconds, of the bought one: its day
 */
export function samplePageViews(
  clicks: Clicks,
  period: number,
  random: Random,
  findings: Findings,
): SampledPageViews {
  const users = new Map<number, Purchases>();
  const everBought = new Purchases();
  const target: number[] = [];
  const start = [0];
  const item: number[] = [];
  const clicked: number[] = [];
  for (let row = 0; row < clicks.item.length; row++) {
    const purchases = users.get(clicks.user[row]!) ?? new Purchases();
    users.set(clicks.user[row]!, purchases);
    const bought = clicks.item[row]!;
    const time = clicks.time[row]!;
    const periodStart = Math.floor(time / period) * period;
    everBought.add(bought, time);
    const earlierItems = purchases.distinctBefore(time);
    if (!purchases.add(bought, time) || earlierItems < minHistory) continue;
    const others = drawOthers(clicks, row, periodStart, purchases, random);
    if (others.length < sampled) findings.add(`Page views with fewer than ${sampled} items to sample from`);
    if (others.length === 0) continue;
    if (!everBought.hadBefore(bought, periodStart)) findings.add(boughtFirst);
    const candidates = random.shuffle([bought, ...others]);
    target.push(row);
    for (const candidate of candidates) {
      item.push(candidate);
      clicked.push(candidate === bought ? 1 : 0);
    }
    start.push(item.length);
  }
  return {
    target: Int32Array.from(target),
    start: Int32Array.from(start),
    item: Int32Array.from(item),
    clicked: Uint8Array.from(clicked),
  };
}

/** Shuffles the window only as far as needed: the draw ends even where hardly any item is allowed. */
function drawOthers(
  clicks: Clicks,
  row: number,
  periodStart: number,
  purchases: Purchases,
  random: Random,
): number[] {
  const time = clicks.time[row]!;
  const end = lowerBound((position) => clicks.time[position]!, periodStart, 0, row);
  const pool = clicks.item.slice(Math.max(0, end - windowClicks), end);
  const others: number[] = [];
  for (let left = pool.length; left > 0 && others.length < sampled; left--) {
    const place = random.integer(left);
    const item = pool[place]!;
    pool[place] = pool[left - 1]!;
    const allowed = item !== clicks.item[row] && !purchases.hadBefore(item, time) && !others.includes(item);
    if (allowed) others.push(item);
  }
  return others;
}

/** What was bought so far, by one user or by all, and which of it strictly before the time in question. */
class Purchases {
  readonly #firstTime = new Map<number, number>();
  #time = Number.NEGATIVE_INFINITY;
  #earlier = 0;

  /** @returns whether the item is new. Times must not descend. */
  add(item: number, time: number): boolean {
    this.distinctBefore(time);
    if (this.#firstTime.has(item)) return false;
    this.#firstTime.set(item, time);
    return true;
  }

  distinctBefore(time: number): number {
    if (time > this.#time) {
      this.#earlier = this.#firstTime.size;
      this.#time = time;
    }
    return this.#earlier;
  }

  hadBefore(item: number, time: number): boolean {
    const first = this.#firstTime.get(item);
    return first !== undefined && first < time;
  }
}
