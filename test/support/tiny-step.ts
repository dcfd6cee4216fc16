/** Training steps on a tiny batch, by one process or by several. */

import { defaultAugmentation } from '../../src/augmentation/config.ts';
import { drawAugmentations } from '../../src/augmentation/draw.ts';
import { oneProcess } from '../../src/collectives/one-process.ts';
import type { ProcessGroup } from '../../src/collectives/process-group.ts';
import type { ClickBatch } from '../../src/data/samplers/click-sampler.ts';
import type { Encoder } from '../../src/encoders/encoder.ts';
import { featureHead } from '../../src/encoders/feature-head.ts';
import { createEncoder, type EncoderConfig } from '../../src/encoders/index.ts';
import { createOptimizer } from '../../src/graph/optimizers.ts';
import { initialValues, layoutOf } from '../../src/graph/parameters.ts';
import { gradientState, scalarFeeds } from '../../src/graph/training-step.ts';
import { courierObjective, courierSettings } from '../../src/objectives/courier.ts';
import { Random } from '../../src/random.ts';
import type { SharedLoader } from '../../src/runtime/engine.ts';
import type { PhotoFeeds } from '../../src/training/contrastive-step.ts';
import { createStep } from '../../src/training/create-step.ts';
import {
  isFused,
  type StepDescription,
  type StepPlan,
  stepParameters,
} from '../../src/training/step-models.ts';

/** Photos of the batch, and units that its head may hide. */
export const [tinyPhotos, tinyUnits] = [11, 10];
const [side, samples, candidates, places, components] = [8, 5, 3, 3, 6];
const sizes = { side, head: 'mean', dimension: 8 } as const;

export const tinyEncoders: readonly EncoderConfig[] = [
  { name: 'vit', patch: 4, width: 8, depth: 2, heads: 2, mlpRatio: 2, ...sizes },
  { name: 'swin', patch: 2, width: 8, depths: [2], heads: [2], window: 2, mlpRatio: 2, ...sizes },
];

const random = Random.seeded(5, 'step');
const rows = (length: number) => Int32Array.from({ length }, () => random.integer(tinyPhotos));
const batch: ClickBatch = {
  photos: Int32Array.from({ length: tinyPhotos }, (_, row) => row),
  clicked: rows(samples),
  candidates: rows(samples * candidates),
  candidateMask: Float32Array.from({ length: samples * candidates }, (_, place) => Number(place % 7 !== 6)),
  history: rows(samples * places),
  historyMask: Float32Array.from({ length: samples * places }, (_, place) => Number(place % 4 !== 3)),
  newest: rows(samples),
};
const pixels = Uint8Array.from({ length: tinyPhotos * side * side * 3 }, () => random.integer(256));
const features = Float32Array.from({ length: tinyPhotos * components }, () => random.normal());

/** Zeros beyond the last photo. */
export const readPixels = (from: number, to: number) => {
  const bytes = side * side * 3;
  const some = new Uint8Array((to - from) * bytes);
  some.set(pixels.subarray(from * bytes, to * bytes));
  return some;
};
const readFeatures = (from: number, to: number) => {
  const some = new Float32Array((to - from) * components);
  some.set(features.subarray(from * components, to * components));
  return some;
};

const optimizer = createOptimizer({ name: 'sgd', momentum: 0, weightDecay: 0 });

export function describeTinyStep(
  encoder: Encoder,
  augmented = false,
  processes = 1,
): StepDescription<ClickBatch> {
  const objective = courierSettings.parse({ heads: 2, temperature: 0.2, sequenceWeight: 0.5 });
  return {
    encoder,
    objective: courierObjective(objective, { candidates, history: places }),
    samples,
    photos: tinyPhotos,
    augmented,
    processes,
    update: { optimizer, clipNorm: 1, averageDecay: null },
  };
}

/** A head on features, whose photos are encoded together. */
export function tinyHead(dropout: number): Encoder {
  const head = { name: 'perceptron', hidden: tinyUnits, dropout } as const;
  return featureHead({ head, components, grids: [], dimension: 8 });
}

interface Further {
  readonly augmented?: boolean;
  readonly read?: PhotoFeeds['read'];
  readonly draws?: PhotoFeeds['draws'];
  readonly group?: ProcessGroup;
}

/** What two steps do to the parameters, and the losses before each. */
export async function trainTiny(
  engine: SharedLoader,
  encoder: EncoderConfig | Encoder,
  plan: StepPlan,
  { augmented = false, read, draws: further = {}, group = oneProcess }: Further = {},
) {
  const trained = 'sees' in encoder ? encoder : createEncoder(encoder);
  const description = describeTinyStep(trained, augmented, group.size);
  const tensors = stepParameters(description);
  const layout = layoutOf(tensors);
  const parameters = initialValues(tensors, Random.seeded(2, 'parameters'));
  const start = { parameters, 'sgd.momentum': new Float32Array(layout.size) };
  const sum = isFused(description, plan) ? {} : { [gradientState]: new Float32Array(layout.size) };
  const state = await engine.createState({ ...start, ...sum });
  const step = await createStep(engine, state, layout, description, plan, group);
  const losses: Readonly<Record<string, number>>[] = [];
  for (const t of [1, 2]) {
    const draws = augmented
      ? drawAugmentations(defaultAugmentation, tinyPhotos, Random.seeded(t, 'draws'))
      : {};
    const feeds = {
      count: tinyPhotos,
      read: read ?? (trained.sees.type === 'uint8' ? readPixels : readFeatures),
      draws: { ...draws, ...further },
    };
    losses.push(await step(batch, feeds, scalarFeeds(optimizer, t, 0.1)));
  }
  const after = (await state.read())['parameters']!;
  return { update: after.map((value, index) => value - parameters[index]!), losses };
}
