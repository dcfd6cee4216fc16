/** Everything that can be set for training an encoder, with every default. */
import { z } from 'zod';
import { augmentationSettings } from '../augmentation/config.ts';
import { encoderSettings } from '../encoders/index.ts';
import { objectiveSettings } from '../objectives/index.ts';
import { deviceChoices } from '../runtime/device.ts';
import { parseBytes } from '../runtime/memory.ts';

/**
 * A first stage on the catalogue's own photos, whose encoder the training then starts from: the stand-in where no
 * published weights are at hand.
 */
const startConfig = z.strictObject({
  objective: objectiveSettings.prefault({ name: 'simclr' }),
  steps: z.int().positive().default(300),
  batchSize: z.int().min(2).max(65_536).default(256),
  /** Its run folder, `start` inside `out` by default. Runs that name the same one share it. */
  out: z.string().min(1).optional(),
});

/** All but where it reads and writes, and the seed. */
export const trainingSettings = z.strictObject({
  encoder: encoderSettings.prefault({}),
  /** A safetensors file to start the encoder from: of pretrain, torchvision, timm or transformers. */
  init: z.string().min(1).optional(),
  /** What is learned; src/objectives has a file for each, with its settings. */
  objective: objectiveSettings.prefault({}),
  start: startConfig.nullable().default(null),
  steps: z.int().positive().default(300),
  /** Samples per batch. */
  batchSize: z.int().min(2).max(65_536).default(256),
  candidates: z.int().min(1).max(50).default(5),
  history: z.int().min(2).max(50).default(5),
  /**
   * null trains on the photos as they are; an object, even an empty one, alters them at every step. Objectives that
   * compare two views of a photo (simclr, simsiam) take the defaults of an empty object for null.
   */
  augmentation: augmentationSettings.nullable().default(null),
  learningRate: z.number().positive().default(1e-3),
  /** Share of the steps in which the learning rate rises; then it falls along a cosine. */
  warmup: z.number().min(0).max(1).default(0.1),
  weightDecay: z.number().min(0).max(1).default(0.01),
  clipNorm: z.number().positive().nullable().default(1),
  /** Share of the old in a moving average of the parameters, which is then validated and exported; null: none. */
  averageDecay: z.number().min(0).max(0.99999).nullable().default(null),
  /** Steps between two looks at the validation period, of which the best is kept. */
  validateEvery: z.int().positive().default(50),
  /** Steps between checkpoints: what is lost at most where a run is killed. It changes nothing that is learned. */
  checkpointEvery: z.int().positive().default(25),
  /** Training ends after so many looks without a better score; null never ends early. */
  patience: z.int().positive().nullable().default(5),
  /** Whether training ends where embeddings collapse. It can go on later: this does not change what it learns. */
  collapse: z.enum(['stop', 'continue']).default('stop'),
  /** What the process may take, as 8GiB or in bytes; by default half of what the machine or container has. */
  memory: z.union([z.string().transform(parseBytes), z.int().positive()]).optional(),
  /** Cores that it may use; by default all. */
  threads: z.int().min(1).max(1024).optional(),
  device: z.enum(deviceChoices).default('cpu'),
  /** Page views of the validation period that are looked at. */
  validationPageViews: z.int().positive().default(600),
});

/**
 * The settings without those that say where and with how much it is computed, how often it is saved, and whether a
 * collapse ends it.
 */
export function whatIsLearned<
  Settings extends Pick<TrainingSettings, 'memory' | 'threads' | 'device' | 'checkpointEvery' | 'collapse'>,
>({ memory, threads, device, checkpointEvery, collapse, ...rest }: Settings) {
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
