/**
 * User intention reconstruction (COURIER, section 3.2): a candidate is rebuilt from the earlier clicks of
 * its user by cross-attention, the candidate asking, the history answering.
 *
 * Letters in shapes: K queries, H history places, A attention heads, D length of a head, d = A·D.
 */
import {
  add,
  divide,
  linear,
  matmul,
  mean,
  multiply,
  reshape,
  softmax,
  subtract,
  sum,
  transpose,
} from '../graph/operators/index.ts';
import { glorot, zeros } from '../graph/parameters.ts';
import { type FloatTensor, type Initializer, parameter, scalar, sizeOf } from '../graph/tensor.ts';

/**
 * `projected-attention`, the default: projections on query and key only, so that what is rebuilt is a
 * weighted mean of history embeddings and stays in the space in which similarities are taken later.
 * `full-attention`: the paper's released form, with value and output projections.
 * `self-attention` and `mean`, for comparison: the candidate is not asked for. Either every earlier click asks the
 * others and the answers are averaged, or the clicks are averaged as they are.
 */
export const reconstructionForms = [
  'projected-attention',
  'full-attention',
  'self-attention',
  'mean',
] as const;
export type ReconstructionForm = (typeof reconstructionForms)[number];

/** Whether the candidate has a say in how it is rebuilt. */
export function asksCandidate(form: ReconstructionForm): boolean {
  return form === 'projected-attention' || form === 'full-attention';
}

export interface ReconstructionConfig {
  readonly form: ReconstructionForm;
  readonly heads: number;
}

export interface Reconstruction {
  /** (K, d) */
  readonly rebuilt: FloatTensor;
  /** How much each history place contributed, averaged over heads; rows sum to 1. (K, H) */
  readonly attention: FloatTensor;
}

/**
 * Makes the reconstruction with its parameters, so that every loss that rebuilds shares them.
 *
 * The function it returns takes the candidates' embeddings (K, d), the embeddings of each candidate's
 * history (K, H, d) and a mask, 1 for a real history place, 0 for padding (K, H).
 */
export function createReconstruction({ form, heads }: ReconstructionConfig, dimension: number): Reconstruct {
  const length = dimension / heads;
  if (!Number.isInteger(length)) throw new Error(`${dimension} does not split into ${heads} heads`);
  switch (form) {
    case 'projected-attention':
      return projectedAttention(heads, length);
    case 'full-attention':
      return fullAttention(heads, length);
    case 'self-attention':
      return selfAttention(heads, length);
    case 'mean':
      return (_, history, mask) => weightedMean(evenWeights(mask), history);
  }
}

export type Reconstruct = (queries: FloatTensor, history: FloatTensor, mask: FloatTensor) => Reconstruction;

/** rec = Σ softmax(q(p)·k(h)) h. */
function projectedAttention(heads: number, length: number): Reconstruct {
  const weigh = projectedWeights(heads, length);
  return (queries, history, mask) => {
    const [count, places, dimension] = history.shape;
    const weights = weigh(reshape(queries, [count!, 1, dimension!]), history, mask); // (K, 1, H)
    return weightedMean(reshape(weights, [count!, places!]), history);
  };
}

/** rec = the mean over real places i of Σ softmax(q(hᵢ)·k(h)) h. */
function selfAttention(heads: number, length: number): Reconstruct {
  const weigh = projectedWeights(heads, length);
  return (_, history, mask) => {
    const [count, places] = mask.shape;
    const asking = reshape(evenWeights(mask), [count!, 1, places!]);
    const weights = matmul(asking, weigh(history, history, mask)); // (K, 1, H)
    return weightedMean(reshape(weights, [count!, places!]), history);
  };
}

