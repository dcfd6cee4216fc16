/**
 * Deep Interest Network (Zhou et al., KDD 2018): the history is weighed anew for every candidate.
 *
 * Letters in shapes as in fields.ts; K = G·E is the length of an embedded item.
 */
import { add, concatenate, matmul, multiply, relu, reshape, split } from '../graph/operators/index.ts';
import { glorot } from '../graph/parameters.ts';
import { type FloatTensor, parameter } from '../graph/tensor.ts';
import { dense, multilayerPerceptron } from './layers.ts';
import type { Ranker } from './ranker.ts';

export const din: Ranker = ({ layout, embedded, historyMask, dense: columns }, config) => {
  const { situationFields, itemFields, historyLength } = layout;
  const [batch, , dimension] = embedded.shape;
  const [situation, candidate, history] = split(
    embedded,
    [situationFields, itemFields, historyLength * itemFields],
    1,
  );
  const length = itemFields * dimension!;
  const item = reshape(candidate!, [batch!, length]);
  const clicks = reshape(history!, [batch!, historyLength, length]);
  const weights = attention(item, clicks, historyMask, config.attentionWidth);
  const pooled = reshape(matmul(weights, clicks), [batch!, length]);
  const flatSituation = reshape(situation!, [batch!, situationFields * dimension!]);
  const parts = [flatSituation, item, pooled, ...(columns === null ? [] : [columns])];
  return multilayerPerceptron('din', concatenate(parts, 1), config.hiddenWidths);
};

/**
 * The weight of each history item for this candidate, by a network on [h, c, h − c, h ⊙ c]; not normalised,
 * so that a history that fits counts more than one that does not (section 4.3). Padding weighs 0.
 *
 * A linear layer on h and c already contains one on h − c, so h − c is not computed; and c enters once per
 * exposure instead of once per place.
 *
 * @param candidate (B, K)
 * @param history (B, H, K)
 * @returns (B, 1, H)
 */
export function attention(
  candidate: FloatTensor,
  history: FloatTensor,
  mask: FloatTensor,
  width: number,
): FloatTensor {
  const [batch, places, length] = history.shape;
  const target = reshape(candidate, [batch!, 1, length!]);
  const pairs = concatenate([history, multiply(history, target)], 2); // (B, H, 2K)
  const fromCandidate = matmul(candidate, parameter('attention.candidate', [width, length!], glorot), {
    transposeB: true,
  });
  const hidden = relu(add(dense('attention.pair', pairs, width), reshape(fromCandidate, [batch!, 1, width])));
  const scores = reshape(dense('attention.output', hidden, 1), [batch!, places!]);
  return reshape(multiply(scores, mask), [batch!, 1, places!]);
}
