/** DeepFM (Guo et al., IJCAI 2017): a factorisation machine and a deep network on the same embeddings. */
import { add, multiply, reshape, subtract, sum } from '../graph/operators/index.ts';
import { normal } from '../graph/parameters.ts';
import { type FloatTensor, parameter, scalar } from '../graph/tensor.ts';
import { dense, join, maskedMean, multilayerPerceptron } from './layers.ts';
import type { Ranker } from './ranker.ts';

/** Deviation of a column's fresh factors: small, as fresh embeddings are. */
const initialDeviation = 0.01;

export const deepfm: Ranker = ({ situation, candidate, history, historyMask, ...columns }, config) => {
  const ids = [situation, candidate.ids, maskedMean(history.ids, historyMask)];
  const visual = [
    candidate.visual,
    history.visual === null ? null : maskedMean(history.visual, historyMask),
  ].filter((part) => part !== null);
  const { embeddingDimension } = config;
  const crossed = pairwise(
    [...ids, ...visual].map((part) => fieldsOf(part, embeddingDimension)),
    [
      factorsOf('fm.dense', columns.dense, embeddingDimension),
      factorsOf('fm.visual', columns.visualDense, embeddingDimension),
    ],
  );
  const input = join([...ids, columns.dense, ...visual, columns.visualDense]);
  const firstOrder = dense('fm.linear', input, 1);
  return add(add(firstOrder, crossed), multilayerPerceptron('deep', input, config.hiddenWidths));
};

/** Fields side by side (B, F·E) as fields (B, F, E). */
function fieldsOf(part: FloatTensor, dimension: number): FloatTensor {
  const [batch, length] = part.shape;
  return reshape(part, [batch!, length! / dimension, dimension]);
}

/** Each column times factors of its own: (B, N) → xₙ vₙ (B, N, E). */
function factorsOf(name: string, columns: FloatTensor | null, dimension: number): FloatTensor | null {
  if (columns === null) return null;
  const [batch, count] = columns.shape;
  const factors = parameter(name, [count!, dimension], normal(initialDeviation));
  return multiply(reshape(columns, [batch!, count!, 1]), reshape(factors, [1, count!, dimension]));
}

/**
 * Σᵢ<ⱼ ⟨vᵢ, vⱼ⟩ over all fields, as ½ (‖Σ v‖² − Σ ‖v‖²) (Rendle, 2010, lemma 3.1).
 * @returns (B, 1)
 */
function pairwise(ids: readonly FloatTensor[], columns: readonly (FloatTensor | null)[]): FloatTensor {
  const all = [...ids, ...columns.filter((part) => part !== null)];
  const total = all.map((part) => sum(part, [1])).reduce(add); // (B, 1, E)
  const squares = all.map((part) => sum(multiply(part, part), [1])).reduce(add);
  const [batch, , length] = total.shape;
  const difference = reshape(subtract(multiply(total, total), squares), [batch!, length!]);
  return multiply(sum(difference, [1]), scalar(0.5));
}
