/** What an image encoder is to the rest: a graph from photos to embeddings. */
import type { FloatTensor, Tensor } from '../graph/tensor.ts';

/** Photos in RGB order, 0 to 255, as bytes or, once they were altered, as floats. (B, S, S, 3) */
export type Photos = Tensor<'uint8'> | FloatTensor;

export interface Encoder {
  /** Side S of the photos it takes, in pixels. */
  readonly side: number;
  /** Length d of the embeddings. */
  readonly dimension: number;
  /** Photos (B, S, S, 3) → embeddings, not normalised (B, d). Parameters are named `encoder.…`. */
  forward(photos: Photos): FloatTensor;
}
