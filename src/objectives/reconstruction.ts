/**
 * User intention reconstruction (COURIER, section 3.2): a candidate is rebuilt from the earlier clicks of
 * its user by cross-attention, the candidate asking, the history answering.
 *
 * Letters in shapes: K queries, H history places, A attention heads, D length of a head, d = A·D.
 */

import type { Model } from '../graph/onnx.ts';
import {
  add,
  linear,
  matmul,
  mean,
  multiply,
  reshape,
  softmax,
  subtract,
  transpose,
} from '../graph/operators/index.ts';
import { glorot, type ParameterLayout, zeros } from '../graph/parameters.ts';
import {
  type FloatTensor,
  type Initializer,
  input,
  openLength,
  parameter,
  scalar,
  sizeOf,
} from '../graph/tensor.ts';
import { buildExport } from '../graph/training-step.ts';

/**
 * `projected-attention`, the default: projections on query and key only, so that what is rebuilt is a
 * weighted mean of history embeddings and stays in the space in which similarities are taken later.
 * `full-attention`: the paper's released form, with value and output projections.
 */
export type ReconstructionForm = 'projected-attention' | 'full-attention';

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
export function createReconstruction(config: ReconstructionConfig, dimension: number) {
  const length = dimension / config.heads;
  if (!Number.isInteger(length)) throw new Error(`${dimension} does not split into ${config.heads} heads`);
  return config.form === 'projected-attention'
    ? projectedAttention(config.heads, length)
    : fullAttention(config.heads, length);
}

export type Reconstruct = ReturnType<typeof createReconstruction>;

/**
 * The attention alone, as a self-contained model: inputs `candidates` [clicks, d], `history` [clicks, H, d],
 * `mask` [clicks, H], output `attention` [clicks, H].
 */
export function exportAttention(
  config: ReconstructionConfig,
  dimension: number,
  places: number,
  layout: ParameterLayout,
  values: Float32Array,
): Model {
  const { attention } = createReconstruction(config, dimension)(
    input('candidates', 'float32', [openLength, dimension]),
    input('history', 'float32', [openLength, places, dimension]),
    input('mask', 'float32', [openLength, places]),
  );
  const open = Object.fromEntries(
    ['candidates', 'history', 'mask', 'attention'].map((name) => [name, 'clicks']),
  );
  return buildExport({ attention }, layout, values, open);
}

/** rec = Σ softmax(q(p)·k(h)) h. */
function projectedAttention(heads: number, length: number) {
  const dimension = heads * length;
  const query = projection('query', dimension, identity);
  const key = projection('key', dimension, identity);
  // Embeddings of unit length have entries of size 1/√d; scaled by √d on both sides, scores start near 1.
  const alpha = dimension / Math.sqrt(length);
  return (queries: FloatTensor, history: FloatTensor, mask: FloatTensor): Reconstruction => {
    const [count, places] = mask.shape;
    const weights = attentionWeights(query(queries), key(history), mask, heads, alpha); // (K, A, 1, H)
    const attention = reshape(mean(weights, [1]), [count!, 1, places!]);
    const rebuilt = reshape(matmul(attention, history), [count!, dimension]);
    return { rebuilt, attention: reshape(attention, [count!, places!]) };
  };
}

/** PyTorch's MultiheadAttention, as the paper's code uses it. */
function fullAttention(heads: number, length: number) {
  const dimension = heads * length;
  const [query, key, value, output] = (['query', 'key', 'value', 'output'] as const).map((part) =>
    projection(part, dimension, glorot),
  );
  return (queries: FloatTensor, history: FloatTensor, mask: FloatTensor): Reconstruction => {
    const [count, places] = mask.shape;
    const weights = attentionWeights(query!(queries), key!(history), mask, heads, 1 / Math.sqrt(length));
    const mixed = matmul(weights, splitHeads(value!(history), heads)); // (K, A, 1, D)
    const attention = reshape(mean(weights, [1]), [count!, places!]);
    return { rebuilt: output!(reshape(mixed, [count!, dimension])), attention };
  };
}

/** softmax(alpha · q kᵀ) over the places that the mask leaves: (K, d), (K, H, d) → (K, A, 1, H). */
function attentionWeights(
  query: FloatTensor,
  key: FloatTensor,
  mask: FloatTensor,
  heads: number,
  alpha: number,
) {
  const [count, places, dimension] = key.shape;
  const asked = splitHeads(reshape(query, [count!, 1, dimension!]), heads); // (K, A, 1, D)
  const scores = matmul(asked, splitHeads(key, heads), { transposeB: true, alpha });
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

/** Attention starts as plain similarity, the best guess before anything is learned. */
const identity: Initializer = (shape) => {
  const [rows = 0] = shape;
  const values = new Float32Array(sizeOf(shape));
  for (let row = 0; row < rows; row++) values[row * (rows + 1)] = 1;
  return values;
};
