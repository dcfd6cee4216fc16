/** All inputs of a ranker side by side, the history pooled into one item. */
import type { FloatTensor } from '../graph/tensor.ts';
import { join, maskedMean } from './layers.ts';
import type { RankerInputs } from './ranker.ts';

/** What photos add comes last, as `RankerInputs` asks. @param pool (B, H, K) → (B, K) */
export function flatInput(
  { situation, candidate, history, dense, visualDense }: RankerInputs,
  pool: (clicks: FloatTensor) => FloatTensor,
): FloatTensor {
  return join([
    situation,
    candidate.ids,
    pool(history.ids),
    dense,
    candidate.visual,
    history.visual === null ? null : pool(history.visual),
    visualDense,
  ]);
}

/** The same, the history averaged. */
export function averagedInput(inputs: RankerInputs): FloatTensor {
  return flatInput(inputs, (clicks) => maskedMean(clicks, inputs.historyMask));
}
