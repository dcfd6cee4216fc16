/** DCN-V2 (Wang et al., WWW 2021): explicit crosses of bounded degree beside a deep network, in parallel. */
import { add, multiply } from '../graph/operators/index.ts';
import type { FloatTensor } from '../graph/tensor.ts';
import { averagedInput } from './flat-input.ts';
import { dense, hiddenLayers, join } from './layers.ts';
import type { Ranker } from './ranker.ts';

export const dcnv2: Ranker = (inputs, config) => {
  const input = averagedInput(inputs);
  const deep = hiddenLayers('deep', input, config.hiddenWidths);
  // Crosses come last, for they are as wide as the input and grow with it.
  return dense('output', join([deep, crosses(input, config.crossLayers)]), 1);
};

/** x₀ ⊙ (W xₗ + b) + xₗ, again and again: l layers hold crosses of degree l + 1 (equation 1). (B, D) → (B, D) */
function crosses(input: FloatTensor, layers: number): FloatTensor {
  let crossed = input;
  for (let layer = 0; layer < layers; layer++) {
    const mixed = dense(`cross.${layer}`, crossed, input.shape[1]!);
    crossed = add(multiply(input, mixed), crossed);
  }
  return crossed;
}
