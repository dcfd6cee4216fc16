/** What `courier explain` found out about embeddings: the page shows it, and the JSON file holds it. */

import type { Measured } from '../metrics/measured.ts';
import type { AttentionSummary } from './attention-summary.ts';
import type { Example, Photo } from './report.ts';

/** A click with what it was rebuilt from. */
export interface ExplainedClick extends Example {
  readonly user: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  /** exp(entropy of the weights). */
  readonly effectiveItems: number;
}

/** The items nearest to one item, by each file of embeddings. */
export interface NeighbourComparison {
  readonly item: Photo;
  readonly sources: readonly {
    readonly name: string;
    /** The nearest first; null where the item has no embedding. */
    readonly neighbours: readonly { readonly photo: Photo; readonly cosine: number }[] | null;
  }[];
}

export interface MapPoint {
  readonly item: string;
  readonly x: number;
  readonly y: number;
  /** null for "unknown" and where the dataset has no category. */
  readonly category: string | null;
  /** Clicks over exposures of the training split; null for items with few exposures. */
  readonly clickRate: number | null;
}

/** Items by the two directions in which embeddings differ most. */
export interface EmbeddingMap {
  readonly source: string;
  /** Items with an embedding; `points` is a sample of them in random order. */
  readonly items: number;
  /** Shares of the variance along both directions. */
  readonly explained: readonly [number, number];
  /** Name of the category column. */
  readonly category: string | null;
  /** Exposures of the training split without which an item has no click rate. */
  readonly leastExposures: number;
  readonly points: readonly MapPoint[];
}

/** What clusters of embeddings tell about clicks beyond the category, in bits, on the training split. */
export interface InformationGain {
  /** Name of the category column; null where the dataset has none, and clusters are taken alone. */
  readonly category: string | null;
  readonly clusters: number;
  readonly exposures: number;
  /** H(click | category). */
  readonly clickEntropy: number;
  readonly permutations: number;
  readonly sources: readonly {
    readonly name: string;
    readonly plugIn: number;
    /** With the correction of Miller and Madow. */
    readonly corrected: number;
    /** The same of clusters dealt out anew among the items of each category. */
    readonly chance: { readonly mean: number; readonly high: number };
  }[];
}

export interface Explanation {
  readonly dataset: string;
  readonly command: string;
  readonly startedAt: string;
  readonly clicks: readonly ExplainedClick[];
  readonly attention: AttentionSummary;
  readonly neighbours: readonly NeighbourComparison[];
  readonly map: EmbeddingMap;
  /** A gap where the training period showed no item that has an embedding in every file. */
  readonly information: Measured<InformationGain>;
}
