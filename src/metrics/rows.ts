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

/** The values of some rows, in the order of the rows given. */
export function takeRows(values: Scores, rows: Int32Array): Scores;
export function takeRows(values: Uint8Array, rows: Int32Array): Uint8Array;
export function takeRows(values: Int32Array, rows: Int32Array): Int32Array;
export function takeRows(
  values: Scores | Uint8Array | Int32Array,
  rows: Int32Array,
): Scores | Uint8Array | Int32Array {
  const taken = emptyLike(values, rows.length);
  for (let place = 0; place < rows.length; place++) {
    const value = values[rows[place]!];
    if (value === undefined) throw new RangeError(`no row ${rows[place]} among ${values.length}`);
    taken[place] = value;
  }
  return taken;
}

function emptyLike(values: Scores | Uint8Array | Int32Array, length: number): typeof values {
  if (values instanceof Float32Array) return new Float32Array(length);
  if (values instanceof Float64Array) return new Float64Array(length);
  return values instanceof Int32Array ? new Int32Array(length) : new Uint8Array(length);
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
