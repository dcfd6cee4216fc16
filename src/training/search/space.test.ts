import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../random.ts';
import { trainingSettings } from '../config.ts';
import { drawSettings, ownSettings, searchSpace, withDrawn } from './space.ts';

const config = { space: searchSpace.parse({}), pretrain: trainingSettings.parse({}) };

describe('the search space', () => {
  it('gives settings within its ranges that pre-training takes', () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(32, 48, 64), (seed, side) => {
        const drawn = drawSettings(config, side, Random.seeded(seed, 'test'));
        const { learningRate, temperature } = drawn;
        expect(learningRate >= 3e-4 && learningRate <= 1e-2).toBe(true);
        expect(temperature !== null && temperature >= 0.02 && temperature <= 0.2).toBe(true);
        expect(side % (drawn.patch ?? 1)).toBe(0);
        const settings = withDrawn(config.pretrain, drawn);
        expect(trainingSettings.parse(settings)).toEqual(settings);
        expect(ownSettings({ pretrain: settings })).toEqual(drawn);
      }),
      { numRuns: 50 },
    );
  });

  it('draws learning rates evenly over their logarithms', () => {
    const rates = Array.from({ length: 400 }, (_, seed) => {
      return drawSettings(config, 64, Random.seeded(seed, 'test')).learningRate;
    });
    const middle = Math.sqrt(3e-4 * 1e-2);
    const below = rates.filter((rate) => rate < middle).length / rates.length;
    expect(Math.abs(below - 0.5)).toBeLessThan(0.1);
  });

  it('leaves alone what an encoder or an objective does not have', () => {
    const encoder = { name: 'vit-nano' } as const;
    const pretrain = trainingSettings.parse({ encoder, objective: { name: 'simsiam' } });
    const drawn = drawSettings({ ...config, pretrain }, 64, Random.seeded(1, 'test'));
    expect(drawn).toMatchObject({ patch: null, temperature: null });
    expect(trainingSettings.safeParse(withDrawn(pretrain, drawn)).success).toBe(true);
  });
});
