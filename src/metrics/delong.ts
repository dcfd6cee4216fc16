/** Do two models that score the same rows differ in AUC? The answer without resampling. */
import { normalQuantile975, upperTail } from './normal.ts';
import { halfPlacements } from './placements.ts';
import { checkRows, type Scores, undefinedMetric } from './rows.ts';

export interface DeLongTest {
  /** Of the baseline and of the treatment. */
  readonly aucs: readonly [number, number];
  /** AUC of the treatment less AUC of the baseline; 0.01 is one point. */
  readonly difference: number;
  /** Of the difference. */
  readonly variance: number;
  /** The difference in standard errors. */
  readonly z: number;
  /** Two-sided; 0 where z is beyond 38, for such a p is less than the least number. */
  readonly p: number;
  readonly ci95: readonly [number, number];
}

/**
 * The test of DeLong, DeLong and Clarke-Pearson (Comparing the Areas under Two or More Correlated Receiver
 * Operating Characteristic Curves, 1988), its placements found by sorting instead of by pairs (Sun and Xu,
 * Fast Implementation of DeLong's Algorithm, 2014). O(R log R).
 *
 * It takes rows to be independent. Where one user has several rows, it makes the interval too narrow, and the
 * clustered variance of `aucInfluence` is the one to trust.
 *
 * @param baseline scores, larger meaning a likelier click. (R)
 * @param treatment scores of the same rows by the other model. (R)
 * @param labels 1 for a click, 0 for none; fewer than 2³⁰. (R)
 * @throws CourierError METRIC_UNDEFINED for fewer than two clicked or two unclicked rows, or when the rows show
 *   no variance though the AUCs differ; VALUE_INVALID for a score that is not a number, a label that is neither
 *   0 nor 1, or different lengths
 */
export function deLongTest(baseline: Scores, treatment: Scores, labels: Uint8Array): DeLongTest {
  const metric = 'The DeLong test';
  checkRows(metric, baseline, labels);
  checkRows(metric, treatment, labels);
  let clicked = 0;
  for (let row = 0; row < labels.length; row++) clicked += labels[row]!;
  const unclicked = labels.length - clicked;
  if (Math.min(clicked, unclicked) < 2) {
    throw undefinedMetric(
      metric,
      `there are ${clicked} clicked and ${unclicked} unclicked rows, not two of each`,
    );
  }
  const [before, change] = [halfPlacements(baseline, labels), halfPlacements(treatment, labels)];
  const pairs = clicked * unclicked;
  const aucs = [
    sumOfClicked(before, labels) / (2 * pairs),
    sumOfClicked(change, labels) / (2 * pairs),
  ] as const;
  const difference = aucs[1] - aucs[0];
  for (let row = 0; row < change.length; row++) change[row]! -= before[row]!;
  // A placement is a share of the rows of the other class, here counted in half rows.
  const variance =
    sampleVariance(change, labels, 1, clicked) / clicked / (2 * unclicked) ** 2 +
    sampleVariance(change, labels, 0, unclicked) / unclicked / (2 * clicked) ** 2;
  if (variance === 0 && difference !== 0) {
    throw undefinedMetric(metric, `the AUCs differ by ${difference}, but by as much in every row`);
  }
  const error = Math.sqrt(variance);
  const z = error === 0 ? 0 : difference / error;
  const reach = normalQuantile975 * error;
  const ci95 = [difference - reach, difference + reach] as const;
  return { aucs, difference, variance, z, p: 2 * upperTail(Math.abs(z)), ci95 };
}

function sumOfClicked(placements: Int32Array, labels: Uint8Array): number {
  let sum = 0;
  for (let row = 0; row < labels.length; row++) if (labels[row] === 1) sum += placements[row]!;
  return sum;
}

/** Of the rows with one label. */
function sampleVariance(values: Int32Array, labels: Uint8Array, label: 0 | 1, count: number): number {
  let sum = 0;
  for (let row = 0; row < values.length; row++) if (labels[row] === label) sum += values[row]!;
  const mean = sum / count;
  let squares = 0;
  for (let row = 0; row < values.length; row++) {
    if (labels[row] === label) squares += (values[row]! - mean) ** 2;
  }
  return squares / (count - 1);
}
