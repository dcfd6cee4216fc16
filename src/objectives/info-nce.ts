/** The contrastive loss: tell the one positive from all other keys. */
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
import { firstNumbers, meanLoss } from './prefixes.ts';
import { excluded } from './reconstruction.ts';

export interface InfoNce {
  /** (K, d) */
  readonly anchors: FloatTensor;
  /** The key that belongs to each anchor. (K, d) */
  readonly positives: FloatTensor;
  /** All that may compete, of unit length. (N, d) */
  readonly keys: FloatTensor;
  /** What the anchor's positive shows: keys of this identity do not compete with it. (K) */
  readonly own: Tensor<'int32'>;
  /** What each key shows; without it, its row. (N, 1) */
  readonly identities?: Tensor<'int32'>;
  /** log n for a key that competes n times, `excluded` for one that does not. (N, 1) */
  readonly logCounts: FloatTensor;
  /** Share of each anchor in the loss, 0 to leave it out. (K, 1) */
  readonly weights: FloatTensor;
  readonly temperature: number;
  /** Lengths n of which it is taken besides: of the first n numbers of anchors, positives and keys. None without it. */
  readonly prefixes?: readonly number[];
}

/**
 * Σ w · (−log(e^{cos(a, p)/τ} / (e^{cos(a, p)/τ} + Σ_competing n e^{cos(a, key)/τ})))
 * (van den Oord et al., 2018; the form of COURIER's L_pv and L_ucs, of SimCLR, CLIP and MoCo). A photo that
 * competes n times is one column with the factor n, not n columns. With prefixes, the mean over all lengths.
 */
export function infoNce(terms: InfoNce): FloatTensor {
  const { anchors, positives, keys, own, logCounts, weights, temperature, prefixes = [] } = terms;
  const { identities = rowIndices(keys) } = terms;
  const shown = transpose(identities, [1, 0]); // (1, N)
  const itself = multiply(equal(reshape(own, [own.shape[0]!, 1]), shown), scalar(excluded)); // (K, N)
  const lossOf = (a: FloatTensor, p: FloatTensor, k: FloatTensor) => {
    const scores = matmul(a, k, { transposeB: true, alpha: 1 / temperature }); // (K, N)
    const others = logSumExp(add(add(scores, transpose(logCounts, [1, 0])), itself)); // (K, 1)
    const right = multiply(rowDot(a, p), scalar(1 / temperature)); // (K, 1)
    return sumAll(multiply(weights, softplus(subtract(others, right))));
  };
  const whole = lossOf(l2Normalize(anchors), l2Normalize(positives), keys);
  const cut = (x: FloatTensor, n: number) => firstNumbers(x, n);
  return meanLoss([whole, ...prefixes.map((n) => lossOf(cut(anchors, n), cut(positives, n), cut(keys, n)))]);
}
