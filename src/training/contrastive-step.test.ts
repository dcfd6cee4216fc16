import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultAugmentation } from '../augmentation/config.ts';
import { drawAugmentations } from '../augmentation/draw.ts';
import type { ClickBatch } from '../data/samplers/click-sampler.ts';
import type { Encoder } from '../encoders/encoder.ts';
import { featureHead } from '../encoders/feature-head.ts';
import { createEncoder, type EncoderConfig } from '../encoders/index.ts';
import { createOptimizer } from '../graph/optimizers.ts';
import { initialValues, layoutOf } from '../graph/parameters.ts';
import { gradientState, scalarFeeds } from '../graph/training-step.ts';
import { courierObjective, courierSettings } from '../objectives/courier.ts';
import { Random } from '../random.ts';
import { Engine } from '../runtime/engine.ts';
import type { PhotoFeeds } from './contrastive-step.ts';
import { createStep } from './create-step.ts';
import { isFused, type StepDescription, type StepPlan, stepParameters } from './step-models.ts';
import { stepBytes } from './step-plan.ts';

const [side, photos, samples, candidates, places] = [8, 11, 5, 3, 3];
const sizes = { side, head: 'mean', dimension: 8 } as const;
const encoders: readonly EncoderConfig[] = [
  { name: 'vit', patch: 4, width: 8, depth: 2, heads: 2, mlpRatio: 2, ...sizes },
  { name: 'swin', patch: 2, width: 8, depths: [2], heads: [2], window: 2, mlpRatio: 2, ...sizes },
];

const random = Random.seeded(5, 'step');
const rows = (length: number) => Int32Array.from({ length }, () => random.integer(photos));
const batch: ClickBatch = {
  photos: Int32Array.from({ length: photos }, (_, row) => row),
  clicked: rows(samples),
  candidates: rows(samples * candidates),
  candidateMask: Float32Array.from({ length: samples * candidates }, (_, place) => Number(place % 7 !== 6)),
  history: rows(samples * places),
  historyMask: Float32Array.from({ length: samples * places }, (_, place) => Number(place % 4 !== 3)),
  newest: rows(samples),
};
const pixels = Uint8Array.from({ length: photos * side * side * 3 }, () => random.integer(256));
const read = (from: number, to: number) => {
  const bytes = side * side * 3;
  const photosRead = new Uint8Array((to - from) * bytes);
  photosRead.set(pixels.subarray(from * bytes, to * bytes));
  return photosRead;
};

