/** A COURIER training step on random photos, as `courier pretrain` does it. */

import { oneProcess } from '../src/collectives/one-process.ts';
import type { ProcessGroup } from '../src/collectives/process-group.ts';
import type { ClickBatch } from '../src/data/samplers/click-sampler.ts';
import type { Encoder } from '../src/encoders/encoder.ts';
import { createEncoder } from '../src/encoders/index.ts';
import type { PresetName } from '../src/encoders/presets.ts';
import { createOptimizer } from '../src/graph/optimizers.ts';
import { initialValues, layoutOf } from '../src/graph/parameters.ts';
import { sizeOf } from '../src/graph/tensor.ts';
import { gradientState, scalarFeeds } from '../src/graph/training-step.ts';
import { courierObjective, courierSettings } from '../src/objectives/courier.ts';
import { Random } from '../src/random.ts';
import { Engine } from '../src/runtime/engine.ts';
import { createStep } from '../src/training/create-step.ts';
import {
  dealtPhotos,
  isFused,
  type StepDescription,
  type StepPlan,
  stepParameters,
} from '../src/training/step-models.ts';
import { planStep } from '../src/training/step-plan.ts';

export interface StepCase {
  readonly encoder: PresetName;
  /** Side of the photos in pixels. */
  readonly side: number;
  /** Distinct photos of a batch. */
  readonly photos: number;
  readonly samples: number;
  readonly threads: number;
}

const [dimension, candidates, places] = [128, 5, 5];

export function describeStep({ encoder, side, photos, samples }: StepCase): StepDescription<ClickBatch> {
  return describeEncoder(createEncoder({ name: encoder, side, head: 'mean', dimension }), photos, samples);
}

export function describeEncoder(
  encoder: Encoder,
  photos: number,
  samples: number,
  processes = 1,
): StepDescription<ClickBatch> {
  return {
    encoder,
    objective: courierObjective(courierSettings.parse({}), { candidates, history: places }),
    samples,
    photos,
    augmented: false,
    processes,
    update: {
      optimizer: createOptimizer({ name: 'adamw', weightDecay: 0.01 }),
      clipNorm: 1,
      averageDecay: null,
    },
  };
}

/**
 * Starts an engine of its own.
 * @param how bytes of memory that the process may take, or how the step is to be cut
 * @param preloaded photos lie in memory, as the peers' do; else they are read when their turn comes
 */
export function startStep(step: StepCase, how: number | StepPlan, preloaded = true) {
  return startDescribed(describeStep(step), step.threads, how, noisePhotos(step.side), preloaded);
}

/** Photos that differ, which a few thousand bytes of noise are enough for. @param side in pixels */
export function noisePhotos(side: number) {
  const bytes = side * side * 3;
  const random = Random.seeded(1, 'noise');
  const noise = Uint8Array.from({ length: 4099 }, () => random.integer(256));
  return (from: number, to: number) =>
    Uint8Array.from({ length: (to - from) * bytes }, (_, index) => noise[(from * bytes + index) % 4099]!);
}

/** Features of photos that differ, which a few thousand numbers of noise are enough for. @param width numbers of a photo */
export function noiseFeatures(width: number) {
  const random = Random.seeded(1, 'noise');
  const noise = Float32Array.from({ length: 4099 }, () => random.normal());
  return (from: number, to: number) =>
    Float32Array.from({ length: (to - from) * width }, (_, at) => noise[(from * width + at) % noise.length]!);
}

/** @param read what the encoder sees of photos, as `startStep` makes it of noise */
export async function startDescribed(
  description: StepDescription<ClickBatch>,
  threads: number,
  how: number | StepPlan,
  read: (from: number, to: number) => Uint8Array | Float32Array,
  preloaded = true,
  group: ProcessGroup = oneProcess,
) {
  const { photos, samples, encoder } = description;
  const random = Random.seeded(1, 'bench');
  const rows = (length: number) => Int32Array.from({ length }, () => random.integer(photos));
  const ones = (length: number) => new Float32Array(length).fill(1);
  const history = rows(samples * places);
  const batch: ClickBatch = {
    photos: Int32Array.from({ length: photos }, (_, row) => row),
    clicked: rows(samples),
    candidates: rows(samples * candidates),
    candidateMask: ones(samples * candidates),
    history,
    historyMask: ones(samples * places),
    newest: history.filter((_, place) => place % places === 0),
  };
  const tensors = stepParameters(description);
  const layout = layoutOf(tensors);
  const engine = Engine.start({ threads });
  const plan = typeof how === 'number' ? await planStep(engine, layout, description, how) : how;
  const { optimizer } = description.update;
  const zeros = () => new Float32Array(layout.size);
  const state = await engine.createState({
    parameters: initialValues(tensors, random),
    ...Object.fromEntries(optimizer.slots.map((slot) => [slot, zeros()])),
    ...(isFused(description, plan) ? {} : { [gradientState]: zeros() }),
  });
  const run = await createStep(engine, state, layout, description, plan, group);
  const whole = preloaded ? read(0, dealtPhotos(photos, plan, group).rows) : null;
  const numbers = sizeOf(encoder.sees.shape);
  const feeds = {
    count: photos,
    read: (from: number, to: number) => whole?.slice(from * numbers, to * numbers) ?? read(from, to),
    draws: {},
  };
  let count = 0;
  /** What a step took, and what it found. */
  const figures = async () => {
    const start = performance.now();
    const found = await run(batch, feeds, scalarFeeds(optimizer, ++count, 1e-3));
    return { seconds: (performance.now() - start) / 1000, found };
  };
  return {
    plan,
    parameters: layout.size,
    fused: isFused(description, plan),
    figures,
    /** @returns the seconds that a step took */
    round: async () => (await figures()).seconds,
    stop: () => engine.close(),
  };
}
