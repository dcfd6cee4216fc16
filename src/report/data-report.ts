/** What a dataset holds: the report that people read before they believe any table. */
import type { IngestReport, Split } from '../data/dataset.ts';
import type { Photo } from './report.ts';

/** How often something was shown, and clicked. */
export interface Rate {
  readonly label: string;
  readonly exposures: number;
  readonly clicks: number;
  /** Clicks of exposures with its 95 % interval (Wilson, 1927), each 0 to 1. */
  readonly rate: number;
  readonly interval: readonly [number, number];
}

/** Click rates by the values of one thing, such as the position. */
export interface RateFamily {
  readonly name: string;
  readonly rates: readonly Rate[];
  /** Values that are not shown. */
  readonly others: number;
}

export interface Day {
  /** Such as 2024-03-01. */
  readonly day: string;
  readonly exposures: number;
  readonly clicks: number;
}

/** Something that must not be in the data, looked for. */
export interface LeakCheck {
  readonly what: string;
  readonly outcome:
    | { readonly kind: 'counted'; readonly found: number; readonly of: number; readonly isWrong: boolean }
    | { readonly kind: 'not possible'; readonly why: string };
}

export interface HeavyUser {
  readonly user: string;
  readonly exposures: number;
  readonly clicks: number;
  readonly why: string;
}

export interface RatedPhoto {
  readonly photo: Photo;
  readonly exposures: number;
  readonly clicks: number;
}

export interface DataReport {
  readonly dataset: string;
  readonly datasetHash: string;
  readonly command: string;
  readonly startedAt: string;
  readonly ingest: IngestReport;
  /** First and last page view, and where validation and test begin; ISO 8601. */
  readonly period: {
    readonly first: string;
    readonly last: string;
    readonly validationFrom: string;
    readonly testFrom: string;
  };
  readonly clickRate: number;
  readonly days: readonly Day[];
  readonly families: readonly RateFamily[];
  /** Of each split the share of page views by the number of items in their history: 0, 1, … */
  readonly histories: readonly { readonly split: Split; readonly shares: readonly number[] }[];
  /** Share of exposures, and of clicks, whose item has a photo. */
  readonly withPhoto: { readonly exposures: number; readonly clicks: number };
  readonly heavyUsers: readonly HeavyUser[];
  readonly leaks: readonly LeakCheck[];
  readonly mostClicked: readonly RatedPhoto[];
  readonly leastClicked: readonly RatedPhoto[];
}

/** Whether anything was found that makes tables on these data wrong. */
export function faultsOf({ leaks }: Pick<DataReport, 'leaks'>): readonly LeakCheck[] {
  return leaks.filter(({ outcome }) => outcome.kind === 'counted' && outcome.isWrong);
}