describe('a contrastive step', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start();
  });
  afterAll(() => engine.close());

  const optimizer = createOptimizer({ name: 'sgd', momentum: 0, weightDecay: 0 });

  function describeStep(config: EncoderConfig | Encoder, augmented: boolean): StepDescription<ClickBatch> {
    const objective = courierSettings.parse({ heads: 2, temperature: 0.2, sequenceWeight: 0.5 });
    return {
      encoder: 'sees' in config ? config : createEncoder(config),
      objective: courierObjective(objective, { candidates, history: places }),
      samples,
      photos,
      augmented,
      processes: 1,
      update: { optimizer, clipNorm: 1, averageDecay: null },
    };
  }

  /** What two steps do to the parameters, and the losses before each. */
  async function train(
    config: EncoderConfig | Encoder,
    plan: StepPlan,
    augmented: boolean,
    readPhotos: PhotoFeeds['read'] = read,
    further: PhotoFeeds['draws'] = {},
  ) {
    const description = describeStep(config, augmented);
    const tensors = stepParameters(description);
    const layout = layoutOf(tensors);
    const parameters = initialValues(tensors, Random.seeded(2, 'parameters'));
    const start = { parameters, 'sgd.momentum': new Float32Array(layout.size) };
    const sum = isFused(description, plan) ? {} : { [gradientState]: new Float32Array(layout.size) };
    const state = await engine.createState({ ...start, ...sum });
    const step = await createStep(engine, state, layout, description, plan);
    const losses: Readonly<Record<string, number>>[] = [];
    for (const t of [1, 2]) {
      const draws = augmented
        ? drawAugmentations(defaultAugmentation, photos, Random.seeded(t, 'draws'))
        : {};
      const feeds = { count: photos, read: readPhotos, draws: { ...draws, ...further } };
      losses.push(await step(batch, feeds, scalarFeeds(optimizer, t, 0.1)));
    }
    const after = (await state.read())['parameters']!;
    return { update: after.map((value, index) => value - parameters[index]!), losses };
  }

  it.each(encoders)('gives the same update however it is cut: $name', async (config) => {
    const whole = await train(config, { chunk: 16, group: 1 }, false);
    const longest = Math.max(...whole.update.map(Math.abs));
    expect(longest).toBeGreaterThan(1e-3);
    for (const plan of [
      { chunk: 4, group: 3 },
      { chunk: 1, group: 11 },
      { chunk: 4, group: 1 },
      { chunk: 3, group: 2 },
      { chunk: 4, group: 3, shares: 2 },
      { chunk: 1, group: 11, shares: 3 },
    ]) {
      const cut = await train(config, plan, false);
      for (const [index, value] of cut.update.entries()) {
        const error = Math.abs(value - whole.update[index]!) / longest;
        expect(error, JSON.stringify(plan)).toBeLessThan(1e-5);
      }
      for (const [t, losses] of cut.losses.entries()) {
        expect(Object.keys(losses).sort()).toEqual(Object.keys(whole.losses[t]!).sort());
        for (const [name, value] of Object.entries(losses))
          expect(value, name).toBeCloseTo(whole.losses[t]![name]!, 4);
      }
    }
  });

  it('hides the same units of a head in both of its passes, and others hidden make another update', async () => {
    const [components, hidden] = [6, 10];
    const head = featureHead({
      head: { name: 'perceptron', hidden, dropout: 0.5 },
      components,
      grids: [],
      dimension: 8,
    });
    const features = Float32Array.from({ length: photos * components }, () => random.normal());
    const readFeatures = (from: number, to: number) => {
      const some = new Float32Array((to - from) * components);
      some.set(features.subarray(from * components, to * components));
      return some;
    };
    const draw = () => Float32Array.from({ length: photos * hidden }, () => 2 * random.integer(2));
    const update = async (plan: StepPlan, kept: Float32Array) =>
      (await train(head, plan, false, readFeatures, { kept })).update;
    const kept = draw();
    const whole = await update({ chunk: 4, group: 3 }, kept);
    const longest = Math.max(...whole.map(Math.abs));
    const distance = (other: Float32Array) =>
      Math.max(...other.map((value, index) => Math.abs(value - whole[index]!))) / longest;
    expect(distance(await update({ chunk: 2, group: 2 }, kept))).toBeLessThan(1e-4);
    expect(distance(await update({ chunk: 2, group: 6, shares: 2 }, kept))).toBeLessThan(1e-4);
    expect(distance(await update({ chunk: 4, group: 3 }, draw()))).toBeGreaterThan(1e-2);
  });

  it('alters photos alike in both of its passes over them', async () => {
    const config = encoders[0]!;
    const whole = await train(config, { chunk: 16, group: 1 }, true);
    const cut = await train(config, { chunk: 2, group: 2 }, true);
    const shared = await train(config, { chunk: 2, group: 6, shares: 2 }, true);
    const plain = await train(config, { chunk: 16, group: 1 }, false);
    const longest = Math.max(...whole.update.map(Math.abs));
    const distance = (other: Float32Array) =>
      Math.max(...other.map((value, index) => Math.abs(value - whole.update[index]!))) / longest;
    expect(distance(cut.update)).toBeLessThan(1e-4);
    expect(distance(shared.update)).toBeLessThan(1e-4);
    expect(distance(plain.update)).toBeGreaterThan(1e-2);
  });

  it.each([
    { chunk: 16, group: 1 },
    { chunk: 4, group: 2 },
    { chunk: 1, group: 1 },
  ])('holds no more pixels than its plan counts, and keeps none: $group times $chunk', async (plan) => {
    const held: Uint8Array[] = [];
    let most = 0;
    await train(encoders[0]!, plan, false, (from, to) => {
      held.push(read(from, to));
      // Those of what runs, which the compute thread has, and those of what is to run next.
      most = Math.max(most, 2 * held.at(-1)!.byteLength);
      expect(held.filter(({ byteLength }) => byteLength > 0).length).toBe(1);
      return held.at(-1)!;
    });
    expect(held.filter(({ byteLength }) => byteLength > 0)).toEqual([]);
    const { fed } = stepBytes(describeStep(encoders[0]!, false), plan.chunk);
    expect(plan.group * fed).toBeGreaterThanOrEqual(most);
  });
});
