/** The contrastive loss: tell the one positive from all other keys of the batch. */
import {
  add,
  equal,
  l2Normalize,
  logSumExp,
  matmul,
  multiply,
  reshape,
  rowDot,
  rowIndices,
  softplus,
  subtract,
  sumAll,
  transpose,
} from '../graph/operators/index.ts';
import { type FloatTensor, scalar, type Tensor } from '../graph/tensor.ts';
import { excluded } from './reconstruction.ts';

interface InfoNce {
  /** (K, d) */
  readonly anchors: FloatTensor;
  /** The key that belongs to each anchor. (K, d) */
  readonly positives: FloatTensor;
  /** Every photo that may compete, once. (N, d) */
  readonly keys: FloatTensor;
  /** The row of `keys` that shows the same photo as the anchor's positive, and so does not compete. (K) */
  readonly own: Tensor<'int32'>;
  /** log n for a key that competes n times, `excluded` for one that does not. (N, 1) */
  readonly logCounts: FloatTensor;
  /** Share of each anchor in the loss, 0 to leave it out. (K, 1) */
  readonly weights: FloatTensor;
  readonly temperature: number;
}

/**
 * Σ w · (−log(e^{cos(a, p)/τ} / (e^{cos(a, p)/τ} + Σ_competing n e^{cos(a, key)/τ})))
 * (van den Oord et al., 2018; the form of COURIER's L_pv and L_ucs). A photo that competes n times is one column
 * with the factor n, not n columns.
 */
export function infoNce(terms: InfoNce): FloatTensor {
  const { anchors, positives, keys, own, logCounts, weights, temperature } = terms;
  const [a, p, k] = [l2Normalize(anchors), l2Normalize(positives), l2Normalize(keys)];
  const scores = matmul(a, k, { transposeB: true, alpha: 1 / temperature }); // (K, N)
  const rows = transpose(rowIndices(keys), [1, 0]); // (1, N)
  const itself = multiply(equal(reshape(own, [own.shape[0]!, 1]), rows), scalar(excluded)); // (K, N)
  const others = logSumExp(add(add(scores, transpose(logCounts, [1, 0])), itself), [-1]); // (K, 1)
  const right = multiply(rowDot(a, p), scalar(1 / temperature)); // (K, 1)
  return sumAll(multiply(weights, softplus(subtract(others, right))));
}
