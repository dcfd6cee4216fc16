/** Embedding and MLP (the base model of Zhou et al., KDD 2018, section 4.2): the history is averaged. */
import { join, maskedMean, multilayerPerceptron } from './layers.ts';
import type { Ranker } from './ranker.ts';

export const mlp: Ranker = ({ situation, candidate, history, historyMask, dense, visualDense }, config) => {
  const input = join([
    situation,
    candidate.ids,
    maskedMean(history.ids, historyMask),
    dense,
    candidate.visual,
    history.visual === null ? null : maskedMean(history.visual, historyMask),
    visualDense,
  ]);
  return multilayerPerceptron('mlp', input, config.hiddenWidths);
};
