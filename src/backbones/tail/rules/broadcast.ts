/** Where photos lie in what two tensors give that are broadcast. */
import type { Shape } from '../../../graph/tensor.ts';
import type { Call } from '../call.ts';
import type { TensorValue } from '../value.ts';

export interface Placed {
  readonly shape: Shape;
  /** The axis along which photos lie; null for none. */
  readonly photos: number | null;
}

/** @returns the axis of photos, which both must have in the same place, or only one of them and the other nothing there */
export function photosTogether(call: Call, a: Placed, b: Placed): number | null {
  const rank = Math.max(a.shape.length, b.shape.length);
  for (let axis = 0; axis < rank; axis++) {
    const [one, other] = [a, b].map(({ shape }) => shape[axis - rank + shape.length] ?? 1);
    if (one !== other && one !== 1 && other !== 1)
      throw call.refused(`sets [${a.shape}] against [${b.shape}]`);
  }
  const axes = [a, b].map(({ shape, photos }) => (photos === null ? null : photos + rank - shape.length));
  const axis = axes[0] ?? axes[1] ?? null;
  if (axis === null) return null;
  const lengths = [a, b].map(({ shape }) => shape[axis - rank + shape.length] ?? 1);
  const fits = axes.every((own, index) => own === axis || (own === null && lengths[index] === 1));
  const isSame = axes.includes(null) || lengths[0] === lengths[1];
  if (!fits || !isSame) throw call.refused('sets photos of a batch against each other');
  return axis;
}

export function photosOfBoth(call: Call, a: TensorValue, b: TensorValue): number | null {
  const placed = ({ tensor: { shape }, photos }: TensorValue) => ({ shape, photos });
  return photosTogether(call, placed(a), placed(b));
}
