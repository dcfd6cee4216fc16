/** What a service is asked and what it answers. */
import type { ShopEvent } from './events.ts';
import type { Histogram } from './format.ts';

export interface ScoreRequest {
  /** Id of the user: without one, or with one that is not known, what is known of all users is used. */
  readonly user?: string | null | undefined;
  /** Ids of the items clicked before, newest first; left out, those that the service knows of the user. */
  readonly history?: readonly string[] | undefined;
  /** Ids of the items to score: those that are not in the catalogue are scored as any new item. (n) */
  readonly candidates: readonly string[];
  /** When they are shown, milliseconds since 1970-01-01 UTC; by default now. */
  readonly time?: number | undefined;
  /** Texts of the ranker's context columns, by their names; what is left out is not known. */
  readonly context?: Readonly<Record<string, string | null>> | undefined;
  /**
   * Numbers that come with the log, such as prices, a column each. Those that are left out, or NaN, are what the catalogue
   * has. (n) each
   */
  readonly numeric?: Readonly<Record<string, ArrayLike<number>>> | undefined;
  /** Whether to tell from which earlier clicks each candidate is rebuilt. */
  readonly attention?: boolean | undefined;
  /** false: as if nothing had been seen of any photo, for those who want to know what images are worth. */
  readonly images?: boolean | undefined;
  /** Milliseconds from now after which nobody waits for the answer. */
  readonly within?: number | undefined;
}

export interface Scored {
  /** Probability of a click as the ranker has it. (n) */
  readonly scores: Float32Array;
  /** The same as validation has shown it to come true; equal to `scores` where the export has no calibration. (n) */
  readonly calibrated: Float32Array;
  /** 1 where the candidate is in the catalogue. (n) */
  readonly known: Uint8Array;
  /** The moment that was described: that of the request, or that of a later one that was answered before. Milliseconds. */
  readonly time: number;
  /** null where it was not asked for. */
  readonly attention: Attention | null;
}

export interface Attention {
  /** Ids of the earlier clicks that the ranker looks at, newest first. (h) */
  readonly history: readonly string[];
  /** Of each candidate on each of them, summing to 1; all 0 where there is nothing to compare. (n, h) */
  readonly weights: Float32Array;
}

/** The input of the ranker, for those who want to see it. */
export interface Described {
  readonly time: number;
  /** Columns of base features, as the dataset has them. (F) */
  readonly names: readonly string[];
  /** (n, F) */
  readonly base: Float32Array;
  /** Dense values of the visual features, before they are standardised. (n, W) */
  readonly visual: Float32Array;
  /** 1 + cosine to each history place; empty for a ranker that does not take it. (n, H) */
  readonly nearness: Float32Array;
  /** Ids of the history that the ranker looks at, newest first. */
  readonly history: readonly string[];
}

/** By an item of the catalogue, or by an embedding of any length but 0. */
export type SimilarQuery =
  | { readonly item: string; readonly most?: number | undefined }
  | { readonly embedding: Float32Array; readonly most?: number | undefined };

export interface SimilarItem {
  readonly item: string;
  readonly cosine: number;
}

export interface NewItem {
  readonly id: string;
  /** Texts of category columns, by their names; what is left out is not known. */
  readonly categories?: Readonly<Record<string, string | null>> | undefined;
  /** Numbers that come with the log, such as the price, by their names. */
  readonly numeric?: Readonly<Record<string, number | null>> | undefined;
  /** The bytes of a photo, where the export has an encoder. */
  readonly photo?: Uint8Array | undefined;
  /** Its embedding, where the encoder is somebody else's. (d) */
  readonly embedding?: Float32Array | undefined;
}

/** Of the events of a call. */
export interface Receipt {
  /** Those that are new. */
  readonly recorded: number;
  /** Those that were recorded before under their ids. */
  readonly known: number;
  /** Those among the new ones that happened before the moment up to which the export knows everything: they count as known to it. */
  readonly covered: number;
}

export interface ServiceStatistics {
  readonly export: {
    readonly folder: string;
    readonly ranker: string;
    readonly features: string | null;
    readonly dataset: string;
    /** Events before this moment are in the export. */
    readonly until: number;
  };
  readonly items: number;
  readonly users: number;
  readonly neighbours: 'exact' | 'hnsw' | 'pgvector';
  /** How far the log was read, and when last; up to when the shop was heard of, by events and the export. */
  readonly state: {
    readonly position: number;
    readonly readAt: number;
    readonly heard: number;
    readonly problem: string | null;
  };
  /** Since the service was opened. */
  readonly totals: {
    readonly requests: number;
    readonly exposures: number;
    readonly overloaded: number;
    readonly late: number;
    readonly events: number;
    readonly knownEvents: number;
    readonly batches: number;
    readonly batchedRows: number;
    readonly swaps: number;
  };
  /** Exposures that wait or are computed. */
  readonly queuedRows: number;
  /** What is seen since the export was opened, beside what was seen on its validation period. */
  readonly drift: {
    readonly scores: Drift;
    /** null without embeddings. */
    readonly simScores: Drift | null;
    /** Shares of candidates whose id the ranker does not know; null before anything was scored. */
    readonly unknown: { readonly reference: number; readonly live: number | null };
  };
}

export interface Drift {
  readonly reference: Histogram;
  readonly live: Histogram;
  /** Population stability index; null where one of them is empty. */
  readonly stabilityIndex: number | null;
}

/**
 * A ranker with its state that answers. All methods may be called side by side. What cannot be answered is a CourierError with a
 * code and a remedy: VALUE_INVALID for what was asked wrongly, ITEM_UNKNOWN, OVERLOADED (an `OverloadedError` with `retryAfter`),
 * DEADLINE_EXCEEDED, STATE_UNAVAILABLE.
 */
export interface Service {
  /** Whether the queue has room for a page view like those before. */
  hasRoom(): boolean;
  /** Asked before a page view is read. @throws OverloadedError where there is no room for one */
  admit(): void;
  /** Click probabilities of the candidates of a page view. */
  score(request: ScoreRequest): Promise<Scored>;
  /** The features that `score` would compute, without scoring. */
  features(request: ScoreRequest): Promise<Described>;
  /** Items whose photos look most alike, at most `most` (10 by default), without the item itself. */
  similar(query: SimilarQuery): Promise<readonly SimilarItem[]>;
  /** The embedding of a photo, or of an item of the catalogue. (d) */
  embed(of: { readonly photo: Uint8Array } | { readonly item: string }): Promise<Float32Array>;
  /** Takes note of clicks and exposures: once for each id, and acknowledged when they are on the disk. */
  record(events: readonly ShopEvent[]): Promise<Receipt>;
  /** Puts an item into the catalogue, or in place of what there is under its id. Everything sees it when this resolves. */
  putItem(item: NewItem): Promise<void>;
  /** Takes an item out of the catalogue. @returns whether it was there */
  deleteItem(id: string): Promise<boolean>;
  /** Opens another export, checks it, and answers with it from then on. What is there stays if anything is wrong with it. */
  swap(folder: string): Promise<void>;
  statistics(): ServiceStatistics;
  /** Answers what was asked, and asks for no more. */
  close(): Promise<void>;
}
