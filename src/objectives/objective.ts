/** A contrastive objective as a training step sees it, whatever it contrasts. */
import type { FloatTensor } from '../graph/tensor.ts';
import type { NamedValues } from '../runtime/protocol.ts';

export interface Objective<Batch> {
  /**
   * The loss of so many samples of a batch, which the whole batch may compete with.
   * @param embeddings of the distinct photos of the batch (U, d), U open
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
}

/** The values that a batch gives the inputs of the loss. The loss is a sum over samples, so blocks add up. */
export interface BatchFeeds {
  readonly whole: NamedValues;
  /** The samples from `first` on, filled up to `size` with samples of weight 0. */
  block(first: number, size: number): NamedValues;
}
