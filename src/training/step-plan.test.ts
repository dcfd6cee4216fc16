import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClickBatch } from '../data/click-sampler.ts';
import { createEncoder } from '../encoders/index.ts';
import { createOptimizer } from '../graph/optimizers.ts';
import { layoutOf } from '../graph/parameters.ts';
import { courierObjective, courierSettings } from '../objectives/courier.ts';
import { Engine } from '../runtime/engine.ts';
import { isFused, type StepDescription, stepParameters } from './step-models.ts';
import { planStep } from './step-plan.ts';

const gibibyte = 2 ** 30;

function describeStep(photos: number): StepDescription<ClickBatch> {
  const sizes = { side: 16, patch: 4, width: 16, depth: 2, heads: 2, mlpRatio: 2, dimension: 8 };
  const optimizer = createOptimizer({ name: 'sgd', momentum: 0, weightDecay: 0 });
  const objective = courierSettings.parse({ heads: 2, temperature: 0.1 });
  return {
    encoder: createEncoder({ name: 'vit', head: 'mean', ...sizes }),
    objective: courierObjective(objective, { candidates: 3, history: 3 }),
    samples: 8,
    photos,
    augmented: false,
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
    const [few, many] = [describeStep(60), describeStep(2_000_000)];
    const budget = process.memoryUsage.rss() + gibibyte;
    expect(isFused(few, await planFor(few, budget))).toBe(true);
    const cut = await planFor(many, budget);
    expect(isFused(many, cut)).toBe(false);
    expect(cut.chunk * cut.group).toBeGreaterThanOrEqual(32);
  });

  it('has no larger chunk than the batch has photos', async () => {
    expect(await planFor(describeStep(3), 100 * gibibyte)).toEqual({ chunk: 2, group: 2 });
  });

  it('is refused where nothing fits', async () => {
    await expect(planFor(describeStep(60), 1000)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });
});
