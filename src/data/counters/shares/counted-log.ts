/** What counters are told, of what they tell, and how their work is divided. */
import type { Clicks, UserEvents } from '../../clicks.ts';
import type { Part } from '../../parts.ts';
import type { CountedCategory } from '../counter-tables.ts';
import type { CounterSettings } from '../counters.ts';

/** A log as numbers. */
export interface CountedLog {
  readonly clicks: Clicks;
  /** What was shown; null where that is not known. */
  readonly shown: UserEvents | null;
  readonly settings: CounterSettings;
  readonly categories: readonly CountedCategory[];
  readonly pageViews: {
    readonly user: Int32Array;
    /** Ascending. */
    readonly time: Float64Array;
    readonly start: Int32Array;
  };
  /** Of each exposure. (R) */
  readonly item: Int32Array;
}

/** Some neighbouring shares of all keys: those that leave one of `from` … `to` − 1 when they are divided by `of`. */
export interface Shares {
  readonly from: number;
  readonly to: number;
  readonly of: number;
}

/** Columns in memory that threads share. */
export type SharedColumns = readonly Float32Array<SharedArrayBuffer>[];

/** Counters at work: part after part of a log. */
export interface Counting {
  /**
   * Computes the columns of the exposures of a part, which comes after those of all calls before.
   * @param columns (F) of (n)
   */
  fill(part: Part, columns: SharedColumns, signal?: AbortSignal): Promise<void>;
  /** Ends its threads; nothing is filled afterwards. */
  close(): Promise<void>;
}
