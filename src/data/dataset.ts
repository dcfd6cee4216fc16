/**
 * An ingested dataset: the catalogue, the page views with their exposures, and the decoded photos.
 *
 * Letters used in shapes: N items, P page views, R exposures (rows), H history length, F numeric features,
 * M photos in the cache, S their side in pixels.
 */
import type { Measured } from '../metrics/measured.ts';
import type { Clicks } from './clicks.ts';
import type { NumericRows } from './counters/numeric-rows.ts';
import type { ImageCache } from './photos/image-cache.ts';

export const splits = ['train', 'validation', 'test'] as const;
export type Split = (typeof splits)[number];

/** Marks an empty place in an index array: no history item, no photo. */
export const NONE = -1;

/** One categorical column, dictionary-encoded. Code 0 is "unknown"; `values[code]` is the text. */
export interface CategoricalColumn {
  readonly name: string;
  readonly values: readonly string[];
  readonly codes: Int32Array;
}

export interface Catalogue {
  /** Item ids as the shop writes them; everything else refers to an item by its index here. */
  readonly ids: readonly string[];
  /** Row of the item's photo in the image cache, or NONE. (N) */
  readonly photo: Int32Array;
  readonly titles: readonly (string | null)[];
  /** Category columns, such as product type or colour. (N) each */
  readonly categories: readonly CategoricalColumn[];
}

export interface PageViews {
  /** Index into `Dataset.users`. (P) */
  readonly user: Int32Array;
  /** Milliseconds since 1970-01-01 UTC. Ascending. (P) */
  readonly time: Float64Array;
  /** Index into `splits`. (P) */
  readonly split: Uint8Array;
  /** Exposures of page view p are the rows start[p] … start[p + 1] - 1. (P + 1) */
  readonly start: Int32Array;
  /** Items clicked strictly before, newest first, each once, padded with NONE. (P, H) */
  readonly history: Int32Array;
  readonly historyLength: number;
}

export interface Exposures {
  readonly item: Int32Array;
  readonly clicked: Uint8Array;
  readonly numeric: NumericRows;
  /** Categorical columns of the event or the user, such as sales channel or age. (R) each */
  readonly context: readonly CategoricalColumn[];
}

/** Begin of the later splits, milliseconds since 1970-01-01 UTC: a page view at such a time belongs to the split. */
export interface SplitTimes {
  readonly validationFrom: number;
  readonly testFrom: number;
}

/** Exposures as a log has them. (R) each */
export interface LoggedExposures {
  /** The row of the log, the first after the header being 1; of several that became one exposure the first. */
  readonly row: Float64Array;
  /** When it was shown. Milliseconds. */
  readonly time: Float64Array;
  /** When it was clicked; the same as `time` where it was not. Milliseconds. */
  readonly clickedAt: Float64Array;
}

/** What is kept of exposures beside their base features. */
export interface ExposureTable {
  readonly item: Int32Array;
  readonly clicked: Uint8Array;
  readonly context: readonly CategoricalColumn[];
  readonly logged: LoggedExposures | null;
}

export interface Dataset {
  readonly name: string;
  /** SHA-256 over every file of the dataset folder: two datasets with equal hashes are equal. */
  readonly hash: string;
  readonly catalogue: Catalogue;
  readonly users: readonly string[];
  readonly pageViews: PageViews;
  readonly splitTimes: SplitTimes;
  readonly exposures: Exposures;
  /** What was clicked of the exposures, and when: what histories longer than those of page views are made of. */
  readonly clicks: Clicks;
  readonly images: ImageCache;
  readonly report: IngestReport;
}

/** What ingestion met on its way: shown to the user and kept beside the data. */
export interface IngestReport {
  readonly counts: Readonly<Record<string, number>>;
  /** Things that were missing, corrupt, duplicate or skipped, with a few examples each. */
  readonly findings: readonly Finding[];
  /** What was understood of the files: times, and how well log, catalogue and photos meet. */
  readonly understood: readonly string[];
  /** How candidates were chosen: exposed by the shop, or sampled, and from what. */
  readonly candidateSampling: string;
  /** How clicked and unclicked candidates differ without a look at them; a record for each split. */
  readonly candidates: readonly CandidateFigures[];
}

export interface CandidateFigures {
  readonly split: Split;
  readonly clicked: CandidateSide;
  readonly unclicked: CandidateSide;
  /** AUC of the number of clicks of the item before the page view, 0 to 1. */
  readonly popularityAuc: Measured;
}

export interface CandidateSide {
  readonly exposures: number;
  /** Share of items never clicked before the page view, 0 to 1. */
  readonly coldShare: Measured;
}

export interface Finding {
  readonly what: string;
  readonly count: number;
  readonly examples: readonly string[];
}

/** The part of a dataset that features look at. */
export type FeatureData = Pick<Dataset, 'catalogue' | 'pageViews' | 'exposures' | 'clicks'>;

/**
 * Whether two items show one photo, as an item and itself do. That they look alike is no knowledge of a photo: where a user
 * clicks things again, it tells clicks from others whatever an encoder sees.
 */
export function showSamePhoto({ photo }: Pick<Catalogue, 'photo'>, a: number, b: number): boolean {
  return a === b || (photo[a] !== NONE && photo[a] === photo[b]);
}

/** The split of a page view, as an index into `splits`. */
export function splitAt(time: number, { validationFrom, testFrom }: SplitTimes): number {
  return time >= testFrom ? 2 : time >= validationFrom ? 1 : 0;
}

/** By the `start` that they follow from: all who ask share them. */
const pageViewsOfRows = new WeakMap<Int32Array, Int32Array>();

/** The page view of every exposure, to be read alone. (R) */
export function pageViewOfRows({
  pageViews,
  exposures,
}: Pick<FeatureData, 'pageViews' | 'exposures'>): Int32Array {
  const { start } = pageViews;
  const known = pageViewsOfRows.get(start);
  if (known !== undefined) return known;
  const pageViewOf = new Int32Array(exposures.item.length);
  for (let pageView = 0; pageView < pageViews.user.length; pageView++) {
    pageViewOf.fill(pageView, start[pageView], start[pageView + 1]);
  }
  pageViewsOfRows.set(start, pageViewOf);
  return pageViewOf;
}
