import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalCountBins } from './bins.ts';

function summary(values: number[], parts: number) {
  return equalCountBins(Float64Array.from(values), parts).map(({ first, last, rows }) => [
    first,
    last,
    Array.from(rows, (row) => values[row]),
  ]);
}

describe('equalCountBins', () => {
  it('cuts distinct values into equal counts, in order', () => {
    expect(summary([5, 1, 6, 2, 4, 3], 3)).toEqual([
      [1, 1, [1, 2]],
      [2, 2, [3, 4]],
      [3, 3, [5, 6]],
    ]);
  });

  it('keeps equal values together and says which parts have merged', () => {
    expect(summary([0, 0, 0, 0, 0, 1, 2, 3], 4)).toEqual([
      [1, 2, [0, 0, 0, 0, 0]],
      [3, 3, [1]],
      [4, 4, [2, 3]],
    ]);
    expect(summary([7, 7, 7], 10)).toEqual([[1, 10, [7, 7, 7]]]);
  });

  it('has a bin for each value when there are fewer values than parts, and none for no values', () => {
    expect(summary([2, 1], 10).map(([, , values]) => values)).toEqual([[1], [2]]);
    expect(summary([], 10)).toEqual([]);
  });

  it('holds every row once, names every part once, and parts no equal values', () => {
    const values = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 12 }), (values, parts) => {
        const bins = summary(values, parts);
        expect(bins.flatMap(([, , held]) => held)).toEqual(values.slice().sort((a, b) => a - b));
        const named = bins.flatMap(([first, last]) => [Number(first), Number(last)]);
        expect(named[0]).toBe(1);
        expect(named.at(-1)).toBe(parts);
        for (let bin = 1; bin < bins.length; bin++) {
          const [before, after] = [bins[bin - 1] ?? [], bins[bin] ?? []];
          expect(after[0]).toBe(Number(before[1]) + 1);
          expect(after[2]).not.toContain(Math.max(...[before[2] ?? []].flat().map(Number)));
        }
      }),
    );
  });
});
