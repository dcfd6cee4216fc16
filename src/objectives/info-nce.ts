/** The contrastive loss: tell the one positive from all other keys of the batch. */
import {
  add,
  divide,
  equal,
  l2Normalize,
  logSumExp,
  matmul,
  multiply,
  reshape,
  rowDot,
  softplus,
  subtract,
  sumAll,
} from '../graph/operators/index.ts';
import { type FloatTensor, scalar, type Tensor } from '../graph/tensor.ts';
import { penalty } from './reconstruction.ts';

interface InfoNce {
  /** (K, d) */
  readonly anchors: FloatTensor;
  /** The key that belongs to each anchor. (K, d) */
  readonly positives: FloatTensor;
  /** (N, d) */
  readonly keys: FloatTensor;
  /** 1 where a key competes with the positive, 0 where it is left out, as the positive itself is. (K, N) */
  readonly competes: FloatTensor;
  /** Share of each anchor in the mean, 0 to leave it out. (K, 1) */
  readonly weights: FloatTensor;
  readonly temperature: number;
}

/**
 * Σ w · (−log(e^{cos(a, p)/τ} / (e^{cos(a, p)/τ} + Σ_competing e^{cos(a, key)/τ}))) / Σ w
 * (van den Oord et al., 2018; the form of COURIER's L_pv and L_ucs).
 */
export function infoNce({ anchors, positives, keys, competes, weights, temperature }: InfoNce): FloatTensor {
  const [a, p, k] = [l2Normalize(anchors), l2Normalize(positives), l2Normalize(keys)];
  const scores = matmul(a, k, { transposeB: true, alpha: 1 / temperature }); // (K, N)
  const others = logSumExp(add(scores, penalty(competes)), [-1]); // (K, 1)
  const right = multiply(rowDot(a, p), scalar(1 / temperature)); // (K, 1)
  return divide(sumAll(multiply(weights, softplus(subtract(others, right)))), sumAll(weights));
}

/** 1 where the key shows another photo than the anchor's positive: (K), (N) → (K, N). */
export function differs(positives: Tensor<'int32'>, keys: Tensor<'int32'>): FloatTensor {
  const [rows, columns] = [positives.shape[0]!, keys.shape[0]!];
  return subtract(scalar(1), equal(reshape(positives, [rows, 1]), reshape(keys, [1, columns])));
}