/** The mean over heads of softmax(q(x)·k(h)): (K, n, d), (K, H, d) → (K, n, H). */
function projectedWeights(heads: number, length: number) {
  const dimension = heads * length;
  const query = projection('query', dimension, identity);
  const key = onceForEach(projection('key', dimension, identity));
  // Embeddings of unit length have entries of size 1/√d; scaled by √d on both sides, scores start near 1.
  const alpha = dimension / Math.sqrt(length);
  return (asking: FloatTensor, history: FloatTensor, mask: FloatTensor): FloatTensor => {
    const [count, places] = mask.shape;
    const weights = attentionWeights(query(asking), key(history), mask, heads, alpha); // (K, A, n, H)
    return reshape(mean(weights, [1]), [count!, asking.shape[1]!, places!]);
  };
}

/** The history summed by the weights (K, H). */
function weightedMean(attention: FloatTensor, history: FloatTensor): Reconstruction {
  const [count, places, dimension] = history.shape;
  const rebuilt = matmul(reshape(attention, [count!, 1, places!]), history);
  return { rebuilt: reshape(rebuilt, [count!, dimension!]), attention };
}

/** The same weight for every real place; zeros where there is none. (K, H) */
function evenWeights(mask: FloatTensor): FloatTensor {
  return divide(mask, add(sum(mask, [-1]), scalar(1e-12)));
}

/** PyTorch's MultiheadAttention, as the paper's code uses it. */
function fullAttention(heads: number, length: number): Reconstruct {
  const dimension = heads * length;
  const [query, key, value, output] = (['query', 'key', 'value', 'output'] as const).map((part) =>
    onceForEach(projection(part, dimension, glorot)),
  );
  return (queries, history, mask) => {
    const [count, places] = mask.shape;
    const asking = reshape(query!(queries), [count!, 1, dimension]);
    const weights = attentionWeights(asking, key!(history), mask, heads, 1 / Math.sqrt(length));
    const mixed = matmul(weights, splitHeads(value!(history), heads)); // (K, A, 1, D)
    const attention = reshape(mean(weights, [1]), [count!, places!]);
    return { rebuilt: output!(reshape(mixed, [count!, dimension])), attention };
  };
}

/** softmax(alpha · q kᵀ) over the places that the mask leaves: (K, n, d), (K, H, d) → (K, A, n, H). */
function attentionWeights(
  query: FloatTensor,
  key: FloatTensor,
  mask: FloatTensor,
  heads: number,
  alpha: number,
) {
  const [count, places] = mask.shape;
  const scores = matmul(splitHeads(query, heads), splitHeads(key, heads), { transposeB: true, alpha });
  return softmax(add(scores, reshape(penalty(mask), [count!, 1, 1, places!])));
}

/** (K, n, d) → (K, A, n, D) */
function splitHeads(x: FloatTensor, heads: number): FloatTensor {
  const [count, rows, dimension] = x.shape;
  return transpose(reshape(x, [count!, rows!, heads, dimension! / heads]), [0, 2, 1, 3]);
}

/** Added to a score, makes softmax turn it into exactly 0. */
export const excluded = -1e4;

/** 0 where the mask is 1, `excluded` where it is 0. */
function penalty(mask: FloatTensor): FloatTensor {
  return multiply(subtract(scalar(1), mask), scalar(excluded));
}

function projection(
  part: string,
  dimension: number,
  initialize: Initializer,
): (x: FloatTensor) => FloatTensor {
  const weight = parameter(`reconstruction.${part}.weight`, [dimension, dimension], initialize);
  const bias = parameter(`reconstruction.${part}.bias`, [dimension], zeros);
  return (x) => linear(x, weight, bias);
}

/** Several losses rebuild from the same history: what it becomes, and its gradient, are computed once. */
function onceForEach(map: (x: FloatTensor) => FloatTensor): (x: FloatTensor) => FloatTensor {
  const known = new Map<FloatTensor, FloatTensor>();
  return (x) => {
    const result = known.get(x) ?? map(x);
    known.set(x, result);
    return result;
  };
}

/** Attention starts as plain similarity, the best guess before anything is learned. */
const identity: Initializer = (shape) => {
  const [rows = 0] = shape;
  const values = new Float32Array(sizeOf(shape));
  for (let row = 0; row < rows; row++) values[row * (rows + 1)] = 1;
  return values;
};
