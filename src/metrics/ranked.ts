/** Scores sorted once, so that the AUC under any row weights is one linear pass. */
import type { Scores } from './rows.ts';

/**
 * Rows by ascending score, one integer each: owner × 4 + label × 2 + (1 for the last row of equal scores).
 * Packed, because the passes over it are bound by memory. (R)
 */
export type RankedRows = Uint32Array;

/**
 * @param owners the owner, say the user, that a row takes its weight from; below 2³⁰. (R)
 */
export function rankRows(scores: Scores, labels: Uint8Array, owners: Int32Array): RankedRows {
  const order = Uint32Array.from(scores, (_, row) => row);
  order.sort((a, b) => scores[a]! - scores[b]! || a - b);
  return order.map((row, rank) => {
    const next = order[rank + 1];
    const lastOfEquals = next === undefined || scores[next] !== scores[row];
    return owners[row]! * 4 + labels[row]! * 2 + (lastOfEquals ? 1 : 0);
  });
}

/**
 * AUC in which each row counts as often as its owner's weight says. O(R).
 *
 * @param weights integers ≥ 0, one for each owner
 * @returns NaN when the rows of positive weight hold one class only
 */
export function weightedAuc(ranked: RankedRows, weights: Int32Array): number {
  let [unclickedBelow, clickedTotal, halves] = [0, 0, 0];
  let [clicked, unclicked] = [0, 0]; // within the present run of equal scores
  for (const row of ranked) {
    const weight = weights[row >>> 2]!;
    if ((row & 2) !== 0) clicked += weight;
    else unclicked += weight;
    if ((row & 1) === 0) continue;
    halves += clicked * (2 * unclickedBelow + unclicked);
    unclickedBelow += unclicked;
    clickedTotal += clicked;
    clicked = 0;
    unclicked = 0;
  }
  return halves / (2 * clickedTotal * unclickedBelow);
}
