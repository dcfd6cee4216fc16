import { describe, expect, it } from 'vitest';
import { Random } from './random.ts';

describe('random numbers', () => {
  it('are the same for the same seed and purpose, others for another purpose, and resume from a state', () => {
    const draw = (random: Random) => Array.from({ length: 5 }, () => random.uniform());
    expect(draw(Random.seeded(1, 'a'))).toEqual(draw(Random.seeded(1, 'a')));
    expect(draw(Random.seeded(1, 'a'))).not.toEqual(draw(Random.seeded(1, 'b')));
    const random = Random.seeded(1, 'a');
    draw(random);
    const { state } = random;
    expect(draw(Random.fromState(state))).toEqual(draw(random));
  });

  it('have the moments of a normal distribution', () => {
    const random = Random.seeded(1, 'normal');
    const values = Array.from({ length: 20_000 }, () => random.normal());
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  });
});
