/** The report of an evaluation: what `report.json` holds and what `report.html` shows. */
import type { Finding } from '../data/dataset.ts';
import type { ReliabilityBin } from '../metrics/calibration.ts';
import type { Lift, MeasuredLift, RowLift } from '../metrics/lift.ts';
import type { Measured } from '../metrics/measured.ts';
import type { Summary } from '../metrics/summary.ts';
import type { AttentionSummary } from './attention-summary.ts';

/**
 * Where training began: `warm`, a ranker without images went on with and without them, as happens to a model in
 * use; `scratch`, from nothing.
 */
export type Start = 'warm' | 'scratch';

/** What the embeddings of a row and its rankers took, all seeds together. */
export interface RowCost {
  /** Photos seen in training, each as often as it was seen; the first stage is counted wherever it is shared. */
  readonly images: number;
  /** Of making the embeddings, training included. */
  readonly embeddingSeconds: number;
  /** Of training the rankers of this row. */
  readonly rankerSeconds: number;
  /** Most that the process had taken when the embeddings were made. */
  readonly peakMemoryBytes: number;
}

/** Differences of the metrics, before the p-value of AUC is corrected for the lifts of other rows. */
export interface MeasuredLifts {
  readonly auc: MeasuredLift;
  readonly gauc: MeasuredLift;
  /** Less is better. */
  readonly logLoss: MeasuredLift;
  readonly ndcg: MeasuredLift;
}

/** The same; that of AUC is the lift that the report speaks of. */
export interface RowLifts extends MeasuredLifts {
  readonly auc: RowLift;
}

/** In the place of features: the row of base features added up without learning anything, which a ranker has to beat. */
export const withoutLearning = 'without-learning';

export interface ReportRow {
  /** How images enter the ranker: `none`, `vector`, `sim-score`, or several joined by `+`; or `withoutLearning`. */
  readonly features: string;
  /** Where the embeddings come from: `courier`, `random`, `pixel-pca`, `hog`; null without images. */
  readonly source: string | null;
  readonly start: Start;
  readonly seeds: readonly number[];
  /** On the test period, as are those that follow; a gap with its reason where the test rows do not define it. */
  readonly auc: Measured<Summary>;
  readonly gauc: Measured<Summary>;
  readonly logLoss: Measured<Summary>;
  /** Predicted over observed click rate. */
  readonly calibration: Measured<Summary>;
  /** NDCG@5 over page views with a click. */
  readonly ndcg: Measured<Summary>;
  /** What chose the weights of each ranker; where it is undefined, they are those of the last step. */
  readonly validationAuc: Measured<Summary>;
  /** Over the row without images that had the same start; null in those rows. */
  readonly lifts: RowLifts | null;
  /** The same on parts of the test rows; only for rows that began warm. */
  readonly slices: readonly SliceResult[];
  /** null without images, and where the embeddings came from a file. */
  readonly cost: RowCost | null;
}

/** What could not be computed, and why. Seeds of a row that are not among these stand in the table. */
export interface Failure {
  /** `tune` leaves the settings as they are given; `embed` loses all rows of the source and seed; the others lose what they name. */
  readonly stage: 'tune' | 'embed' | 'rank' | 'diagnose' | 'attend';
  /** null: the ranker without images. */
  readonly source: string | null;
  readonly features: string | null;
  readonly start: Start | null;
  /** null where no seed changes the result. */
  readonly seed: number | null;
  /** That of the error; `BUG` for what is no error of the user's. */
  readonly code: string;
  readonly message: string;
}

/** A row of COURIER against a row of another source that had the same start. */
export interface VersusOther {
  readonly start: Start;
  /** COURIER's row. */
  readonly features: string;
  readonly other: { readonly source: string; readonly features: string };
  /** The seeds that both rows have. */
  readonly seeds: readonly number[];
  /** How much better COURIER is; corrected among the comparisons of this kind. */
  readonly lift: RowLift;
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
  /** Row of the table: the best one by validation AUC that began warm, the first where that AUC is undefined. */
  readonly features: string;
  readonly source: string;
  readonly seed: number;
  /** Loss of validation AUC when the values of an input are dealt out anew among the exposures. */
  readonly importance: Measured<readonly InputLoss[]>;
  /** How far each category lets the visual side through, 0 to 1, and its test exposures. */
  readonly gates: readonly {
    readonly category: string;
    readonly opening: number;
    readonly exposures: number;
  }[];
  /** Predicted and observed click rate on the validation split, in bins of equal size. */
  readonly reliability: Measured<readonly ReliabilityBin[]>;
  /** With all inputs and without what categories tell; where its AUC is undefined, no ranker is trained for it. */
  readonly withoutCategories: Measured<readonly ImageGain[]>;
}

/** How much AUC an input is worth to a ranker. */
export interface InputLoss {
  readonly input: string;
  /** Whether it comes from photos. */
  readonly visual: boolean;
  readonly loss: number;
}

