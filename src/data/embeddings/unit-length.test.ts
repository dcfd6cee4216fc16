import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../random.ts';
import { unitScale } from './unit-length.ts';

function draw(seed: number, length: number): Float32Array {
  const random = Random.seeded(seed, 'unit');
  const values = Array.from({ length: 24 }, () => random.normal());
  return Float32Array.from(values, (value) => (length * value) / Math.hypot(...values));
}

describe('unit length', () => {
  it('is what the scale gives, and 1 for what is already as long as float32 can tell', () => {
    const cases = fc.record({
      seed: fc.nat(1000),
      length: fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
    });
    const check = fc.property(cases, ({ seed, length }) => {
      expect(unitScale('a', draw(seed, 1))).toBe(1);
      const vector = draw(seed, length);
      expect(Math.hypot(...vector) * unitScale('a', vector)).toBeCloseTo(1, 6);
    });
    fc.assert(check);
  });

  it('cannot be had of a zero vector, nor of one that is not finite', () => {
    expect(unitScale('a', new Float32Array(4))).toBe(0);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => unitScale('a', Float32Array.of(1, value))).toThrow('item a is not finite');
  });
});
