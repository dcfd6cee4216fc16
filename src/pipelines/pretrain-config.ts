/** Everything that can be set for pre-training, with every default. */
import { z } from 'zod';
import { defaultAugmentation as gentle } from '../augmentation/config.ts';
import { headNames } from '../encoders/layers.ts';
import { presetNames } from '../encoders/presets.ts';
import { objectiveSettings } from '../objectives/index.ts';
import { deviceChoices } from '../runtime/device.ts';
import { parseBytes } from '../runtime/memory.ts';

const side = z.int().min(2).max(64);
const width = z.int().min(8).max(2048);
/** `mean` pooling as in the paper, or `layout`, which keeps where things are: better for aligned photos. */
const head = z.enum(headNames).default('mean');
/** Length of the embeddings. */
const dimension = z.int().min(4).max(2048).default(128);

const vitConfig = z.strictObject({
  name: z.literal('vit').default('vit'),
  /** Side of the patches in pixels; must divide the side of the dataset's photos. */
  patch: side.default(8),
  width: width.default(96),
  depth: z.int().min(1).max(48).default(3),
  heads: z.int().min(1).max(32).default(3),
  mlpRatio: z.int().min(1).max(8).default(3),
  head,
  dimension,
});

const swinConfig = z.strictObject({
  name: z.literal('swin'),
  patch: side.default(4),
  /** Width of the first stage; each later one doubles it. */
  width: width.default(32),
  /** Blocks of each stage, and their heads. */
  depths: z.array(z.int().min(1).max(48)).min(1).max(6).default([2, 2, 2]),
  heads: z.array(z.int().min(1).max(64)).min(1).max(6).default([2, 4, 8]),
  /** Side of the attention windows, in patches. */
  window: z.int().min(2).max(32).default(4),
  mlpRatio: z.int().min(1).max(8).default(4),
  head,
  dimension,
});

/** Outlines and colours of a grid of cells, then a small perceptron: for small logs, and quick. */
const outlinesConfig = z.strictObject({
  name: z.literal('outlines'),
  /** Cells on each side; must divide the side of the dataset's photos. */
  cells: z.int().min(1).max(64).default(8),
  /** Width of the hidden layer. */
  width: width.default(512),
  dimension,
});

/** Encoders of known sizes: `name`, `head` and `dimension` are all there is to choose. */
const presetConfig = z.strictObject({ name: z.enum(presetNames), head, dimension });

const encoderConfig = z.discriminatedUnion('name', [vitConfig, swinConfig, outlinesConfig, presetConfig]);

const share = z.number().min(0).max(1);
const areaShare = z.number().positive().max(1);

/** The smallest and the largest of what is drawn. */
const ascending = (value: z.ZodNumber) =>
  z.tuple([value, value]).refine(([least, most]) => least <= most, 'the first must not exceed the second');

/** How photos are altered before they are encoded; src/augmentation says what each does. */
const augmentationConfig = z.strictObject({
  crop: z
    .strictObject({
      area: ascending(areaShare).default([...gentle.crop.area]),
      stretch: z.number().min(1).max(4).default(gentle.crop.stretch),
    })
    .prefault({}),
  flip: z.strictObject({ probability: share.default(gentle.flip.probability) }).prefault({}),
  jitter: z
    .strictObject({
      probability: share.default(gentle.jitter.probability),
      brightness: share.default(gentle.jitter.brightness),
      contrast: share.default(gentle.jitter.contrast),
      saturation: share.default(gentle.jitter.saturation),
    })
    .prefault({}),
  grey: z.strictObject({ probability: share.default(gentle.grey.probability) }).prefault({}),
  blur: z
    .strictObject({
      probability: share.default(gentle.blur.probability),
      deviation: ascending(share).default([...gentle.blur.deviation]),
    })
    .prefault({}),
});

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

export const pretrainConfig = z.strictObject({
  dataset: z.string().min(1),
  out: z.string().min(1),
  seed: z.int().nonnegative().default(1),
  encoder: encoderConfig.prefault({}),
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
  augmentation: augmentationConfig.nullable().default(null),
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
  Settings extends Pick<PretrainConfig, 'memory' | 'threads' | 'device' | 'checkpointEvery' | 'collapse'>,
>({ memory, threads, device, checkpointEvery, collapse, ...rest }: Settings) {
  return rest;
}

export type PretrainConfig = z.output<typeof pretrainConfig>;
export type PretrainConfigInput = z.input<typeof pretrainConfig>;
