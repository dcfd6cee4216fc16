import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignRows, hashRows } from './vocabulary.ts';

const texts = fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 40 });

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
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 2 ** 24 }), fc.nat(2 ** 24), (values, buckets, first) => {
        const { rowOf, end } = hashRows(values, buckets, first);
        expect(rowOf).toHaveLength(values.length);
        expect(rowOf.every((row) => row >= first && row < end)).toBe(true);
        expect(end - first).toBe(buckets);
      }),
    );
  });

  it('are decided by the text, whatever the order and the other values', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 1000 }), (values, buckets) => {
        const alone = values.map((value) => hashRows([value], buckets, 7).rowOf[0]);
        expect([...hashRows(values, buckets, 7).rowOf]).toEqual(alone);
        expect([...hashRows(values.toReversed(), buckets, 7).rowOf]).toEqual(alone.toReversed());
      }),
    );
  });

  it('are filled evenly by ids that are numbered', () => {
    const [ids, buckets] = [100_000, 1000];
    const { rowOf } = hashRows(
      Array.from({ length: ids }, (_, id) => `item-${id}`),
      buckets,
      0,
    );
    const counts = new Int32Array(buckets);
    for (const row of rowOf) counts[row]! += 1;
    const expected = ids / buckets;
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // Mean 999 and deviation 45 for an even spread: within five deviations.
    expect(chiSquare).toBeGreaterThan(775);
    expect(chiSquare).toBeLessThan(1223);
  });

  it('are those of scikit-learn, and so stay what they were in tables saved before', () => {
    expect([...hashRows(['', 'shoe', 'Größe 42', '靴'], 1_000_003, 5).rowOf]).toEqual([
      5, 108156, 705767, 221029,
    ]);
  });
});
