/** Parts of the test rows on which metrics are taken apart: a gain on the whole may come from a few rows. */
import { CourierError } from '../errors.ts';
import { equalCountBins } from './bins.ts';
import { type Scores, takeRows } from './rows.ts';

export interface Slice {
  /** What the rows are told apart by; each row is in one slice of a family. */
  readonly family: string;
  /** Unlike any other of the family. */
  readonly name: string;
  /** Positions among the test rows, ascending. Empty where the test rows have none of the kind. */
  readonly rows: Int32Array;
}

/** What metrics are computed from. (R) each */
export interface ScoredRows {
  readonly scores: Scores;
  readonly labels: Uint8Array;
  readonly users: Int32Array;
  readonly pageViews: Int32Array;
}

/** The scored rows of one slice. A page view of which a slice holds a part is ranked within that part. */
export function rowsOfSlice({ scores, labels, users, pageViews }: ScoredRows, { rows }: Slice): ScoredRows {
  return {
    scores: takeRows(scores, rows),
    labels: takeRows(labels, rows),
    users: takeRows(users, rows),
    pageViews: takeRows(pageViews, rows),
  };
}

/** @param cold 1 where the item was never clicked before the period of the page view, else 0. (R) */
export function itemHistorySlices(cold: ArrayLike<number>): readonly Slice[] {
  checkCounts('the cold items', cold);
  return [
    { family: 'item history', name: 'cold', rows: rowsWhere(cold, (value) => value > 0) },
    { family: 'item history', name: 'warm', rows: rowsWhere(cold, (value) => value === 0) },
  ];
}

/** @param clicks the user's clicks before the page view, as a number or its log1p. (R) */
export function userHistorySlices(clicks: ArrayLike<number>): readonly Slice[] {
  checkCounts('the clicks of users', clicks);
  return [
    { family: 'user history', name: 'new', rows: rowsWhere(clicks, (count) => count === 0) },
    { family: 'user history', name: 'returning', rows: rowsWhere(clicks, (count) => count > 0) },
  ];
}

/** @param seen 1 where the user was shown the item before or clicked it, else 0. (R) */
export function userItemSlices(seen: ArrayLike<number>): readonly Slice[] {
  checkCounts('what users have seen', seen);
  return [
    { family: 'user and item', name: 'seen before', rows: rowsWhere(seen, (value) => value > 0) },
    { family: 'user and item', name: 'not seen before', rows: rowsWhere(seen, (value) => value === 0) },
  ];
}

/**
 * The values with most rows, most first, equally many in the order of their codes; the rows of all others
 * together as "other".
 *
 * @param codes of each row, into `values`. (R)
 * @param most values that get a slice of their own
 */
export function categorySlices(
  name: string,
  values: readonly string[],
  codes: Int32Array,
  most = 10,
): readonly Slice[] {
  const family = `category ${name}`;
  const counts = new Int32Array(values.length);
  for (const code of codes) {
    if (!(code >= 0 && code < values.length)) throw invalid(`code ${code} of ${name} has no value`);
    counts[code]! += 1;
  }
  const present = Array.from(counts.keys()).filter((code) => counts[code]! > 0);
  present.sort((a, b) => counts[b]! - counts[a]! || a - b);
  const own = present.slice(0, most);
  const slices = own.map((code) => ({
    family,
    name: values[code]!,
    rows: rowsWhere(codes, (each) => each === code),
  }));
  const others = present.length - own.length;
  if (others === 0) return slices;
  const kept = new Set(own);
  const rows = rowsWhere(codes, (code) => !kept.has(code));
  return [...slices, { family, name: `other (${others} ${others === 1 ? 'value' : 'values'})`, rows }];
}

/**
 * Tenths of the rows by how often their items were clicked before, the least clicked first. Rows of equal
 * popularity stay together: where items never clicked fill three tenths, they are one slice, "1–3".
 *
 * @param itemClicks clicks on the row's item before the period of the page view, or their log1p. (R)
 */
export function popularitySlices(itemClicks: Scores): readonly Slice[] {
  checkCounts('the popularity of items', itemClicks);
  return equalCountBins(itemClicks, 10).map(({ first, last, rows }) => ({
    family: 'popularity decile',
    name: first === last ? `${first}` : `${first}–${last}`,
    rows: Int32Array.from(rows).sort(),
  }));
}

function rowsWhere(values: ArrayLike<number>, holds: (value: number) => boolean): Int32Array {
  const rows = new Int32Array(values.length);
  let length = 0;
  for (let row = 0; row < values.length; row++) if (holds(values[row]!)) rows[length++] = row;
  return rows.slice(0, length);
}

function checkCounts(what: string, counts: ArrayLike<number>): void {
  for (let row = 0; row < counts.length; row++) {
    if (!(counts[row]! >= 0)) throw invalid(`${what} in row ${row} are ${counts[row]}, not a number ≥ 0`);
  }
}

function invalid(what: string): CourierError {
  const remedy = 'Check the columns of the dataset, and ingest the log again.';
  return new CourierError('VALUE_INVALID', `The test rows cannot be sliced: ${what}.`, remedy);
}
