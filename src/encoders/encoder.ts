/** What an image encoder is to the rest: a graph from photos to embeddings. */
import { type FloatTensor, input, type Shape, type Tensor } from '../graph/tensor.ts';

/**
 * A batch of what an encoder is given of photos: their pixels in RGB order, 0 to 255, as bytes or, once they were altered, as
 * floats (B, S, S, 3); or numbers that a network computed of them before (B, F).
 */
export type Photos = Tensor<'uint8'> | FloatTensor;

/** What an encoder is given of one photo. */
export interface SeenOfPhoto {
  readonly type: 'uint8' | 'float32';
  readonly shape: Shape;
}

export interface Encoder {
  readonly sees: SeenOfPhoto;
  /** Length d of the embeddings. */
  readonly dimension: number;
  /** Units of a hidden layer of which a training step hides a share (dropout); null or absent where it hides none. */
  readonly hides?: HiddenUnits | null;
  /**
   * Photos (B, …) → embeddings, not normalised (B, d). Parameters are named `encoder.…`.
   * @param kept factor of each hidden unit of each photo, 0 for one that is hidden (B, units); null outside of training
   */
  forward(photos: Photos, kept?: FloatTensor | null): FloatTensor;
}

export interface HiddenUnits {
  readonly units: number;
  /** Share of them that is hidden of each photo, from 0 up to less than 1. */
  readonly share: number;
}

/** Bytes of square photos. @param side S, in pixels */
export function pixelsOf(side: number): SeenOfPhoto {
  return { type: 'uint8', shape: [side, side, 3] };
}

/** The input `photos` of a model. @param leading axes before what is of one photo */
export function photosInput({ sees }: Pick<Encoder, 'sees'>, leading: Shape): Photos {
  const shape = [...leading, ...sees.shape];
  return sees.type === 'uint8' ? input('photos', 'uint8', shape) : input('photos', 'float32', shape);
}

/** What an encoder sees of photos, by row. */
export interface SeenPhotos {
  /** M */
  readonly count: number;
  /**
   * What it sees of these photos, in their order, rows may repeat. (places, …)
   * @param places photos there is room for: those beyond the rows are zeros
   */
  read(rows: Int32Array | readonly number[], places?: number): Uint8Array | Float32Array;
}
