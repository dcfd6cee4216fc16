import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  describeTinyStep,
  readPixels,
  tinyEncoders,
  tinyHead,
  tinyPhotos,
  tinyUnits,
  trainTiny,
} from '../../test/support/tiny-step.ts';
import { createEncoder } from '../encoders/index.ts';
import { Random } from '../random.ts';
import { Engine } from '../runtime/engine.ts';
import type { StepPlan } from './step-models.ts';
import { stepBytes } from './step-plan.ts';

const random = Random.seeded(5, 'draws');

describe('a contrastive step', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start();
  });
  afterAll(() => engine.close());

  it.each(tinyEncoders)('gives the same update however it is cut: $name', async (config) => {
    const whole = await trainTiny(engine, config, { chunk: 16, group: 1 });
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
      const cut = await trainTiny(engine, config, plan);
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
    const draw = () => Float32Array.from({ length: tinyPhotos * tinyUnits }, () => 2 * random.integer(2));
    const update = async (plan: StepPlan, kept: Float32Array) =>
      (await trainTiny(engine, tinyHead(0.5), plan, { draws: { kept } })).update;
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
    const config = tinyEncoders[0]!;
    const train = (plan: StepPlan, augmented: boolean) => trainTiny(engine, config, plan, { augmented });
    const whole = await train({ chunk: 16, group: 1 }, true);
    const cut = await train({ chunk: 2, group: 2 }, true);
    const shared = await train({ chunk: 2, group: 6, shares: 2 }, true);
    const plain = await trainTiny(engine, config, { chunk: 16, group: 1 });
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
    const read = (from: number, to: number) => {
      held.push(readPixels(from, to));
      // Those of what runs, which the compute thread has, and those of what is to run next.
      most = Math.max(most, 2 * held.at(-1)!.byteLength);
      expect(held.filter(({ byteLength }) => byteLength > 0).length).toBe(1);
      return held.at(-1)!;
    };
    await trainTiny(engine, tinyEncoders[0]!, plan, { read });
    expect(held.filter(({ byteLength }) => byteLength > 0)).toEqual([]);
    const { fed } = stepBytes(describeTinyStep(createEncoder(tinyEncoders[0]!)), plan.chunk);
    expect(plan.group * fed).toBeGreaterThanOrEqual(most);
  });
});
