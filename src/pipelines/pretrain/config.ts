/** Everything that can be set for pre-training. */
import { z } from 'zod';
import { trainingSettings } from '../../training/config.ts';

export const pretrainConfig = z.strictObject({
  /** Dataset folder that ingest wrote. */
  dataset: z.string().min(1),
  /** Run folder to write. */
  out: z.string().min(1),
  seed: z.int().nonnegative().default(1),
  ...trainingSettings.shape,
});

export type PretrainConfig = z.output<typeof pretrainConfig>;
export type PretrainConfigInput = z.input<typeof pretrainConfig>;
