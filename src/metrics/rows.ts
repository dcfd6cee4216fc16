/** What every metric asks of its rows before it computes a number from them. */
import { CourierError } from '../errors.ts';

/** One number per row. (R) */
export type Scores = Float32Array | Float64Array;

/**
 * @throws CourierError METRIC_UNDEFINED when there are no rows; VALUE_INVALID when the lengths differ, a
 *   score is not a number, or a label is neither 0 nor 1
 */
export function checkRows(metric: string, scores: Scores, labels: Uint8Array): void {
  if (scores.length !== labels.length) {
    throw mismatch(metric, `${scores.length} scores`, `${labels.length} labels`);
  }
  if (scores.length === 0) throw undefinedMetric(metric, 'there are no rows');
  for (let row = 0; row < scores.length; row++) {
    if (Number.isNaN(scores[row]!)) throw invalid(metric, `the score of row ${row} is not a number`);
    if (labels[row]! > 1) throw invalid(metric, `the label of row ${row} is ${labels[row]}, not 0 or 1`);
  }
}

/** @throws CourierError METRIC_UNDEFINED when the labels are all 0 or all 1 */
export function checkBothClasses(metric: string, labels: Uint8Array): void {
  if (!labels.includes(1)) throw undefinedMetric(metric, 'no row is clicked');
  if (!labels.includes(0)) throw undefinedMetric(metric, 'every row is clicked');
}

/** @throws CourierError VALUE_INVALID when there is not one group for each row */
export function checkGroups(metric: string, groups: Int32Array, rows: number): void {
  if (groups.length !== rows) throw mismatch(metric, `${groups.length} groups`, `${rows} rows`);
}

export function undefinedMetric(metric: string, why: string): CourierError {
  const remedy = 'Evaluate on a larger or longer test period that holds clicked and unclicked exposures.';
  return new CourierError('METRIC_UNDEFINED', `${metric} is undefined: ${why}.`, remedy);
}

function invalid(metric: string, what: string): CourierError {
  const remedy = 'Check the model and the data that the scores come from.';
  return new CourierError('VALUE_INVALID', `${metric} cannot be computed: ${what}.`, remedy);
}

function mismatch(metric: string, one: string, other: string): CourierError {
  const remedy = 'Pass scores, labels and groups of the same rows in the same order.';
  return new CourierError('VALUE_INVALID', `${metric}: ${one} do not match ${other}.`, remedy);
}
