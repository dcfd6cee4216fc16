/** Deep Interest Network (Zhou et al., KDD 2018): the history is weighed anew for every candidate. */
import { add, linear, matmul, multiply, relu, reshape } from '../graph/operators/index.ts';
import { glorot, zeros } from '../graph/parameters.ts';
import { type FloatTensor, parameter } from '../graph/tensor.ts';
import { flatInput } from './flat-input.ts';
import { join, multilayerPerceptron, projectParts } from './layers.ts';
import type { ItemTensors, Ranker } from './ranker.ts';

export const din: Ranker = (inputs, config) => {
  const { candidate, history, historyMask, nearness } = inputs;
  const weights = attention(candidate, history, historyMask, nearness, config.attentionWidth); // (B, 1, H)
  const input = flatInput(inputs, (clicks) => {
    const [batch, , length] = clicks.shape;
    return reshape(matmul(weights, clicks), [batch!, length!]);
  });
  return multilayerPerceptron('din', input, config.hiddenWidths);
};

/**
 * The weight of each history item for this candidate, by a network on [h, c, h − c, h ⊙ c]; not normalised,
 * so that a history that fits counts more than one that does not (section 4.3). Padding weighs 0.
 *
 * A linear layer on h and c already contains one on h − c, so h − c is not computed; and c enters once per
 * exposure, with the bias, instead of once per place.
 *
 * How near h and c are by their photos stands beside them where a feature tells it: what was measured, in place of what
 * h ⊙ c has yet to learn.
 *
 * @param nearness in pieces (B, H, Q), or null
 * @returns (B, 1, H)
 */
export function attention(
  candidate: ItemTensors,
  history: ItemTensors,
  mask: FloatTensor,
  nearness: FloatTensor | null,
  width: number,
): FloatTensor {
  const [batch, places] = mask.shape;
  const pairs = [
    ...pairsOf(history.ids, candidate.ids),
    ...pairsOf(history.visual, candidate.visual),
    ...(nearness === null ? [] : [nearness]),
  ];
  const target = join([candidate.ids, candidate.visual]);
  const weight = parameter('attention.candidate', [width, target.shape[1]!], glorot);
  const bias = parameter('attention.pair.bias', [width], zeros);
  const fromCandidate = reshape(linear(target, weight, bias), [batch!, 1, width]);
  const hidden = relu(add(projectParts('attention.pair', pairs, width), fromCandidate));
  // The output's bias is added to places side by side: in (B, H, 1) ONNX Runtime would go from value to value.
  const scores = add(
    reshape(projectParts('attention.output', [hidden], 1), [batch!, places!]),
    parameter('attention.output.bias', [1], zeros),
  );
  return reshape(multiply(scores, mask), [batch!, 1, places!]);
}

/** Clicks (B, H, K) alone and times the candidate (B, K). */
function pairsOf(clicks: FloatTensor | null, candidate: FloatTensor | null): readonly FloatTensor[] {
  if (clicks === null || candidate === null) return [];
  const [batch, , length] = clicks.shape;
  return [clicks, multiply(clicks, reshape(candidate, [batch!, 1, length!]))];
}
