/** What a search for pre-training settings may try, with every default, and how settings are drawn from it. */
import { z } from 'zod';
import { headNames } from '../../graph/layers.ts';
import type { Random } from '../../random.ts';
import { runSettings } from '../../runs/settings.ts';
import { trainingSettings } from '../../training/config.ts';

/** Drawn log-uniformly from the smallest to the largest. */
const logRange = (value: z.ZodNumber, smallest: number, largest: number) =>
  z
    .tuple([value, value])
    .refine(([least, most]) => least <= most, 'the first must not exceed the second')
    .default([smallest, largest]);

/** One of these, each equally likely. A single one is not searched. */
const choices = <Value extends z.ZodType>(value: Value) => z.array(value).min(1);

export const searchSpace = z.strictObject({
  learningRate: logRange(z.number().positive(), 3e-4, 1e-2).describe(
    'Smallest and largest learning rate, drawn log-uniformly.',
  ),
  temperature: logRange(z.number().positive().max(10), 0.02, 0.2).describe(
    'Smallest and largest temperature τ, drawn log-uniformly, for objectives that have one.',
  ),
  batchSize: choices(z.int().min(2).max(65_536)).default([64, 128, 256]).describe('Samples per batch.'),
  candidates: choices(z.int().min(1).max(50))
    .default([2, 3, 5, 8])
    .describe('Candidates of a page view at most.'),
  augmentation: choices(z.boolean())
    .default([false, true])
    .describe('Whether photos are altered, by the gentle defaults.'),
  head: choices(z.enum(headNames))
    .default([...headNames])
    .describe('Heads of the encoder, where it has a choice.'),
  patch: choices(z.int().min(2).max(64))
    .default([8, 16])
    .describe(
      "Sides of the patches of the encoder `vit`; those that do not divide the photos' side are left out.",
    ),
});

export type SearchSpace = z.output<typeof searchSpace>;

export const tuneConfig = z.strictObject({
  dataset: runSettings.dataset,
  out: runSettings.out,
  seed: runSettings.seed,
  budget: z
    .int()
    .min(1)
    .max(10_000)
    .default(9)
    .describe('Settings tried in the first round, `pretrain` as it is among them.'),
  reduction: z
    .int()
    .min(2)
    .max(10)
    .default(3)
    .describe(
      'Of each round the best 1/`reduction` go on to the next, which trains `reduction` times as many steps.',
    ),
  space: searchSpace
    .prefault({})
    .describe('What is searched. A list is drawn from, each value equally likely.'),
  pretrain: trainingSettings
    .omit({ olderShare: true })
    .prefault({})
    .describe('What is not searched. Its `steps` are those of the last round.'),
});

export type TuneConfig = z.output<typeof tuneConfig>;
export type TuneConfigInput = z.input<typeof tuneConfig>;
export type TriedSettings = TuneConfig['pretrain'];

/** What tells a trial from the others. */
export interface Drawn {
  readonly learningRate: number;
  readonly batchSize: number;
  readonly candidates: number;
  readonly augmentation: boolean;
  /** null where the encoder has no choice of heads. */
  readonly head: SearchSpace['head'][number] | null;
  /** null where the objective has no temperature. */
  readonly temperature: number | null;
  /** null where the encoder is no `vit`, or no choice divides the photos' side. */
  readonly patch: number | null;
}

/** What the settings that are not searched say themselves. */
export function ownSettings({ pretrain }: Pick<TuneConfig, 'pretrain'>): Drawn {
  const { learningRate, batchSize, candidates, augmentation, encoder, objective } = pretrain;
  return {
    learningRate,
    batchSize,
    candidates,
    augmentation: augmentation !== null,
    head: 'head' in encoder && encoder.name !== 'backbone' ? encoder.head : null,
    temperature: 'temperature' in objective ? objective.temperature : null,
    patch: encoder.name === 'vit' ? encoder.patch : null,
  };
}

/** @param side of the dataset's photos in pixels */
export function drawSettings(
  config: Pick<TuneConfig, 'space' | 'pretrain'>,
  side: number,
  random: Random,
): Drawn {
  const { space } = config;
  const own = ownSettings(config);
  const patches = space.patch.filter((patch) => side % patch === 0);
  // Everything is drawn, whether it is used or not, so that the encoder does not change what comes after.
  const drawn = {
    learningRate: logUniform(space.learningRate, random),
    temperature: logUniform(space.temperature, random),
    batchSize: random.pick(space.batchSize),
    candidates: random.pick(space.candidates),
    augmentation: random.pick(space.augmentation),
    head: random.pick(space.head),
    patch: patches.length === 0 ? own.patch : random.pick(patches),
  };
  return {
    ...drawn,
    temperature: own.temperature === null ? null : drawn.temperature,
    head: own.head === null ? null : drawn.head,
    patch: own.patch === null ? null : drawn.patch,
  };
}

/** The settings of pre-training with what was drawn in place of their own. */
export function withDrawn(pretrain: TriedSettings, drawn: Drawn): TriedSettings {
  const { temperature, augmentation, head, patch, ...plain } = drawn;
  const { encoder, objective } = pretrain;
  return {
    ...pretrain,
    ...plain,
    augmentation: augmentation ? (pretrain.augmentation ?? gentleAugmentation) : null,
    encoder: withDrawnEncoder(encoder, { head, patch }),
    objective: 'temperature' in objective && temperature !== null ? { ...objective, temperature } : objective,
  };
}

/** What a pretrained network and its head are is not drawn. */
function withDrawnEncoder(
  encoder: TriedSettings['encoder'],
  { head, patch }: Pick<Drawn, 'head' | 'patch'>,
): TriedSettings['encoder'] {
  if (encoder.name === 'backbone') return encoder;
  return {
    ...encoder,
    ...('head' in encoder && head !== null ? { head } : {}),
    ...(encoder.name === 'vit' && patch !== null ? { patch } : {}),
  };
}

const gentleAugmentation = trainingSettings.shape.augmentation.parse({});

/** With three significant digits, which is more than matters and can be read. */
function logUniform([smallest, largest]: readonly [number, number], random: Random): number {
  const value = smallest * (largest / smallest) ** random.uniform();
  return Math.min(largest, Math.max(smallest, Number(value.toPrecision(3))));
}
