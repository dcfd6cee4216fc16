/** Where the unbought candidates of a page view are drawn from. */
import type { Random } from '../../random.ts';
import { type Clicks, lowerBound } from '../clicks.ts';
import type { Findings } from '../findings.ts';
import type { CandidateOptions, WindowOptions } from './candidate-options.ts';
import type { FirstPurchases } from './first-purchases.ts';

export interface PurchaseLog {
  readonly clicks: Clicks;
  readonly firsts: FirstPurchases;
  /**
   * What is known at a page view ends with the period before its own: a day for a log that knows days only, 1 for
   * one that knows moments. Milliseconds.
   */
  readonly period: number;
}

/** A way to draw the others of the page view that ends in a row of the clicks. */
export interface CandidatePool {
  /** How many are wanted of a page view. */
  readonly number: number;
  /** How the candidates come about, in words for the report. */
  readonly description: string;
  /** @returns distinct items in the order drawn, fewer than `number` where the log has no more */
  draw(target: number, random: Random): number[];
}

const day = 86_400_000;
const earlierPurchases = 3000;

export function openPool(log: PurchaseLog, options: CandidateOptions, findings: Findings): CandidatePool {
  return options.from === 'window' ? windowPool(log, options, findings) : earlierPool(log);
}

/**
 * First purchases of other users from the page view's period on, of items that the user bought neither before nor
 * within a day of it. So a candidate is as new and as popular as the bought item, whichever it is. Looks at what is
 * bought after the page view: for the set of candidates only. At the end of the log the window is what is left of it.
 */
function windowPool(log: PurchaseLog, { days, number }: WindowOptions, findings: Findings): CandidatePool {
  const { clicks, firsts } = log;
  const { rows } = firsts;
  const timeAt = (place: number): number => clicks.time[rows[place]!]!;
  const widened = `Page views whose window was widened beyond ${days} days to find ${number} others`;
  return {
    number,
    description:
      `sampled (hm-v2): the item and ${number} others drawn from what other users bought for the first time within ` +
      `${days} days from that day (or moment) on, which the user had not bought before or within a day of it`,
    draw(target, random) {
      const user = clicks.user[target]!;
      const from = periodStart(log, target);
      const allowed = (row: number): boolean =>
        clicks.user[row] !== user && !firsts.hadBefore(user, clicks.item[row]!, from + day);
      const others: number[] = [];
      let begin = lowerBound(timeAt, from, 0, rows.length);
      for (let end = from + days * day; ; end += day) {
        const stop = lowerBound(timeAt, end, begin, rows.length);
        drawInto(others, rows.subarray(begin, stop), number, clicks, allowed, random);
        if (others.length === number || stop === rows.length) {
          if (end > from + days * day) findings.add(widened);
          return others;
        }
        begin = stop;
      }
    },
  };
}

/** The last purchases by anyone before the page view's period, of items that the user had not bought before. */
function earlierPool(log: PurchaseLog): CandidatePool {
  const { clicks, firsts } = log;
  const rows = Int32Array.from(clicks.item, (_, row) => row);
  const number = 4;
  return {
    number,
    description:
      `sampled (hm-v1): the item and ${number} others drawn from the last ${earlierPurchases} purchases by anyone ` +
      'before that day (or moment), which the user had not bought before',
    draw(target, random) {
      const [user, item, time] = [clicks.user[target]!, clicks.item[target]!, clicks.time[target]!];
      const end = lowerBound((row) => clicks.time[row]!, periodStart(log, target), 0, target);
      const allowed = (row: number): boolean =>
        clicks.item[row] !== item && !firsts.hadBefore(user, clicks.item[row]!, time);
      const others: number[] = [];
      drawInto(
        others,
        rows.subarray(Math.max(0, end - earlierPurchases), end),
        number,
        clicks,
        allowed,
        random,
      );
      return others;
    },
  };
}

function periodStart({ clicks, period }: PurchaseLog, target: number): number {
  return Math.floor(clicks.time[target]! / period) * period;
}

/**
 * Adds items of the rows until there are enough or no row is left. Shuffles only as far as needed, and keeps only what
 * it moved: the draw ends even where hardly any item is allowed, and costs nothing for rows that it does not reach.
 */
function drawInto(
  others: number[],
  rows: Int32Array,
  number: number,
  { item }: Clicks,
  allowed: (row: number) => boolean,
  random: Random,
): void {
  const moved = new Map<number, number>();
  const rowAt = (place: number): number => moved.get(place) ?? rows[place]!;
  for (let left = rows.length; left > 0 && others.length < number; left--) {
    const place = random.integer(left);
    const row = rowAt(place);
    moved.set(place, rowAt(left - 1));
    if (allowed(row) && !others.includes(item[row]!)) others.push(item[row]!);
  }
}