/** Validation AUC with and without images. */
export interface ImageGain {
  /** Whether the rankers have what categories tell. */
  readonly categories: boolean;
  readonly none: Summary;
  readonly withImages: Summary;
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
  /** Newest first. Weights are averaged over attention heads and sum to 1; cosines are with the clicked item. */
  readonly history: readonly { readonly photo: Photo; readonly weight: number; readonly cosine: number }[];
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

/** What embeddings know of the items and of the test period, and the AUC of SimScore alone on each period. */
export interface EmbeddingFigures {
  readonly source: string;
  readonly seed: number;
  /** Whether the encoder has seen clicks of the test period: then rows of this source are too good. */
  readonly leaks: boolean;
  /**
   * Of which part of the training period the encoder has seen clicks: of the older one alone, of the newer one too, on which rankers that began
   * warm went on; `none` for one that knows none, `unknown` where the file does not say.
   */
  readonly seen: 'older' | 'newer' | 'none' | 'unknown';
  /** Share of the items, of the test candidates, and of the test history places that have an embedding. */
  readonly items: Measured;
  readonly candidates: Measured;
  readonly history: Measured;
  /** Share of the test exposures of which candidate and history can be compared. Where it is 0 the row cannot differ. */
  readonly comparable: Measured;
  /** Whether all items that have an embedding have the same one: then the row cannot differ either. */
  readonly same: boolean;
  /** The older part of the training period. */
  readonly older: Measured;
  /** The newer part, on which rankers that began warm went on. */
  readonly newer: Measured;
  readonly validation: Measured;
}

/** Settings of pre-training that were searched for an objective on the validation period. */
export interface SettingsSearch {
  readonly objective: string;
  /** Settings tried in the first, shortest round. */
  readonly tried: number;
  /** Settings of the last round, the only ones that were trained to the end. */
  readonly finalRound: number;
  /** Those that the embeddings of the table were made with. */
  readonly settings: string;
  /** SimScore AUC on the validation period; null where it is undefined. */
  readonly score: number | null;
}

/** Settings of rankers that were tried on the one without images, and which of them all rows have. */
export interface SettingsChoice {
  readonly start: Start;
  readonly tried: readonly {
    /** Such as `ids none, epochs 8`. */
    readonly settings: string;
    readonly validationAuc: Measured;
  }[];
  /** Place among those tried. */
  readonly chosen: number;
}

/** A learned source's embeddings at a size, as a row of rankers has them. */
export interface SizeFigures {
  readonly source: string;
  /** Such as `64`, `int8`, `64-int8`; null for the whole ones. */
  readonly size: string | null;
  /** Of an embedding. */
  readonly bytes: number;
  /** Of SimScore on the validation period, by the first seed that has embeddings. */
  readonly simScoreAuc: Measured;
  readonly features: string;
  readonly start: Start;
  readonly auc: Measured<Summary>;
  readonly lift: RowLift;
}

/** Which sources went on to the rankers, by SimScore AUC on the validation period. */
export interface SourceScreening {
  /** The seed whose embeddings were looked at. */
  readonly seed: number;
  /** How many of the best went on. */
  readonly keep: number;
  /** The best first, those without a figure last. */
  readonly sources: readonly {
    readonly source: string;
    readonly simScoreAuc: Measured;
    /** Less that of the last of the best, on the exposures that both can compare; null for the best themselves. */
    readonly behind: MeasuredLift | null;
    /** Why it went on, or that it did not. */
    readonly verdict: 'best' | 'close' | 'asked for' | 'not known' | 'left out';
  }[];
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
  /** From when on (ms) the rankers that began warm learned, or why none did. */
  readonly warmStart: Measured;
  /** Base features that the row without learning adds up, such as `item_rate`; null for a dataset without such features. */
  readonly unlearned: readonly string[] | null;
  /** For each start; none where there was nothing to choose. */
  readonly choices: readonly SettingsChoice[];
  /** In the order of the table's sources; none where nothing was searched. */
  readonly searches: readonly SettingsSearch[];
  /** In the order of the table's sources. */
  readonly embeddings: readonly EmbeddingFigures[];
  readonly rows: readonly ReportRow[];
  /** Of the rows of learned sources that stand at several sizes; none unless that was asked for. */
  readonly sizes: readonly SizeFigures[];
  /** null where rankers were trained for all sources. */
  readonly screening: SourceScreening | null;
  /** One for each start, warm first; none without COURIER, without another source, or without a lift to tell the best by. */
  readonly versusBestOther: readonly VersusOther[];
  /** COURIER against every other source that is fed alike, in the order of the table. */
  readonly versusOthers: readonly VersusOther[];
  readonly failures: readonly Failure[];
  /** null where no ranker with images was trained, or nobody asked. */
  readonly diagnosis: Diagnosis | null;
  readonly curves: readonly Curve[];
  readonly examples: readonly Example[];
  readonly attention: AttentionCheck | null;
  /** Attention of all test clicks; absent where no COURIER was trained. */
  readonly attentionSummary?: AttentionSummary;
  readonly stages: readonly StageCost[];
  readonly manifest: Manifest;
}
