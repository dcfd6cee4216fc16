import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fromHalves, toHalves } from './half.ts';

function there(value: number): number {
  const halves = new Uint16Array(1);
  toHalves(Float32Array.of(value), halves);
  return halves[0]!;
}

function back(half: number): number {
  const values = new Float32Array(1);
  fromHalves(Uint16Array.of(half), values);
  return values[0]!;
}

it('every finite half comes back as it was', () => {
  for (let half = 0; half < 2 ** 16; half++)
    if (((half >>> 10) & 0x1f) !== 31) expect(there(back(half))).toBe(half);
});

it('what lies between two halves becomes the nearer one, and the even one of two that are as near', () => {
  const inRange = fc.float({ min: -65504, max: 65504, noNaN: true });
  fc.assert(
    fc.property(inRange, (value) => {
      const half = there(value);
      const distance = Math.abs(back(half) - value);
      for (const other of [half - 1, half + 1])
        if (other >= 0 && other < 2 ** 16 && Number.isFinite(back(other)))
          expect(Math.abs(back(other) - value)).toBeGreaterThanOrEqual(distance);
    }),
    { numRuns: 2000 },
  );
  expect(there(1 + 2 ** -11)).toBe(there(1));
  expect(there(1 + 3 * 2 ** -11)).toBe(there(1 + 2 ** -9));
});

it('what no half holds is refused', () => {
  expect(there(65_519)).toBe(there(65_504));
  for (const value of [65_520, Number.POSITIVE_INFINITY, Number.NaN])
    expect(() => there(value)).toThrow(RangeError);
});
