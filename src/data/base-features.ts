/** What is known of an exposure without looking at a photo; every figure from strictly earlier clicks. */
import { CourierError } from '../errors.ts';
import { type Groups, groupRows } from '../groups.ts';
import { type Clicks, lowerBound } from './clicks.ts';
import type { CategoricalColumn } from './dataset.ts';
import type { Findings } from './findings.ts';

const day = 86_400_000;

/** A feature that comes with the log, one value per exposure; NaN where it is missing. (R) */
export interface NumericColumn {
  readonly name: string;
  readonly values: Float64Array;
}

export interface FeatureInput {
  readonly userCount: number;
  readonly clicks: Clicks;
  /** Popularity counts what was clicked before the period, in milliseconds, of the page view. */
  readonly counterPeriod: number;
  readonly categories: readonly CategoricalColumn[];
  readonly pageViews: {
    readonly user: Int32Array;
    readonly time: Float64Array;
    readonly split: Uint8Array;
    readonly start: Int32Array;
  };
  readonly item: Int32Array;
  readonly numeric: readonly NumericColumn[];
}

/**
 * Base features of all exposures, row-major. (R, F)
 *
 * Popularity of the item (log1p of its clicks in the last 7 and 30 days and ever, log1p of the days since
 * its first click, `cold` for an item never clicked before), log1p of the user's clicks, for each category
 * how often the candidate's value occurs among the user's earlier clicks (whether, and log1p of the count),
 * then the log's own columns, missing values replaced by the mean of the training split.
 * @throws CourierError CONFIG_INVALID when two features have one name, VALUE_INVALID for a value outside
 * the range of a 32-bit float
 */
export function baseFeatures(
  input: FeatureInput,
  findings: Findings,
): { numeric: Float32Array; numericNames: string[] } {
  const columns = [
    ...popularity(input),
    ...categoryMatches(input),
    ...input.numeric.flatMap((column) => filled(column, input, findings)),
  ];
  requireDistinctNames(columns);
  const numeric = new Float32Array(input.item.length * columns.length);
  for (const [feature, { name, values }] of columns.entries()) {
    for (let row = 0; row < values.length; row++) {
      const value = Math.fround(values[row]!);
      if (!Number.isFinite(value)) throw notFinite(name, values[row]!);
      numeric[row * columns.length + feature] = value;
    }
  }
  return { numeric, numericNames: columns.map(({ name }) => name) };
}

function popularity(input: FeatureInput): NumericColumn[] {
  const { clicks, pageViews, item } = input;
  const column = (name: string): NumericColumn => ({ name, values: new Float64Array(item.length) });
  const week = column('item_clicks_7d_log');
  const month = column('item_clicks_30d_log');
  const ever = column('item_clicks_log');
  const age = column('item_age_days_log');
  const cold = column('cold');
  const activity = column('user_clicks_log');
  const byItem = groupRows(clicks.item, 1 + Math.max(-1, maximum(item), maximum(clicks.item)));
  const byUser = groupRows(clicks.user, input.userCount);
  for (let pageView = 0; pageView < pageViews.user.length; pageView++) {
    const now = pageViews.time[pageView]!;
    const time = Math.floor(now / input.counterPeriod) * input.counterPeriod;
    const userClicks = countBetween(clicks, byUser, pageViews.user[pageView]!, Number.NEGATIVE_INFINITY, now);
    for (let row = pageViews.start[pageView]!; row < pageViews.start[pageView + 1]!; row++) {
      const candidate = item[row]!;
      const total = countBetween(clicks, byItem, candidate, Number.NEGATIVE_INFINITY, time);
      week.values[row] = Math.log1p(countBetween(clicks, byItem, candidate, time - 7 * day, time));
      month.values[row] = Math.log1p(countBetween(clicks, byItem, candidate, time - 30 * day, time));
      ever.values[row] = Math.log1p(total);
      age.values[row] = total === 0 ? 0 : Math.log1p((time - firstTime(clicks, byItem, candidate)) / day);
      cold.values[row] = total === 0 ? 1 : 0;
      activity.values[row] = Math.log1p(userClicks);
    }
  }
  return [week, month, ever, age, cold, activity];
}

