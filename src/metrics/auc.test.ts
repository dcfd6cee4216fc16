import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { auc, gauc } from './auc.ts';

/** Rows with many ties and always both classes. */
const rows = fc
  .array(fc.record({ score: fc.integer({ min: -3, max: 3 }), label: fc.constantFrom(0, 1) }), {
    maxLength: 30,
  })
  .map((some) => [...some, { score: 0, label: 0 }, { score: 1, label: 1 }])
  .map((all) => ({
    scores: Float32Array.from(all, (row) => row.score),
    labels: Uint8Array.from(all, (row) => row.label),
  }));

function aucByPairs(scores: Float32Array, labels: Uint8Array): number {
  let [won, pairs] = [0, 0];
  for (const [i, clicked] of scores.entries()) {
    for (const [j, unclicked] of scores.entries()) {
      if (labels[i] !== 1 || labels[j] !== 0) continue;
      won += clicked > unclicked ? 1 : clicked === unclicked ? 0.5 : 0;
      pairs++;
    }
  }
  return won / pairs;
}

describe('auc', () => {
  it('is the share of clicked and unclicked pairs in the right order, ties counting half', () => {
    fc.assert(
      fc.property(rows, ({ scores, labels }) => {
        expect(auc(scores, labels)).toBeCloseTo(aucByPairs(scores, labels), 12);
      }),
    );
  });

  it('is 1 for a perfect order, 0 for the reverse, and a half when all scores are equal', () => {
    const labels = Uint8Array.of(0, 1, 0, 1);
    expect(auc(Float64Array.of(1, 3, 2, Infinity), labels)).toBe(1);
    expect(auc(Float64Array.of(3, 1, 2, -Infinity), labels)).toBe(0);
    expect(auc(Float64Array.of(0, -0, 0, -0), labels)).toBe(0.5);
  });

  it('takes a million rows in a few seconds', () => {
    const random = Random.seeded(1, 'auc');
    const scores = Float32Array.from({ length: 1_000_000 }, () => random.uniform());
    const labels = Uint8Array.from(scores, (score) => (random.uniform() < score ? 1 : 0));
    const started = performance.now();
    // A click with probability s at score s: E = 5/6 of the pairs are in order.
    expect(auc(scores, labels)).toBeCloseTo(5 / 6, 2);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('is undefined for no rows and for rows of one class', () => {
    const undefinedMetric = expect.objectContaining({ code: 'METRIC_UNDEFINED' });
    expect(() => auc(new Float32Array(0), new Uint8Array(0))).toThrow(undefinedMetric);
    expect(() => auc(Float32Array.of(1, 2), Uint8Array.of(0, 0))).toThrow('no row is clicked');
    expect(() => auc(Float32Array.of(1, 2), Uint8Array.of(1, 1))).toThrow('every row is clicked');
  });

  it('names the row whose score is not a number or whose label is neither 0 nor 1', () => {
    expect(() => auc(Float32Array.of(1, NaN), Uint8Array.of(0, 1))).toThrow('score of row 1 is not a number');
    expect(() => auc(Float32Array.of(1, 2), Uint8Array.of(0, 7))).toThrow('label of row 1 is 7');
  });

  it('refuses scores and labels of different lengths', () => {
    const invalid = expect.objectContaining({ code: 'VALUE_INVALID' });
    expect(() => auc(Float32Array.of(1, 2, 3), Uint8Array.of(0, 1))).toThrow(invalid);
  });
});

describe('gauc', () => {
  it('weights groups by their rows and leaves out groups of one class, as worked by hand', () => {
    // User 7: AUC 1 over 2 rows. User -4: AUC 1/2 over 3 rows. User 9 never clicks.
    const users = Int32Array.of(7, -4, -4, 7, 9, -4);
    const scores = Float32Array.of(0.9, 0.5, 0.1, 0.2, 0.3, 0.7);
    const labels = Uint8Array.of(1, 1, 0, 0, 0, 0);
    const result = gauc(scores, labels, users);
    expect(result.gauc).toBeCloseTo((2 * 1 + 3 * 0.5) / 5, 12);
    expect(result).toMatchObject({ groupsCounted: 2, groupsLeftOut: 1 });
  });

  it('equals the AUC when every row belongs to one group', () => {
    fc.assert(
      fc.property(rows, ({ scores, labels }) => {
        const everyone = new Int32Array(scores.length).fill(3);
        expect(gauc(scores, labels, everyone).gauc).toBeCloseTo(auc(scores, labels), 12);
      }),
    );
  });

  it('does not change when a group shifts all its scores', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: -9, max: 9 }), ({ scores, labels }, shift) => {
        const twice = Float32Array.of(...scores, ...scores.map((score) => score + shift));
        const groups = Int32Array.from(twice, (_, row) => (row < scores.length ? 0 : 1));
        expect(gauc(twice, Uint8Array.of(...labels, ...labels), groups).gauc).toBeCloseTo(
          auc(scores, labels),
          12,
        );
      }),
    );
  });

  it('is undefined when no group holds both classes', () => {
    const scores = Float32Array.of(0.1, 0.2);
    expect(() => gauc(scores, Uint8Array.of(0, 1), Int32Array.of(0, 1))).toThrow('none of 2 groups');
  });

  it('refuses groups that do not match the rows', () => {
    const scores = Float32Array.of(0.1, 0.2);
    expect(() => gauc(scores, Uint8Array.of(0, 1), Int32Array.of(0))).toThrow('1 groups do not match 2 rows');
  });
});
