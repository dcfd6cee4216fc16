/** Settings of the demo, with every default. */
import { z } from 'zod';
import { withDefault } from '../config.ts';
import { compareConfig } from '../pipelines/compare/config.ts';
import { rankerConfig } from '../rankers/config.ts';
import { shopConfig } from '../shop/config.ts';
import { trainingSettings } from '../training/config.ts';

const training = trainingSettings.shape;

/** What two cores do in a minute. */
export const demoPretraining = trainingSettings
  .omit({ olderShare: true })
  .extend({
    steps: withDefault(training.steps, 280),
    batchSize: withDefault(training.batchSize, 128),
    candidates: withDefault(training.candidates, 4),
    validateEvery: withDefault(training.validateEvery, 40),
  })
  .prefault({})
  .describe('How encoders are trained.');

export const demoRanker = rankerConfig
  .extend({
    batchSize: withDefault(rankerConfig.shape.batchSize, 128),
    // Of a log as small as the demo's, pieces between quantiles are too many to learn from.
    numericPieces: withDefault(rankerConfig.shape.numericPieces, 0),
  })
  .prefault({})
  .describe('The click-through-rate model and its training.');

export const demoChoices = withDefault(compareConfig.shape.choices, [
  {},
  { minimumCount: 50 },
  { ids: 'none' },
]);

export const demoSide = z
  .int()
  .min(16)
  .max(256)
  .default(32)
  .describe('Side of the decoded photos in pixels.');

/** The comparison with other defaults: what two cores do in two minutes. */
const demoComparison = compareConfig.omit({ dataset: true, out: true }).extend({
  seeds: withDefault(compareConfig.shape.seeds, [1]),
  starts: withDefault(compareConfig.shape.starts, ['warm']),
  choices: demoChoices,
  ranker: demoRanker,
  pretrain: demoPretraining,
});

export const demoConfig = z.strictObject({
  out: z.string().min(1).default('runs/demo').describe('Folder for the shop, the dataset and the run.'),
  shop: shopConfig.prefault({}).describe('The generated shop.'),
  side: demoSide,
  compare: demoComparison.prefault({}).describe('The comparison on it.'),
});

export type DemoConfig = z.output<typeof demoConfig>;
export type DemoConfigInput = z.input<typeof demoConfig>;
