/** Everything that can be set for a comparison, with every default. */
import { z } from 'zod';
import { distinct } from '../../config.ts';
import { evaluationSettings } from '../../evaluation/config.ts';
import { featureSetText } from '../../features/index.ts';
import { trainingSettings } from '../../training/config.ts';
import { defaultSources, sourceNames } from '../../training/embedding-sources.ts';

export const compareConfig = z.strictObject({
  dataset: z.string().min(1),
  /** Run folder to write. */
  out: z.string().min(1),
  /** Where embeddings come from. */
  sources: distinct(z.array(z.enum(sourceNames)).min(1)).default([...defaultSources]),
  /** How they enter the ranker, several at once joined by `+`; `none`, the baseline, is always there. */
  features: distinct(z.array(featureSetText).min(1)).default(['sim-score']),
  /** Each seed repeats everything that is random: pre-training, sampling, the ranker. */
  seeds: distinct(z.array(z.int().nonnegative()).min(1)).default([1, 2, 3]),
  pretrain: trainingSettings.prefault({}),
  ...evaluationSettings,
  /** Clicks shown with the earlier clicks that they were rebuilt from. */
  examples: z.int().min(0).max(50).default(6),
});

export type CompareConfig = z.output<typeof compareConfig>;
export type CompareConfigInput = z.input<typeof compareConfig>;
