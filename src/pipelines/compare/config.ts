/** Everything that can be set for a comparison, with every default. */
import { z } from 'zod';
import { distinct } from '../../config.ts';
import { evaluationSettings } from '../../evaluation/config.ts';
import { featureNames, featureSetText } from '../../features/index.ts';
import { runSettings } from '../../runs/settings.ts';
import { trainingSettings } from '../../training/config.ts';
import { defaultSources, sourceNames } from '../../training/embedding-sources.ts';

export const compareConfig = z.strictObject({
  dataset: runSettings.dataset,
  out: runSettings.out,
  sources: distinct(z.array(z.enum(sourceNames)).min(1))
    .default([...defaultSources])
    .describe('Where embeddings come from.'),
  features: distinct(z.array(featureSetText).min(1))
    .default(['sim-score'])
    .describe(
      `How embeddings enter the ranker: ${featureNames.join(', ')}, or several joined by +. The ranker without images is always there.`,
    ),
  seeds: distinct(z.array(z.int().nonnegative()).min(1))
    .default([1, 2, 3])
    .describe('Each seed repeats everything that is random: pre-training, sampling, the ranker.'),
  pretrain: trainingSettings.omit({ olderShare: true }).prefault({}).describe('How encoders are trained.'),
  ...evaluationSettings,
  examples: z
    .int()
    .min(0)
    .max(50)
    .default(6)
    .describe('Clicks that the report shows with the earlier clicks that they were rebuilt from.'),
});

export type CompareConfig = z.output<typeof compareConfig>;
export type CompareConfigInput = z.input<typeof compareConfig>;
