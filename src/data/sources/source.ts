/** What an adapter makes of a shop's files; everything after it is the same for every shop. */
import type { z } from 'zod';
import type { Clicks, UserEvents } from '../clicks.ts';
import type { NumericColumn } from '../counters/base-features.ts';
import type { CategoricalColumn, Finding, LoggedExposures, SplitTimes } from '../dataset.ts';
import type { PhotoInput } from '../photos/photo-file.ts';

export interface SourceItem {
  /** The id as the shop writes it. */
  readonly id: string;
  /** Its photo, which need not exist. */
  readonly photo: PhotoInput | null;
  readonly title: string | null;
  /** One text per category column. */
  readonly categories: readonly (string | null)[];
}

export interface SourcePageViews {
  /** Index into users. (P) */
  readonly user: Int32Array;
  /** Milliseconds since 1970-01-01 UTC. Ascending. (P) */
  readonly time: Float64Array;
  /** Where the later splits begin; null for after 80 % and 90 % of the page views. */
  readonly splitTimes: SplitTimes | null;
  /** Candidates of page view p are start[p] … start[p + 1] - 1. (P + 1) */
  readonly start: Int32Array;
  /** Categorical columns of the page view, such as the sales channel. (P) each */
  readonly context: readonly CategoricalColumn[];
}

export interface SourceExposures {
  /** Index into items; no item twice in a page view. (R) */
  readonly item: Int32Array;
  readonly clicked: Uint8Array;
  /** Where each stands in the log; null where exposures are drawn. */
  readonly logged: LoggedExposures | null;
  /** What the log knows of an exposure. (R) each, NaN where missing */
  readonly numeric: readonly NumericColumn[];
}

export interface SourceData {
  readonly users: readonly string[];
  readonly items: readonly SourceItem[];
  readonly categoryNames: readonly string[];
  /** Positive events: histories and counters are made of them. */
  readonly clicks: Clicks;
  /**
   * What was shown, each click among it, at the time of the showing: counters of exposures and click rates are made of it. Null
   * where that is not known, as with sampled candidates: then there are counters of clicks only.
   */
  readonly shown: UserEvents | null;
  /**
   * Counters that users share know only the periods of this length before the page view's own: a day for a log
   * that knows days only, 1 for one that knows moments. Milliseconds.
   */
  readonly counterPeriod: number;
  readonly pageViews: SourcePageViews;
  readonly exposures: SourceExposures;
  /** Items clicked before each page view as the log itself has them, newest first, each once, padded with NONE (P, H); null where it has none. */
  readonly history: Int32Array | null;
  /** How the candidates came about, in words for the report. */
  readonly candidateSampling: string;
  /** Whether that was a draw, which must not tell the clicked ones from the others, and not what people saw. */
  readonly candidatesAreSampled: boolean;
  /** What was understood of the files, in words for the report. */
  readonly understood: readonly string[];
  readonly findings: readonly Finding[];
}

export interface SourceContext {
  readonly seed: number;
  /** Largest share of rows that may be skipped, 0 to 1. */
  readonly maxBadRows: number;
  /** Items that are kept of a history. */
  readonly historyLength: number;
  /** Ids of the dataset that the log is appended to, in their order: those of the log come after them. */
  readonly before?: { readonly users: readonly string[]; readonly items: readonly string[] } | undefined;
  /** A folder for what has to wait until photos are decoded; it goes when the dataset is made. */
  readonly scratch: string;
  /** Stops reading. */
  readonly signal?: AbortSignal | undefined;
}

/** Rows of a log that are parsed without a pause: some tens of milliseconds. */
export const rowsBetweenSafePlaces = 16_384;

/** One way to read a shop. Registered in index.ts, and held to the contract in sources.test.ts. */
export interface Source<Options> {
  /** Options of this adapter only; it strips those that every adapter has. */
  readonly options: z.ZodType<Options>;
  /** Name of a dataset for which the user gave none. */
  name(options: Options): string;
  /** Every file and folder that `read` depends on. */
  inputs(options: Options): Promise<readonly string[]>;
  read(options: Options, context: SourceContext): Promise<SourceData>;
}

/** An adapter with its options. */
export interface OpenSource {
  readonly name: string;
  inputs(): Promise<readonly string[]>;
  read(context: SourceContext): Promise<SourceData>;
}

/** Ties an adapter to the configuration it is chosen by, whatever its options are. */
export function opener<Options>(source: Source<Options>): (config: unknown) => OpenSource {
  return (config) => {
    const options = source.options.parse(config);
    return {
      name: source.name(options),
      inputs: () => source.inputs(options),
      read: (context) => source.read(options, context),
    };
  };
}
