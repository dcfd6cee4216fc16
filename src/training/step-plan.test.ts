import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyHead } from '../../test/support/tiny-step.ts';
import { defaultAugmentation } from '../augmentation/config.ts';
import { drawAugmentations } from '../augmentation/draw.ts';
import type { ClickBatch } from '../data/samplers/click-sampler.ts';
import { createEncoder } from '../encoders/index.ts';
import { createOptimizer } from '../graph/optimizers.ts';
import { layoutOf } from '../graph/parameters.ts';
import { courierObjective, courierSettings } from '../objectives/courier.ts';
import { Random } from '../random.ts';
import { Engine } from '../runtime/engine.ts';
import { isFused, keepsAll, type StepDescription, stepParameters } from './step-models.ts';
import { largestGroupWithin, planStep, type StepBytes, stepBytes } from './step-plan.ts';

const gibibyte = 2 ** 30;

function describeStep(photos: number, processes = 1): StepDescription<ClickBatch> {
  const sizes = { side: 16, patch: 4, width: 16, depth: 2, heads: 2, mlpRatio: 2, dimension: 8 };
  const optimizer = createOptimizer({ name: 'sgd', momentum: 0, weightDecay: 0 });
  const objective = courierSettings.parse({ heads: 2, temperature: 0.1 });
  return {
    encoder: createEncoder({ name: 'vit', head: 'mean', ...sizes }),
    objective: courierObjective(objective, { candidates: 3, history: 3 }),
    samples: 8,
    photos,
    augmented: false,
    processes,
    update: { optimizer, clipNorm: null, averageDecay: null },
  };
}

describe('the plan of a step', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start({ threads: 1 });
  });
  afterAll(() => engine.close());

  const planFor = (description: StepDescription<ClickBatch>, budget: number) =>
    planStep(engine, layoutOf(stepParameters(description)), description, budget);

  it('is one graph while everything fits, and cut where it does not', async () => {
    const [few, many] = [describeStep(60), describeStep(200_000)];
    const budget = process.memoryUsage.rss() + gibibyte;
    expect(isFused(few, await planFor(few, budget))).toBe(true);
    const cut = await planFor(many, budget);
    expect(isFused(many, cut)).toBe(false);
    expect(cut.chunk * cut.group).toBeGreaterThanOrEqual(32);
  });

  it('has no larger chunk than the batch has photos', async () => {
    expect(await planFor(describeStep(3), 100 * gibibyte)).toEqual({ chunk: 2, group: 2 });
  });

  it('shares the photos out to the cores where there are several and everything fits', async () => {
    const two = Engine.start({ threads: 2, binding: 'c-api' });
    try {
      const planOf = (description: StepDescription<ClickBatch>, budget: number) =>
        planStep(two, layoutOf(stepParameters(description)), description, budget);
      const few = describeStep(60);
      const plan = await planOf(few, process.memoryUsage.rss() + gibibyte);
      expect(plan).toEqual({ chunk: 8, group: 8, shares: 2 });
      expect([keepsAll(few, plan), isFused(few, plan)]).toEqual([true, false]);
      const cut = await planOf(describeStep(200_000), process.memoryUsage.rss() + gibibyte);
      expect(cut.shares).toBeUndefined();
    } finally {
      await two.close();
    }
  });

  it('keeps what each of several processes encodes where that fits, and is cut where it does not', async () => {
    const [few, many] = [describeStep(60, 3), describeStep(200_000, 3)];
    const budget = process.memoryUsage.rss() + gibibyte;
    const plan = await planFor(few, budget);
    expect(plan).toEqual({ chunk: 4, group: 5, shares: 1 });
    expect([keepsAll(few, plan), isFused(few, plan)]).toEqual([true, false]);
    expect(keepsAll(many, await planFor(many, budget))).toBe(false);
  });

  it('has all cores of a process encode the photos of a head together', async () => {
    const two = Engine.start({ threads: 2, binding: 'c-api' });
    try {
      const planOf = (processes: number) => {
        const description = { ...describeStep(600, processes), encoder: tinyHead(0) };
        return planStep(two, layoutOf(stepParameters(description)), description, 100 * gibibyte);
      };
      expect(await planOf(1)).toEqual({ chunk: 128, group: 5 });
      expect(await planOf(2)).toEqual({ chunk: 8, group: 38, shares: 1 });
    } finally {
      await two.close();
    }
  });

  it('is cut for several processes where an engine would copy what is kept', async () => {
    const copying = Engine.start({ threads: 1, binding: 'node' });
    try {
      const planOf = (description: StepDescription<ClickBatch>) =>
        planStep(copying, layoutOf(stepParameters(description)), description, 100 * gibibyte);
      const [one, two] = [describeStep(60), describeStep(60, 2)];
      expect(keepsAll(one, await planOf(one))).toBe(true);
      expect(keepsAll(two, await planOf(two))).toBe(false);
    } finally {
      await copying.close();
    }
  });

  it('is refused where nothing fits', async () => {
    await expect(planFor(describeStep(60), 1000)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });
});

describe('what a step takes', () => {
  const bytes: StepBytes = { activations: 6, fed: 4, wholeLoss: 9, cutLoss: 2 };

  it('grows with the chunks of a whole batch, or of a group where that does not fit', () => {
    expect(largestGroupWithin(59, 5, bytes)).toBe(5);
    expect(largestGroupWithin(58, 5, bytes)).toBe(4);
    expect(largestGroupWithin(58, 100, bytes)).toBe(4);
    expect(largestGroupWithin(41, 100, bytes)).toBe(3);
    expect(largestGroupWithin(12, 100, bytes)).toBe(1);
    expect(largestGroupWithin(11, 100, bytes)).toBe(0);
  });

  it('never makes a group of all chunks where the batch does not fit as a whole', () => {
    expect(largestGroupWithin(28, 2, bytes)).toBe(1);
    expect(largestGroupWithin(18, 1, bytes)).toBe(0);
  });

  it('counts large photos: a batch is cut whose activations alone would fit', () => {
    const sizes = { side: 224, cells: 8, width: 16, dimension: 8 };
    const encoder = createEncoder({ name: 'outlines', ...sizes });
    const chunk = 32;
    const taken = stepBytes({ ...describeStep(1024), encoder }, chunk);
    expect(taken.fed).toBeGreaterThanOrEqual(2 * chunk * 224 * 224 * 3);
    const free = 200 * 2 ** 20;
    expect(largestGroupWithin(free, 32, { ...taken, fed: 0 })).toBe(32);
    expect(largestGroupWithin(free, 32, taken)).toBe(4);
  });

  it('counts what is drawn for photos', () => {
    const [plain, augmented] = [false, true].map(
      (augmented) => stepBytes({ ...describeStep(8), augmented }, 4).fed,
    );
    const drawn = Object.values(drawAugmentations(defaultAugmentation, 4, Random.seeded(1, 'draws')));
    const drawnBytes = drawn.reduce((total, { byteLength }) => total + byteLength, 0);
    expect(augmented! - plain!).toBeGreaterThanOrEqual(2 * drawnBytes);
  });
});
