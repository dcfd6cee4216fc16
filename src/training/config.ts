/** Everything that can be set for training an encoder, with every default. */

import { z } from 'zod';
import { augmentationSettings } from '../augmentation/config.ts';
import { distinct } from '../config.ts';
import { encoderSettings } from '../encoders/index.ts';
import { objectiveSettings } from '../objectives/index.ts';
import { runSettings } from '../runs/settings.ts';
import { parseBytes } from '../runtime/memory.ts';

/**
 * A first stage on the catalogue's own photos, whose encoder the training then starts from: the stand-in where no
 * published weights are at hand.
 */
const firstStageSettings = z.strictObject({
  objective: objectiveSettings.prefault({ name: 'simclr' }).describe('What the first stage learns.'),
  steps: z.int().positive().default(300).describe('Training steps of the first stage.'),
  batchSize: z.int().min(2).max(65_536).default(256).describe('Samples per batch of the first stage.'),
  out: z
    .string()
    .min(1)
    .optional()
    .describe('Its run folder, by default `first-stage` inside `out`. Runs that name the same one share it.'),
});

/** All but where it reads and writes, and the seed. */
export const trainingSettings = z.strictObject({
  encoder: encoderSettings.prefault({}).describe('The network that turns a photo into its embedding.'),
  init: z
    .string()
    .min(1)
    .optional()
    .describe(
      'A safetensors file to start the encoder from: of pretrain, torchvision, timm or transformers.',
    ),
  objective: objectiveSettings.prefault({}).describe('What is learned.'),
  prefixes: distinct(z.array(z.int().min(2)).max(8))
    .default([])
    .describe(
      'Lengths n, such as [32, 64, 128]: the first n numbers of each embedding are learned to be of use by themselves (Matryoshka representation learning). The contrastive losses are the mean over these lengths and the whole. For courier, scl, simclr and clip; no first stage and no source of a comparison that is trained otherwise has them.',
    ),
  firstStage: firstStageSettings
    .nullable()
    .default(null)
    .describe(
      "A first stage on the catalogue's own photos, whose encoder the training then starts from; null for none.",
    ),
  olderShare: z
    .number()
    .gt(0)
    .lt(1)
    .nullable()
    .default(null)
    .describe(
      'Share of the days of the training period that it learns from, the oldest ones, so that a ranker can go on with the rest; null for all of them.',
    ),
  steps: z.int().positive().default(300).describe('Training steps.'),
  batchSize: z.int().min(2).max(65_536).default(256).describe('Samples per batch.'),
  candidates: z.int().min(1).max(50).default(5).describe('Candidates of a page view at most.'),
  history: z.int().min(2).max(50).default(5).describe('Earlier clicks of a user at most.'),
  augmentation: augmentationSettings
    .nullable()
    .default(null)
    .describe(
      'How photos are altered at every step; {} takes the gentle defaults below. null leaves them as they are, but for simclr and simsiam, which compare two views of a photo and take {}.',
    ),
  learningRate: z.number().positive().default(1e-3).describe('Highest learning rate.'),
  warmup: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe('Share of the steps in which the learning rate rises; then it falls along a cosine.'),
  weightDecay: z.number().min(0).max(1).default(0.01).describe('Weight decay of AdamW.'),
  clipNorm: z
    .number()
    .positive()
    .nullable()
    .default(1)
    .describe('Gradients with a longer norm are shortened to it; null leaves them.'),
  averageDecay: z
    .number()
    .min(0)
    .max(0.99999)
    .nullable()
    .default(null)
    .describe(
      'Share of the old in a moving average of the parameters, such as 0.98, which is then validated and exported; null for none.',
    ),
  validateEvery: z
    .int()
    .positive()
    .default(50)
    .describe('Steps between two looks at the validation period, of which the best is kept.'),
  checkpointEvery: z
    .int()
    .positive()
    .nullable()
    .default(null)
    .describe(
      'Steps between checkpoints: what is lost at most where a run is killed. null takes one every 10 seconds, or less often where writing takes longer than a tenth of a second: a hundred times as long then. It changes nothing that is learned.',
    ),
  checkEvery: z
    .int()
    .positive()
    .default(50)
    .describe(
      'Of several processes: steps between two looks whether all have the same parameters. It changes nothing that is learned.',
    ),
  patience: z
    .int()
    .positive()
    .nullable()
    .default(5)
    .describe('Training ends after so many looks without a better score; null never ends early.'),
  collapse: z
    .enum(['stop', 'continue'])
    .default('stop')
    .describe(
      'Whether training ends where embeddings collapse. It can go on later: this does not change what it learns.',
    ),
  memory: z
    .union([z.string().transform(parseBytes), z.int().positive()])
    .optional()
    .describe(
      'What the process may take, as 8GiB or in bytes; by default half of what the machine or container has.',
    ),
  threads: z.int().min(1).max(1024).optional().describe('Cores that it may use; by default all.'),
  device: runSettings.device,
  validationPageViews: z
    .int()
    .positive()
    .default(600)
    .describe('Page views of the validation period that are looked at.'),
});

/**
 * The settings without those that say where and with how much it is computed, how often it is saved and checked, and
 * whether a collapse ends it.
 */
export function whatIsLearned<
  Settings extends Pick<
    TrainingSettings,
    'memory' | 'threads' | 'device' | 'checkpointEvery' | 'checkEvery' | 'collapse'
  >,
>({ memory, threads, device, checkpointEvery, checkEvery, collapse, ...rest }: Settings) {
  return rest;
}

export type TrainingSettings = z.output<typeof trainingSettings>;

/** One training: its settings, its seed, and where it reads and writes. */
export interface TrainingConfig extends TrainingSettings {
  readonly seed: number;
  /** Dataset folder, for messages. */
  readonly dataset: string;
  /** Run folder. */
  readonly out: string;
}