/** Clicks of one key in [from, to). */
function countBetween(clicks: Clicks, groups: Groups, key: number, from: number, to: number): number {
  const timeAt = (position: number): number => clicks.time[groups.rows[position]!]!;
  const first = groups.start[key]!;
  const end = lowerBound(timeAt, to, first, groups.start[key + 1]!);
  return end - lowerBound(timeAt, from, first, end);
}

function firstTime(clicks: Clicks, groups: Groups, key: number): number {
  return clicks.time[groups.rows[groups.start[key]!]!]!;
}

/** Walks each user's page views in time order beside the user's clicks, so that every click counts once. */
function categoryMatches(input: FeatureInput): NumericColumn[] {
  const { clicks, pageViews, item } = input;
  const byUser = groupRows(clicks.user, input.userCount);
  const viewsByUser = groupRows(pageViews.user, input.userCount);
  return input.categories.flatMap(({ name, codes }) => {
    const occurs = new Float64Array(item.length);
    const count = new Float64Array(item.length);
    for (let user = 0; user < input.userCount; user++) {
      const counts = new Map<number, number>();
      let click = byUser.start[user]!;
      for (const pageView of viewsByUser.rows.subarray(
        viewsByUser.start[user],
        viewsByUser.start[user + 1],
      )) {
        const time = pageViews.time[pageView]!;
        for (; click < byUser.start[user + 1]! && clicks.time[byUser.rows[click]!]! < time; click++) {
          const code = codes[clicks.item[byUser.rows[click]!]!]!;
          counts.set(code, (counts.get(code) ?? 0) + 1);
        }
        for (let row = pageViews.start[pageView]!; row < pageViews.start[pageView + 1]!; row++) {
          const code = codes[item[row]!]!;
          const times = code === 0 ? 0 : (counts.get(code) ?? 0);
          occurs[row] = times > 0 ? 1 : 0;
          count[row] = Math.log1p(times);
        }
      }
    }
    return [
      { name: `${name}_in_history`, values: occurs },
      { name: `${name}_in_history_log`, values: count },
    ];
  });
}

function filled(column: NumericColumn, input: FeatureInput, findings: Findings): NumericColumn[] {
  const { name, values } = column;
  const missing = Float64Array.from(values, (value) => (Number.isNaN(value) ? 1 : 0));
  const missingCount = missing.reduce((sum, one) => sum + one, 0);
  if (missingCount === 0) return [column];
  const mean = trainingMean(values, input);
  const source = mean === undefined ? '0, for the training split has none' : 'the mean of the training split';
  findings.add(`Exposures without ${name}, filled with ${source}`, undefined, missingCount);
  const whole = values.map((value) => (Number.isNaN(value) ? (mean ?? 0) : value));
  return [
    { name, values: whole },
    { name: `${name}_missing`, values: missing },
  ];
}

function trainingMean(values: Float64Array, { pageViews }: FeatureInput): number | undefined {
  let sum = 0;
  let count = 0;
  for (let pageView = 0; pageView < pageViews.user.length; pageView++) {
    if (pageViews.split[pageView] !== 0) continue;
    for (let row = pageViews.start[pageView]!; row < pageViews.start[pageView + 1]!; row++) {
      if (Number.isNaN(values[row]!)) continue;
      sum += values[row]!;
      count++;
    }
  }
  return count === 0 ? undefined : sum / count;
}

function maximum(values: Int32Array): number {
  return values.reduce((most, value) => Math.max(most, value), -1);
}

function requireDistinctNames(columns: readonly NumericColumn[]): void {
  const seen = new Set<string>();
  for (const { name } of columns) {
    const same = name.toLowerCase();
    if (seen.has(same)) {
      throw new CourierError(
        'CONFIG_INVALID',
        `Two numeric features are called ${name}; upper and lower case count as the same.`,
        'Rename the column of the log or the catalogue.',
      );
    }
    seen.add(same);
  }
}

function notFinite(name: string, value: number): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `Feature ${name} has the value ${value}, which a 32-bit float cannot hold.`,
    'Correct the column in the log.',
  );
}
