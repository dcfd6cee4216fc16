/** Area under the ROC curve, over all rows and within groups. */
import { type Grouping, groupByIds } from './groups.ts';
import { ascendingOrder } from './order.ts';
import { checkBothClasses, checkGroups, checkRows, type Scores, undefinedMetric } from './rows.ts';

/**
 * The probability that a clicked row scores higher than an unclicked one, ties counting half
 * (Mann and Whitney, 1947). O(R log R); takes one copy of the scores while it runs.
 *
 * @param scores any real numbers, larger meaning a likelier click. (R)
 * @param labels 1 for a click, 0 for none. (R)
 * @returns a number in [0, 1]
 * @throws CourierError METRIC_UNDEFINED for no rows or rows of one class; VALUE_INVALID for a score that is
 *   not a number, a label that is neither 0 nor 1, or different lengths
 */
export function auc(scores: Scores, labels: Uint8Array): number {
  checkRows('AUC', scores, labels);
  checkBothClasses('AUC', labels);
  return aucOfBothClasses(scores, labels);
}

export interface GroupedAuc {
  readonly gauc: number;
  readonly groupsCounted: number;
  /** Groups in which every row, or none, is clicked: their AUC is undefined. */
  readonly groupsLeftOut: number;
}

/**
 * Group AUC: the mean of the AUC within each group, weighted by the group's rows (impressions), groups of
 * one class left out (Zhu et al., Optimized Cost per Click in Taobao, KDD 2017, equation 17).
 *
 * @param groups the user, say, of each row; any integers. (R)
 * @throws CourierError as `auc` does, and METRIC_UNDEFINED when no group holds both classes
 */
export function gauc(scores: Scores, labels: Uint8Array, groups: Int32Array): GroupedAuc {
  checkRows('GAUC', scores, labels);
  checkGroups('GAUC', groups, scores.length);
  const grouping = groupByIds(groups);
  const { count, start } = grouping;
  let [weighted, impressions, groupsCounted] = [0, 0, 0];
  for (const [group, value] of aucOfGroups(scores, labels, grouping).entries()) {
    if (Number.isNaN(value)) continue;
    const size = start[group + 1]! - start[group]!;
    weighted += size * value;
    impressions += size;
    groupsCounted++;
  }
  return { gauc: weighted / impressions, groupsCounted, groupsLeftOut: count - groupsCounted };
}

/**
 * The AUC within each group, NaN for a group of one class. (G)
 * @param scores numbers, (R)
 * @param labels 0 or 1, (R)
 * @throws CourierError METRIC_UNDEFINED when no group holds both classes
 */
export function aucOfGroups(scores: Scores, labels: Uint8Array, groups: Grouping): Float64Array {
  const { count, ofRow, start } = groups;
  const clicks = new Int32Array(count);
  for (let row = 0; row < labels.length; row++) clicks[ofRow[row]!]! += labels[row]!;
  const values = halvesWithinGroups(scores, labels, groups).map((halves, group) => {
    const others = start[group + 1]! - start[group]! - clicks[group]!;
    return halves / (2 * clicks[group]! * others);
  });
  if (values.every(Number.isNaN)) {
    throw undefinedMetric('GAUC', `none of ${count} groups holds both clicked and unclicked rows`);
  }
  return values;
}

/**
 * Twice the pairs of a clicked and an unclicked row of a group in which the clicked one scores higher, equal scores counting
 * one: whole numbers, so that nothing is rounded. (G)
 */
export function halvesWithinGroups(
  scores: Scores,
  labels: Uint8Array,
  { count, ofRow }: Pick<Grouping, 'count' | 'ofRow'>,
): Float64Array {
  const order = ascendingOrder(scores);
  const halves = new Float64Array(count);
  /** Unclicked rows of each group that score lower, and that score the same. */
  const [below, equal] = [new Int32Array(count), new Int32Array(count)];
  for (let first = 0, next = 0; first < order.length; first = next) {
    for (; next < order.length && scores[order[next]!] === scores[order[first]!]; next++) {
      const row = order[next]!;
      if (labels[row] === 0) equal[ofRow[row]!]! += 1;
    }
    for (let rank = first; rank < next; rank++) {
      const [row, group] = [order[rank]!, ofRow[order[rank]!]!];
      if (labels[row] === 1) halves[group]! += 2 * below[group]! + equal[group]!;
    }
    for (let rank = first; rank < next; rank++) {
      const group = ofRow[order[rank]!]!;
      below[group]! += equal[group]!;
      equal[group] = 0;
    }
  }
  return halves;
}

function aucOfBothClasses(scores: Scores, labels: Uint8Array): number {
  const { clicked, unclicked } = sortedByClass(scores, labels);
  let [below, notAbove, halves] = [0, 0, 0];
  for (let rank = 0; rank < clicked.length; rank++) {
    const score = clicked[rank]!;
    while (below < unclicked.length && unclicked[below]! < score) below++;
    while (notAbove < unclicked.length && unclicked[notAbove]! <= score) notAbove++;
    halves += below + notAbove; // counted in halves, so that the sum stays an exact integer
  }
  return halves / (2 * clicked.length * unclicked.length);
}

/** Both in one copy of the scores, which is all the memory that the AUC of many rows needs. */
function sortedByClass(scores: Scores, labels: Uint8Array): { clicked: Scores; unclicked: Scores } {
  const copy = scores.slice();
  let [end, start] = [0, copy.length];
  for (let row = 0; row < scores.length; row++) {
    if (labels[row] === 1) copy[end++] = scores[row]!;
    else copy[--start] = scores[row]!;
  }
  return { clicked: copy.subarray(0, end).sort(), unclicked: copy.subarray(start).sort() };
}
