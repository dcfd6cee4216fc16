/** What is known of an exposure without looking at a photo; every counter from strictly earlier events. */
import { CourierError } from '../../errors.ts';
import { safePlace } from '../../progress.ts';
import type { Clicks, UserEvents } from '../clicks.ts';
import type { CategoricalColumn } from '../dataset.ts';
import { type CounterSettings, Counters } from './counters.ts';
import type { EventKind } from './decayed-counts.ts';

/** A feature that comes with the log, one value per exposure; NaN where it is missing. (R) */
export interface NumericColumn {
  readonly name: string;
  readonly values: Float64Array;
}

export interface FeatureInput {
  readonly clicks: Clicks;
  /** What was shown; null where that is not known. */
  readonly shown: UserEvents | null;
  readonly settings: CounterSettings;
  readonly categories: readonly CategoricalColumn[];
  readonly pageViews: {
    readonly user: Int32Array;
    /** Ascending. */
    readonly time: Float64Array;
    readonly start: Int32Array;
  };
  readonly item: Int32Array;
  readonly numeric: readonly NumericColumn[];
}

/**
 * Base features of exposures, some page views at a time, in the order of time: the columns of `Counters`, then the log's own, NaN
 * where missing.
 * @throws CourierError CONFIG_INVALID when two features have one name
 */
export class BaseFeatures {
  readonly names: readonly string[];
  /** Those of which a value was missing so far. */
  readonly missing = new Set<string>();
  readonly #input: FeatureInput;
  readonly #counters: Counters;
  readonly #observers: readonly ((time: number) => void)[];
  #described = 0;
  /** Memory of the last call, and of the one before. */
  #buffers: [Float32Array<ArrayBuffer>[], Float32Array<ArrayBuffer>[]] = [[], []];

  constructor(input: FeatureInput) {
    const { categories, clicks, shown, settings, numeric } = input;
    this.#input = input;
    this.#counters = new Counters({ categories, ...settings });
    this.#observers = [
      observer(this.#counters, 'exposure', shown),
      observer(this.#counters, 'click', clicks),
    ];
    const logged = numeric.map(({ name }) => name);
    this.names = [...this.#counters.names, ...logged];
    requireDistinct([...this.names, ...logged.map(missingName)]);
  }

  /**
   * One pass over time: what happened before a page view is observed, then its candidates are described.
   * @param until the next page view that is not described now
   * @returns (F) columns of the exposures of the page views since the last call, until the call after the next
   * @throws CourierError VALUE_INVALID for a value outside the range of a 32-bit float
   */
  async next(until: number, signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>[]> {
    const { pageViews, item, numeric } = this.#input;
    const first = pageViews.start[this.#described]!;
    const length = pageViews.start[until]! - first;
    const columns = this.#memory(length);
    const counted = this.#counters.names.length;
    const known = new Float64Array(counted);
    let paused = first;
    for (; this.#described < until; this.#described++) {
      // What was described before is written meanwhile, by callbacks that need this thread.
      if (pageViews.start[this.#described]! - paused > rowsBetweenPauses) {
        paused = pageViews.start[this.#described]!;
        await safePlace(signal);
      }
      const [user, time] = [pageViews.user[this.#described]!, pageViews.time[this.#described]!];
      for (const observeUntil of this.#observers) observeUntil(time);
      const end = pageViews.start[this.#described + 1]!;
      for (let row = pageViews.start[this.#described]!; row < end; row++) {
        this.#counters.describe(item[row]!, user, time, known);
        for (let column = 0; column < counted; column++) columns[column]![row - first] = known[column]!;
      }
    }
    for (const [place, { name, values }] of numeric.entries()) {
      const column = columns[counted + place]!;
      for (let row = 0; row < length; row++) {
        const value = values[first + row]!;
        column[row] = value;
        if (Number.isFinite(column[row]!)) continue;
        if (!Number.isNaN(value)) throw notFinite(name, value);
        this.missing.add(name);
      }
    }
    return columns;
  }

  /** Columns of so many rows, in the memory of the call before the last. */
  #memory(length: number): Float32Array<ArrayBuffer>[] {
    const [last, older] = this.#buffers;
    const enough = older.length > 0 && older[0]!.length >= length;
    const buffers = enough ? older : this.names.map(() => new Float32Array(length));
    this.#buffers = [buffers, last];
    return buffers.map((buffer) => buffer.subarray(0, length));
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

/** Exposures that are described without a pause. */
const rowsBetweenPauses = 256;

/** What the column that says where a number is missing is called. */
export function missingName(name: string): string {
  return `${name}_missing`;
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
