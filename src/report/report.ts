/** The report of an evaluation: what `report.json` holds and what `report.html` shows. */
import type { Finding } from '../data/dataset.ts';

/** Mean and sample standard deviation over seeds; `std` is null for a single seed. */
export interface Summary {
  readonly mean: number;
  readonly std: number | null;
}

/** How much better than the row without images that had the same start, on the same test rows. */
export interface Lift {
  /** Difference of AUC, 0.01 being one point; mean over seeds. */
  readonly auc: number;
  /** Percentile interval of a paired bootstrap over users, seeds pooled as replicates. */
  readonly ci95: readonly [number, number];
  /** Two-sided p-value of the same bootstrap. */
  readonly p: number;
}

/** The lift of a row of the table, which is one of several that were looked at. */
export interface RowLift extends Lift {
  /** The p-value after Holm's correction for all lifts of the table. */
  readonly pCorrected: number;
  /** Two-sided p-value of DeLong's test, which takes rows for independent and the seeds for one and the same. */
  readonly pDeLong: number;
}

/**
 * Where training began: `warm`, a ranker without images went on with and without them, as happens to a model in
 * use; `scratch`, from nothing.
 */
export type Start = 'warm' | 'scratch';

export interface ReportRow {
  /** How images enter the ranker: `none`, `vector`, `sim-score`, or several joined by `+`. */
  readonly features: string;
  /** Where the embeddings come from: `courier`, `random`, `pixel-pca`, `hog`; null without images. */
  readonly objective: string | null;
  readonly start: Start;
  readonly seeds: readonly number[];
  readonly auc: Summary;
  readonly gauc: Summary;
  readonly logLoss: Summary;
  /** Predicted over observed click rate. */
  readonly calibration: Summary;
  /** NDCG@5 over page views with a click. */
  readonly ndcg: Summary;
  /** null in the rows without images, which the others are compared with. */
  readonly lift: RowLift | null;
  /** The same on parts of the test rows; only for rows that began warm. */
  readonly slices: readonly SliceResult[];
}

/** AUC and lift on a part of the test rows, or why there is none. */
export type SliceResult = {
  /** What parts are told apart by, such as `item history`. */
  readonly family: string;
  readonly name: string;
  readonly exposures: number;
} & (
  | { readonly kind: 'value'; readonly auc: Summary; readonly lift: Lift | null }
  | { readonly kind: 'undefined'; readonly why: string }
);

/** What a trained ranker with images rests on; from the validation split, but for the counts of `gates`. */
export interface Diagnosis {
  /** Row of the table: the best one by validation AUC that began warm. */
  readonly features: string;
  readonly objective: string;
  readonly seed: number;
  /** Loss of validation AUC when the values of an input are dealt out anew among the exposures. */
  readonly importance: readonly { readonly input: string; readonly visual: boolean; readonly loss: number }[];
  /** How far each category lets the visual side through, 0 to 1, and its test exposures. */
  readonly gates: readonly {
    readonly category: string;
    readonly opening: number;
    readonly exposures: number;
  }[];
  /** Predicted and observed click rate on the validation split, in bins of equal size. */
  readonly reliability: readonly {
    readonly meanPrediction: number;
    readonly observedRate: number;
    readonly count: number;
  }[];
  /** Validation AUC with and without images, with all inputs and without what categories tell. */
  readonly withoutCategories: readonly {
    readonly categories: boolean;
    readonly none: Summary;
    readonly withImages: Summary;
  }[];
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
  /** null where no ranker with images was trained, or nobody asked. */
  readonly diagnosis: Diagnosis | null;
  readonly curves: readonly Curve[];
  readonly examples: readonly Example[];
  readonly attention: AttentionCheck | null;
  readonly stages: readonly StageCost[];
  readonly manifest: Manifest;
}
