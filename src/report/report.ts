/** The report of an evaluation: what `report.json` holds and what `report.html` shows. */
import type { Finding } from '../data/dataset.ts';

/** Mean and sample standard deviation over seeds; `std` is null for a single seed. */
export interface Summary {
  readonly mean: number;
  readonly std: number | null;
}

/** How much better than the row without images, on the same test rows. */
export interface Lift {
  /** Difference of AUC, 0.01 being one point; mean over seeds. */
  readonly auc: number;
  /** Percentile interval of a paired bootstrap over users, seeds pooled as replicates. */
  readonly ci95: readonly [number, number];
  /** Two-sided p-value of the same bootstrap. */
  readonly p: number;
}

export interface ReportRow {
  /** How images enter the ranker: `none`, `vector`, `sim-score`. */
  readonly features: string;
  /** Where the embeddings come from: `courier`, `random`, `pixel-pca`, `hog`; null without images. */
  readonly objective: string | null;
  readonly seeds: readonly number[];
  readonly auc: Summary;
  readonly gauc: Summary;
  readonly logLoss: Summary;
  /** null in the first row, which the others are compared with. */
  readonly lift: Lift | null;
}

export interface Curve {
  /** Such as `pretrain: loss`. */
  readonly title: string;
  readonly yLabel: string;
  /** Such as `step`; the axis has no label without it. */
  readonly xLabel?: string;
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly (readonly [number, number])[];
  }[];
}

/** A photo in a strip, as a data URI, so that the page needs no other file; null when it is missing. */
export interface Photo {
  readonly item: string;
  readonly title: string | null;
  readonly dataUri: string | null;
}

/** One click of the test period and the earlier clicks it was rebuilt from. */
export interface Example {
  readonly clicked: Photo;
  /** Newest first. Weights are averaged over attention heads and sum to 1. */
  readonly history: readonly { readonly photo: Photo; readonly weight: number }[];
}

export interface StageCost {
  readonly stage: string;
  readonly seconds: number;
  readonly peakMemoryBytes: number;
  /** Such as `14,200 images, 431 images/s`. */
  readonly detail: string;
}

/** How often the largest attention weight lies on an earlier click of the same known taste. */
export interface AttentionCheck {
  readonly clicks: number;
  readonly hitRate: number;
  readonly chance: number;
}

export interface Manifest {
  readonly command: string;
  readonly seeds: readonly number[];
  readonly datasetHash: string;
  readonly config: unknown;
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: string;
  readonly startedAt: string;
}

export interface Report {
  readonly title: string;
  readonly dataset: {
    readonly name: string;
    readonly counts: Readonly<Record<string, number>>;
    readonly findings: readonly Finding[];
    readonly candidateSampling: string;
  };
  readonly testRows: number;
  readonly testUsers: number;
  readonly rows: readonly ReportRow[];
  readonly curves: readonly Curve[];
  readonly examples: readonly Example[];
  readonly attention: AttentionCheck | null;
  readonly stages: readonly StageCost[];
  readonly manifest: Manifest;
}
