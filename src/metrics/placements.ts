/** How each row stands among those of the other class: what the AUC and its variance are made of. */
import { ascendingOrder } from './order.ts';
import type { Scores } from './rows.ts';

/**
 * For a clicked row twice the unclicked rows that score lower, for an unclicked row twice the clicked rows
 * that score higher, equal scores counting one: whole numbers, so that nothing is rounded (Sun and Xu, Fast
 * Implementation of DeLong's Algorithm, 2014). O(R). (R)
 */
export function halfPlacements(scores: Scores, labels: Uint8Array): Int32Array {
  const order = ascendingOrder(scores);
  const placements = new Int32Array(scores.length);
  let clickedAbove = 0;
  for (let row = 0; row < labels.length; row++) clickedAbove += labels[row]!;
  let [unclickedBelow, clicked, first] = [0, 0, 0];
  for (let rank = 0; rank < order.length; rank++) {
    const [row, next] = [order[rank]!, order[rank + 1]];
    clicked += labels[row]!;
    if (next !== undefined && scores[next] === scores[row]) continue;
    const unclicked = rank + 1 - first - clicked;
    clickedAbove -= clicked;
    for (let equal = first; equal <= rank; equal++) {
      const row = order[equal]!;
      placements[row] = labels[row] === 1 ? 2 * unclickedBelow + unclicked : 2 * clickedAbove + clicked;
    }
    unclickedBelow += unclicked;
    [first, clicked] = [rank + 1, 0];
  }
  return placements;
}
