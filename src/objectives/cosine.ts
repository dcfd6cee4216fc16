/** Nearness without contrast. */
import { l2Normalize, multiply, negate, rowDot, sumAll } from '../graph/operators/index.ts';
import type { FloatTensor } from '../graph/tensor.ts';

/**
 * −Σ w · cos(a, b), the loss of SimSiam (Chen and He, 2021) and of COURIER without contrast.
 * @param weights share of each row (K, 1)
 */
export function negativeCosine(a: FloatTensor, b: FloatTensor, weights: FloatTensor): FloatTensor {
  return negate(sumAll(multiply(weights, rowDot(l2Normalize(a), l2Normalize(b)))));
}
