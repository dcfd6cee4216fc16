/** Everything that can be set for pre-training. */
import { z } from 'zod';
import { runSettings } from '../../runs/settings.ts';
import { trainingSettings } from '../../training/config.ts';

export const pretrainConfig = z.strictObject({
  dataset: runSettings.dataset,
  out: runSettings.out,
  seed: runSettings.seed,
  ...trainingSettings.shape,
});

export type PretrainConfigInput = z.input<typeof pretrainConfig>;
