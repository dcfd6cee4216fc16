/** Settings of features for other rankers, with every default. */
import { z } from 'zod';
import { distinct } from '../../config.ts';
import { allowLeak } from '../../evaluation/leaks.ts';
import { codesConfig } from '../../evaluation/visual-inputs.ts';
import { featureNames } from '../../features/index.ts';
import { runSettings } from '../../runs/settings.ts';

export const featuresConfig = z.strictObject({
  dataset: runSettings.dataset,
  embeddings: z
    .string()
    .min(1)
    .optional()
    .describe('File of item embeddings, of any encoder, as rank takes it; needed for every feature.'),
  features: distinct(z.array(z.enum(featureNames)))
    .default(['sim-score'])
    .describe('Ways of feeding images whose columns are written; none with base features alone.'),
  base: z
    .boolean()
    .default(true)
    .describe('Whether base features, categories and contexts are written, too.'),
  codes: codesConfig.prefault({}).describe('How cluster ids and semantic ids are made.'),
  allowLeak,
  seed: runSettings.seed,
  out: z.string().min(1).describe('Parquet file to write; what its columns mean is written beside it.'),
});

export type FeaturesConfig = z.output<typeof featuresConfig>;
export type FeaturesConfigInput = z.input<typeof featuresConfig>;
