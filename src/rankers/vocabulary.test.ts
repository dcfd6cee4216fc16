import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignRows, rowOfText } from './vocabulary.ts';

describe('rows by frequency', () => {
  it('are unique for frequent codes, follow the code, and are the unknown row for all others', () => {
    const codes = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 60 });
    fc.assert(
      fc.property(codes, fc.integer({ min: 1, max: 8 }), fc.nat(1000), (training, minimum, unknown) => {
        const { rowOf, end } = assignRows(Int32Array.from(training), 10, minimum, unknown);
        const frequent = [...rowOf.keys()].filter(
          (code) => training.filter((other) => other === code).length >= minimum,
        );
        expect(frequent.map((code) => rowOf[code])).toEqual(frequent.map((_, index) => unknown + 1 + index));
        expect([...rowOf].filter((row) => row === unknown)).toHaveLength(10 - frequent.length);
        expect(end).toBe(unknown + 1 + frequent.length);
      }),
    );
  });
});

describe('rows by hash', () => {
  it('lie among the buckets', () => {
    const places = fc.record({ first: fc.nat(2 ** 24), count: fc.integer({ min: 1, max: 2 ** 24 }) });
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), places, (text, buckets) => {
        const row = rowOfText(text, buckets);
        expect(Number.isInteger(row)).toBe(true);
        expect(row >= buckets.first && row < buckets.first + buckets.count).toBe(true);
      }),
    );
  });

  it('are filled evenly by ids that are numbered', () => {
    const [ids, count] = [100_000, 1000];
    const counts = new Int32Array(count);
    for (let id = 0; id < ids; id++) counts[rowOfText(`item-${id}`, { first: 0, count })]! += 1;
    const expected = ids / count;
    const chiSquare = counts.reduce((sum, found) => sum + (found - expected) ** 2 / expected, 0);
    // Mean 999 and deviation 45 for an even spread: within five deviations.
    expect(chiSquare).toBeGreaterThan(775);
    expect(chiSquare).toBeLessThan(1223);
  });

  it('are those of scikit-learn, and so stay what they were in tables saved before', () => {
    const rows = ['', 'shoe', 'Größe 42', '靴'].map((text) =>
      rowOfText(text, { first: 5, count: 1_000_003 }),
    );
    expect(rows).toEqual([5, 108156, 705767, 221029]);
  });
});
