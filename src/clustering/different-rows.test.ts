import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import type { RowSource } from './centre-search.ts';
import { countDifferent } from './different-rows.ts';

function sourceOf(rows: readonly (readonly number[])[]): RowSource {
  return {
    count: rows.length,
    read: (from, to) => Float32Array.from(rows.slice(from, to).flat()),
    squaredLength: (index) => Math.hypot(...(rows[index] ?? [])) ** 2,
  };
}

describe('different rows', () => {
  it('are counted up to as many as are wanted, whatever the order and the length of the rows', () => {
    const sets = fc.record({
      directions: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 80 }),
      size: fc.constantFrom(1e-6, 1, 1000),
      wanted: fc.integer({ min: 1, max: 12 }),
      seed: fc.nat(1000),
    });
    const check = fc.property(sets, ({ directions, size, wanted, seed }) => {
      const random = Random.seeded(seed, 'directions');
      const middles = Array.from({ length: 10 }, () =>
        Array.from({ length: 3 }, () => size * random.normal()),
      );
      // A copy may be off by what float16 would leave of it.
      const rows = directions.map((direction) =>
        middles[direction]!.map((value) => value * (1 + 2 ** -12 * (2 * random.uniform() - 1))),
      );
      expect(countDifferent(sourceOf(rows), wanted)).toBe(Math.min(wanted, new Set(directions).size));
    });
    fc.assert(check);
  });

  it('are found where the first rows are all equal', () => {
    const rows = Array.from({ length: 100 }, (_, row) => (row < 98 ? [1, 0] : [0, row - 97]));
    expect(countDifferent(sourceOf(rows), 3)).toBe(3);
    expect(countDifferent(sourceOf(rows), 4)).toBe(3);
  });

  it('are opposite ones, and those that are equally far from a third', () => {
    expect(countDifferent(sourceOf([[1], [-1]]), 2)).toBe(2);
    const axes = [0, 1, 2, 3, 4].map((axis) => [0, 1, 2, 3, 4].map((i) => Number(i === axis)));
    expect(countDifferent(sourceOf([...axes, ...axes]), 10)).toBe(5);
  });

  it('are none among no rows', () => {
    expect(countDifferent(sourceOf([]), 2)).toBe(0);
  });
});
