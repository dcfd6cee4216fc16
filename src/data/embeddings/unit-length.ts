/** Embeddings are compared by direction: whoever takes them from a file brings them to unit length first. */
import { CourierError } from '../../errors.ts';

/** How far a squared length may be from 1 in float32. */
const rounding = 2 ** -22;

/**
 * What brings an item's embedding to length 1: 1 / its length, or 0 for a zero vector, an item without a photo. It is 1
 * itself for a length that is 1 as far as float32 can tell: such embeddings stay as they are.
 * @throws CourierError VALUE_INVALID naming the item whose embedding is not finite
 */
export function unitScale(id: string, vector: Float32Array): number {
  const squared = squaredLength(vector);
  if (squared === 0) return 0;
  if (Math.abs(squared - 1) <= rounding) return 1;
  if (!Number.isFinite(squared)) throw invalid(`the embedding of item ${id} is not finite`);
  return 1 / Math.sqrt(squared);
}

/** In four sums side by side: one alone would wait for itself at every value. */
function squaredLength(vector: Float32Array): number {
  let [a, b, c, d, at] = [0, 0, 0, 0, 0];
  for (; at + 4 <= vector.length; at += 4) {
    a += vector[at]! ** 2;
    b += vector[at + 1]! ** 2;
    c += vector[at + 2]! ** 2;
    d += vector[at + 3]! ** 2;
  }
  for (; at < vector.length; at++) a += vector[at]! ** 2;
  return a + b + (c + d);
}

function invalid(problem: string): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `Embeddings cannot be used: ${problem}.`,
    'Embed the catalogue again.',
  );
}
