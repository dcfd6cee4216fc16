/** Area under the ROC curve, over all rows and within groups. */
import { groupRows } from './groups.ts';
import { checkBothClasses, checkGroups, checkRows, type Scores, undefinedMetric } from './rows.ts';

/**
 * The probability that a clicked row scores higher than an unclicked one, ties counting half
 * (Mann and Whitney, 1947). O(R log R).
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
  const { count, start, rows } = groupRows(groups);
  let [weighted, impressions, groupsCounted] = [0, 0, 0];
  for (let group = 0; group < count; group++) {
    const own = rows.subarray(start[group]!, start[group + 1]!);
    const ownLabels = Uint8Array.from(own, (row) => labels[row]!);
    if (!ownLabels.includes(0) || !ownLabels.includes(1)) continue;
    const ownScores = Float64Array.from(own, (row) => scores[row]!);
    weighted += own.length * aucOfBothClasses(ownScores, ownLabels);
    impressions += own.length;
    groupsCounted++;
  }
  if (groupsCounted === 0) {
    throw undefinedMetric('GAUC', `none of ${count} groups holds both clicked and unclicked rows`);
  }
  return { gauc: weighted / impressions, groupsCounted, groupsLeftOut: count - groupsCounted };
}

function aucOfBothClasses(scores: Scores, labels: Uint8Array): number {
  const clicked = sortedScores(scores, labels, 1);
  const unclicked = sortedScores(scores, labels, 0);
  let [below, notAbove, halves] = [0, 0, 0];
  for (const score of clicked) {
    while (below < unclicked.length && unclicked[below]! < score) below++;
    while (notAbove < unclicked.length && unclicked[notAbove]! <= score) notAbove++;
    halves += below + notAbove; // counted in halves, so that the sum stays an exact integer
  }
  return halves / (2 * clicked.length * unclicked.length);
}

function sortedScores(scores: Scores, labels: Uint8Array, label: 0 | 1): Float64Array {
  const chosen = new Float64Array(scores.length);
  let length = 0;
  for (let row = 0; row < scores.length; row++) {
    if (labels[row] === label) chosen[length++] = scores[row]!;
  }
  return chosen.subarray(0, length).sort();
}
