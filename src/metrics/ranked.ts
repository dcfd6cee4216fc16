/** Scores sorted once, so that the AUC under any row weights is one linear pass. */
import { ascendingOrder } from './order.ts';
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
  const ranked = ascendingOrder(scores);
  for (let rank = 0; rank < ranked.length; rank++) {
    const row = ranked[rank]!;
    const next = ranked[rank + 1];
    const lastOfEquals = next === undefined || scores[next] !== scores[row];
    ranked[rank] = owners[row]! * 4 + labels[row]! * 2 + (lastOfEquals ? 1 : 0);
  }
  return ranked;
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
  // By index: an iterator takes twice as long, and the bootstrap spends its time here.
  for (let rank = 0; rank < ranked.length; rank++) {
    const row = ranked[rank]!;
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
