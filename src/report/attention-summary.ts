/** What is known of the attention of all clicks of a split. */
import type { Split } from '../data/dataset.ts';

/** The mean over clicks of a rank correlation, and how it is spread. */
export interface CorrelationSummary {
  /** Clicks for which there is one: several earlier clicks that differ. */
  readonly clicks: number;
  readonly mean: number;
  /** Over users; null where there is one user only, or all are the same. */
  readonly ci95: readonly [number, number] | null;
  /** Numbers of clicks by correlation, in bins around −1, −0.9, … 1. */
  readonly histogram: readonly { readonly around: number; readonly clicks: number }[];
}

/** Attention of all clicks of a split. */
export interface AttentionSummary {
  readonly split: Split;
  readonly clicks: number;
  readonly users: number;
  /** Mean number of earlier clicks with an embedding, within the places of the encoder's history. */
  readonly historyItems: number;
  /** Mean of exp(entropy of the weights): how many earlier clicks carry the attention. */
  readonly effectiveItems: number;
  /** Quantiles of exp(entropy) among the clicks with so many earlier clicks. */
  readonly concentration: readonly {
    readonly historyItems: number;
    readonly clicks: number;
    readonly p5: number;
    readonly p25: number;
    readonly median: number;
    readonly p75: number;
    readonly p95: number;
  }[];
  /** Of attention weights and cosines with the clicked item; null where no click has one. */
  readonly similarity: CorrelationSummary | null;
  /** Of attention weights and how recent the earlier clicks are. */
  readonly recency: CorrelationSummary | null;
}
