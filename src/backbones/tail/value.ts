/** What flows through the part of a graph that is read into our own tensors. */
import type { FloatTensor } from '../../graph/tensor.ts';
import type { Folded } from './folded.ts';

/** An initialiser of the file, as it is or with rows for columns. */
export interface WeightUse {
  readonly name: string;
  readonly transposed: boolean;
}

export interface TensorValue {
  readonly kind: 'tensor';
  readonly tensor: FloatTensor;
  /** The axis along which photos lie, each with as many places as the others; null where it depends on none. */
  readonly photos: number | null;
  /** null where it is more than an initialiser. */
  readonly weight: WeightUse | null;
}

export type Value = TensorValue | ({ readonly kind: 'folded' } & Folded);

/** A length of an axis, or as much for each photo. */
export interface Count {
  readonly count: number;
  readonly perPhoto: boolean;
}

export function tensorValue(tensor: FloatTensor, photos: number | null): TensorValue {
  return { kind: 'tensor', tensor, photos, weight: null };
}
