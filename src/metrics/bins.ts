/** Rows cut into bins of equally many by some value. */
import { ascendingOrder } from './order.ts';
import type { Scores } from './rows.ts';

export interface Bin {
  /** Of the parts wanted, counted from 1, the first and the last that this bin holds. */
  readonly first: number;
  readonly last: number;
  /** Rows in ascending order of their values. */
  readonly rows: Uint32Array;
}

/**
 * Cuts the rows, ordered by value, into `parts` of equally many. Rows of equal value are never parted: a cut
 * that falls among them moves up to their end, and parts whose cuts meet become one bin. So the bins do not
 * depend on the order in which the rows come.
 *
 * @param values anything but NaN. (R)
 * @param parts a whole number ≥ 1
 */
export function equalCountBins(values: Scores, parts: number): readonly Bin[] {
  const order = ascendingOrder(values);
  const bins: Bin[] = [];
  let start = 0;
  for (let part = 1; part <= parts; part++) {
    const cut = Math.round((part * order.length) / parts);
    const end = endOfEquals(values, order, Math.max(start, cut));
    const before = bins.at(-1);
    if (end > start)
      bins.push({ first: (before?.last ?? 0) + 1, last: part, rows: order.subarray(start, end) });
    else if (before !== undefined) bins[bins.length - 1] = { ...before, last: part };
    start = end;
  }
  return bins;
}

/** The cut itself, or the end of the equal values that it would part. */
function endOfEquals(values: Scores, order: Uint32Array, cut: number): number {
  let end = cut;
  while (end > 0 && end < order.length && values[order[end]!] === values[order[end - 1]!]) end++;
  return end;
}
