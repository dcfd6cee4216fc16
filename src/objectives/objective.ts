/** An objective as a training step and as pre-training see it, whatever it teaches. */
import type { Sampler } from '../data/samplers/dealer.ts';
import type { PhotoBatch } from '../data/samplers/photo-sampler.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import type { FloatTensor } from '../graph/tensor.ts';
import type { Model } from '../runtime/model.ts';
import type { NamedValues } from '../runtime/protocol.ts';
import type { SafeArray } from '../storage/safetensors.ts';
import type { BatchFeeds } from './batch-feeds.ts';

export type { PhotoBatch };

export interface Objective<Batch> {
  /**
   * The loss of so many samples of a batch, which the whole batch may compete with.
   * @param embeddings of the photos of the batch, of unit length (U, d), U open
   * @returns the loss, and parts of it that are worth a look
   */
  loss(
    embeddings: FloatTensor,
    samples: number,
  ): { readonly loss: FloatTensor; readonly parts: Readonly<Record<string, FloatTensor>> };
  /** @param rows rows of the embeddings, at least one per photo of the batch */
  feeds(batch: Batch, rows: number): BatchFeeds;
  /** Inputs of the loss whose first axis is U. */
  readonly perPhoto: readonly string[];
  /** How often a batch is contrasted: once, and once more for each prefix of its embeddings. */
  readonly lengths: number;
  /** Further inputs of the loss whose first axis is open, with the name of that axis. */
  readonly openAxes?: Readonly<Record<string, string>>;
}

/** Embeds photos of the image cache: (n) rows → unit vectors (n, d). */
export type EmbedPhotos = (photos: Int32Array) => Promise<Float32Array>;

/** An objective on a dataset: everything that pre-training asks of it. */
export interface Lesson<Batch extends PhotoBatch> {
  readonly objective: Objective<Batch>;
  readonly sampler: Sampler<Batch>;
  /** What a sample is, in the plural. */
  readonly samples: string;
  /** The most photos that a batch can name, repetitions included. */
  readonly photos: number;
  /** Whether it compares views of a photo, and so needs augmentation. */
  readonly comparesViews: boolean;
  /** What its batches need from earlier steps; null where each step stands alone. */
  readonly memory: BatchMemory<Batch> | null;
  /** A look at what the loss asks for, on the validation period; null where there is none. */
  readonly retrieval: Retrieval | null;
  /** The models that stay beside the encoder, by file name. */
  exports(layout: ParameterLayout, parameters: Float32Array): Readonly<Record<string, Model>>;
}

/** What outlives a step besides the parameters. */
export interface BatchMemory<Batch> {
  /** Share of the old in the moving average of the parameters by which `recall` embeds. */
  readonly averageDecay: number;
  /** What a checkpoint keeps: arrays that later steps replace and do not change, since it is written while they are made. */
  readonly arrays: Readonly<Record<string, SafeArray>>;
  restore(arrays: Readonly<Record<string, SafeArray>>): void;
  /** Called before the step of each batch, in order. */
  recall(batch: Batch, embed: EmbedPhotos): Promise<void>;
}

/** Photos that are to be found among others. */
export interface Retrieval {
  /** Rows in the image cache. (U) */
  readonly photos: Int32Array;
  /** How near each photo is to what is looked for, from `embeddings` (U, d) and `feeds`: (S, U). */
  readonly scores: FloatTensor;
  readonly feeds: NamedValues;
  /** The row of `photos` that is looked for. (S) */
  readonly wanted: Int32Array;
  /** The rows of `photos` among which it is. */
  readonly among: ReadonlySet<number>;
}
