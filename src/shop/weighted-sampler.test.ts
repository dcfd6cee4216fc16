import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { WeightedSampler } from './weighted-sampler.ts';

describe('WeightedSampler', () => {
  it('draws every index as often as its weight says', () => {
    const weights = [1, 4, 2, 3];
    const sampler = new WeightedSampler(weights);
    const random = Random.seeded(1, 'sampler test');
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 20_000; i++) counts[sampler.draw(random)]! += 1;
    for (const [index, weight] of weights.entries()) {
      expect(Math.abs(counts[index]! / 20_000 - weight / 10)).toBeLessThan(0.015);
    }
  });

  it('refuses weights that cannot be drawn from', () => {
    expect(() => new WeightedSampler([])).toThrow(RangeError);
    expect(() => new WeightedSampler([1, 0])).toThrow(RangeError);
    expect(() => new WeightedSampler([1, Number.NaN])).toThrow(RangeError);
  });
});
