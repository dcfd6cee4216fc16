/** What is known of an exposure without looking at a photo; every counter from strictly earlier events. */
import { CourierError } from '../errors.ts';
import type { Clicks, UserEvents } from './clicks.ts';
import { Counters } from './counters.ts';
import type { CategoricalColumn } from './dataset.ts';
import type { EventKind } from './decayed-counts.ts';
import type { Findings } from './findings.ts';

/** A feature that comes with the log, one value per exposure; NaN where it is missing. (R) */
export interface NumericColumn {
  readonly name: string;
  readonly values: Float64Array;
}

export interface FeatureInput {
  readonly clicks: Clicks;
  /** What was shown; null where that is not known. */
  readonly shown: UserEvents | null;
  /** Counters of items know only the periods of this length before the page view's own. Milliseconds. */
  readonly counterPeriod: number;
  /** An event counts this long after it happened. Milliseconds. */
  readonly counterLag: number;
  readonly categories: readonly CategoricalColumn[];
  readonly pageViews: {
    readonly user: Int32Array;
    /** Ascending. */
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
 * The columns of `Counters`, then the log's own, missing values replaced by the mean of the training split.
 * @throws CourierError CONFIG_INVALID when two features have one name, VALUE_INVALID for a value outside
 * the range of a 32-bit float
 */
export function baseFeatures(
  input: FeatureInput,
  findings: Findings,
): { numeric: Float32Array; numericNames: string[] } {
  const { categories, shown, counterLag: lag, counterPeriod: period, item } = input;
  const counters = new Counters({ categories, withExposures: shown !== null, lag, period });
  const logged = input.numeric.flatMap((column) => filled(column, input, findings));
  const numericNames = [...counters.names, ...logged.map(({ name }) => name)];
  requireDistinct(numericNames);
  const width = numericNames.length;
  const numeric = new Float32Array(item.length * width);
  describeAll(counters, input, (row, values) => numeric.set(values, row * width));
  for (const [feature, { name, values }] of logged.entries()) {
    for (let row = 0; row < values.length; row++) {
      const value = Math.fround(values[row]!);
      if (!Number.isFinite(value)) throw notFinite(name, values[row]!);
      numeric[row * width + counters.names.length + feature] = value;
    }
  }
  return { numeric, numericNames };
}

/** One pass over time: what happened before a page view is observed, then its candidates are described. */
function describeAll(
  counters: Counters,
  { clicks, shown, pageViews, item }: FeatureInput,
  use: (row: number, values: readonly number[]) => void,
): void {
  const observers = [observer(counters, 'exposure', shown), observer(counters, 'click', clicks)];
  for (let pageView = 0; pageView < pageViews.user.length; pageView++) {
    const [user, time] = [pageViews.user[pageView]!, pageViews.time[pageView]!];
    for (const observeUntil of observers) observeUntil(time);
    for (let row = pageViews.start[pageView]!; row < pageViews.start[pageView + 1]!; row++) {
      use(row, counters.describe(item[row]!, user, time));
    }
  }
}

/** Tells the counters all events before a time that they were not told. */
function observer(counters: Counters, kind: EventKind, events: UserEvents | null): (time: number) => void {
  let next = 0;
  return (time) => {
    if (events === null) return;
    for (; next < events.time.length && events.time[next]! < time; next++) {
      const [user, item] = [events.user[next]!, events.item[next]!];
      counters.observe({ kind, user, item, time: events.time[next]! });
    }
  };
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

function requireDistinct(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
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
