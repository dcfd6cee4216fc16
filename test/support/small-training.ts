/** A few training steps of a small encoder, to be compared between devices. */
import { defaultAugmentation } from '../../src/augmentation/config.ts';
import { drawAugmentations } from '../../src/augmentation/draw.ts';
import type { ClickBatch } from '../../src/data/samplers/click-sampler.ts';
import { type Encoder, pixelsOf } from '../../src/encoders/encoder.ts';
import { exportEncoder } from '../../src/encoders/export.ts';
import { createEncoder } from '../../src/encoders/index.ts';
import { floatPatches } from '../../src/encoders/patches.ts';
import { affine, head } from '../../src/graph/layers.ts';
import { add, relu, standardize } from '../../src/graph/operators/index.ts';
import { createOptimizer } from '../../src/graph/optimizers.ts';
import { initialValues, layoutOf, type ParameterLayout } from '../../src/graph/parameters.ts';
import { scalarFeeds } from '../../src/graph/training-step.ts';
import { courierObjective, courierSettings } from '../../src/objectives/courier.ts';
import { Random } from '../../src/random.ts';
import type { Device } from '../../src/runtime/device.ts';
import { Engine, floats } from '../../src/runtime/engine.ts';
import type { EngineOptions } from '../../src/runtime/protocol.ts';
import type { PhotoFeeds } from '../../src/training/contrastive-step.ts';
import { createStep } from '../../src/training/create-step.ts';
import { type StepDescription, stepParameters } from '../../src/training/step-models.ts';

export interface SmallTraining {
  /** Of the exported encoder, before training. (M, d) */
  readonly embeddings: readonly number[];
  readonly losses: readonly number[];
  /** What training has added to each parameter that the loss depends on. */
  readonly changes: readonly number[];
}

const [side, photos, samples, places] = [16, 6, 5, 3];
const sizes = { side, head: 'mean', dimension: 8 } as const;
const encoders = {
  vit: createEncoder({ name: 'vit', patch: 4, width: 16, depth: 3, heads: 2, mlpRatio: 2, ...sizes }),
  swin: createEncoder({
    name: 'swin',
    patch: 2,
    width: 8,
    depths: [2, 1],
    heads: [2, 2],
    window: 4,
    mlpRatio: 2,
    ...sizes,
  }),
  'post-norm': postNorm(),
};

export const smallEncoders = ['vit', 'swin', 'post-norm'] as const;
export type SmallEncoder = (typeof smallEncoders)[number];

/** What the others lack: a layer normalisation of a sum that nothing else uses. */
function postNorm(): Encoder {
  const { dimension } = sizes;
  return {
    sees: pixelsOf(side),
    dimension,
    forward(photos) {
      const patches = standardize(floatPatches(photos, 4)); // (B, T, 48)
      const wide = relu(affine('encoder.wide', patches, 16));
      return head(standardize(add(wide, affine('encoder.again', wide, 16))), 'mean', dimension);
    },
  };
}

const optimizer = createOptimizer({ name: 'adamw', weightDecay: 0.01 });

function describeStep(name: SmallEncoder): StepDescription<ClickBatch> {
  const config = courierSettings.parse({ heads: 2, temperature: 0.2, sequenceWeight: 0.5 });
  return {
    encoder: encoders[name],
    objective: courierObjective(config, { candidates: 2, history: places }),
    samples,
    photos,
    augmented: true,
    processes: 1,
    update: { optimizer, clipNorm: 1, averageDecay: null },
  };
}

/** Embeds photos with the exported encoder, then trains it to the COURIER loss for three steps of AdamW. */
export async function trainSmallModel(
  device: Device,
  name: SmallEncoder,
  options: Partial<EngineOptions> = {},
): Promise<SmallTraining> {
  const description = describeStep(name);
  const random = Random.seeded(1, 'small training');
  const tensors = stepParameters(description);
  const layout = layoutOf(tensors);
  const before = initialValues(tensors, random);
  const engine = Engine.start({ threads: 1, device, ...options });
  try {
    const pixels = drawPixels(random);
    const exported = await engine.load(exportEncoder(description.encoder, layout, before));
    const embeddings = floats(await exported.run({ photos: pixels }), 'embeddings');

    const slots = optimizer.slots.map((slot) => [slot, new Float32Array(layout.size)]);
    const state = await engine.createState({ parameters: before, ...Object.fromEntries(slots) });
    // Two chunks: their gradients have to be added up.
    const step = await createStep(engine, state, layout, description, { chunk: photos / 2, group: 2 });
    const losses: number[] = [];
    for (let t = 1; t <= 3; t++) {
      const { loss } = await step(
        drawBatch(random),
        drawViews(pixels, random),
        scalarFeeds(optimizer, t, 0.01),
      );
      losses.push(loss!);
    }
    const { parameters } = await state.read();
    return { embeddings: [...embeddings], losses, changes: changes(layout, before, parameters!) };
  } finally {
    await engine.close();
  }
}

/**
 * A key's bias moves all scores of a query alike, which softmax does not see: its gradient is nothing but rounding,
 * of which Adam makes steps of full length.
 */
function changes({ places }: ParameterLayout, before: Float32Array, after: Float32Array): readonly number[] {
  return places.flatMap(({ name, offset, size }) =>
    name === 'reconstruction.key.bias'
      ? []
      : Array.from({ length: size }, (_, index) => after[offset + index]! - before[offset + index]!),
  );
}

function drawPixels(random: Random): Uint8Array {
  return Uint8Array.from({ length: photos * side * side * 3 }, () => random.integer(256));
}

function drawViews(pixels: Uint8Array, random: Random): PhotoFeeds {
  const bytes = side * side * 3;
  return {
    count: photos,
    read: (from, to) => pixels.slice(from * bytes, to * bytes),
    draws: { ...drawAugmentations(defaultAugmentation, photos, random) },
  };
}

function drawBatch(random: Random): ClickBatch {
  const rows = (length: number) => Int32Array.from({ length }, () => random.integer(photos));
  return {
    photos: Int32Array.from({ length: photos }, (_, row) => row),
    clicked: rows(samples),
    candidates: rows(samples * 2),
    candidateMask: new Float32Array(samples * 2).fill(1),
    history: rows(samples * places),
    historyMask: Float32Array.from({ length: samples * places }, (_, place) => Number(place % 4 !== 3)),
    newest: rows(samples),
  };
}
