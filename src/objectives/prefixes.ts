/**
 * Losses that are taken of the first numbers of embeddings, too, so that these can be used by themselves (Matryoshka
 * representation learning, Kusupati et al., NeurIPS 2022). The paper adds the losses of all lengths up with equal weights; ours is
 * their mean, so that gradients are clipped, and losses read, as those of a single length.
 */
import { add, l2Normalize, multiply, split } from '../graph/operators/index.ts';
import { type FloatTensor, scalar } from '../graph/tensor.ts';

/** The first n numbers of each row, brought to unit length. (…, d) → (…, n) */
export function firstNumbers(x: FloatTensor, n: number): FloatTensor {
  const axis = x.shape.length - 1;
  return l2Normalize(split(x, [n, x.shape[axis]! - n], axis)[0]!);
}

/** The mean of losses; of a single one, itself. */
export function meanLoss(losses: readonly FloatTensor[]): FloatTensor {
  const sum = losses.reduce((one, other) => add(one, other));
  return losses.length === 1 ? sum : multiply(sum, scalar(1 / losses.length));
}
