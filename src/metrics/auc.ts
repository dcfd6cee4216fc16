/** Area under the ROC curve, over all rows and within groups. */
import { type Grouping, groupByIds } from './groups.ts';
import { checkBothClasses, checkGroups, checkRows, type Scores, takeRows, undefinedMetric } from './rows.ts';

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
export function aucOfGroups(
  scores: Scores,
  labels: Uint8Array,
  { count, start, rows }: Grouping,
): Float64Array {
  const [scoresByGroup, labelsByGroup] = [takeRows(scores, rows), takeRows(labels, rows)];
  const values = new Float64Array(count).fill(Number.NaN);
  for (let group = 0; group < count; group++) {
    const own = [start[group]!, start[group + 1]!] as const;
    const ownLabels = labelsByGroup.subarray(...own);
    if (!ownLabels.includes(0) || !ownLabels.includes(1)) continue;
    values[group] = aucOfBothClasses(scoresByGroup.subarray(...own), ownLabels);
  }
  if (values.every(Number.isNaN)) {
    throw undefinedMetric('GAUC', `none of ${count} groups holds both clicked and unclicked rows`);
  }
  return values;
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
