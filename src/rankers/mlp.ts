/** Embedding and MLP (the base model of Zhou et al., KDD 2018, section 4.2): the history is averaged. */
import { averagedInput } from './flat-input.ts';
import { multilayerPerceptron } from './layers.ts';
import type { Ranker } from './ranker.ts';

export const mlp: Ranker = (inputs, config) =>
  multilayerPerceptron('mlp', averagedInput(inputs), config.hiddenWidths);
