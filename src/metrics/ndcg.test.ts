import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ndcg } from './ndcg.ts';

interface Row {
  readonly score: number;
  readonly label: number;
}

function ndcgOf(rows: readonly Row[], k: number): number {
  return ndcg(
    Float32Array.from(rows, ({ score }) => score),
    Uint8Array.from(rows, ({ label }) => label),
    new Int32Array(rows.length).fill(4),
    k,
  ).ndcg;
}

function permutations<T>(values: readonly T[]): T[][] {
  if (values.length === 0) return [[]];
  return values.flatMap((value, place) =>
    permutations(values.toSpliced(place, 1)).map((others) => [value, ...others]),
  );
}

function gain(ranked: readonly Row[], k: number): number {
  return ranked.slice(0, k).reduce((sum, { label }, place) => sum + label / Math.log2(place + 2), 0);
}

/** The mean over the orders that a sort by score could give. */
function meanOverTieOrders(rows: readonly Row[], k: number): number {
  const gains = permutations(rows).map((order) =>
    gain(
      order.toSorted((a, b) => b.score - a.score),
      k,
    ),
  );
  const ideal = gain(
    rows.toSorted((a, b) => b.label - a.label),
    k,
  );
  return gains.reduce((sum, one) => sum + one, 0) / gains.length / ideal;
}

describe('ndcg', () => {
  it('discounts by log₂, shares out ties and leaves out page views without a click or of clicks alone, as worked by hand', () => {
    // Page view 7: the clicks come second and third, so at k = 2 (1 / log₂ 3) of an ideal 1 + 1 / log₂ 3.
    // Page view −2: one click among three equals, so a third of both ranks. Page view 9: no click. Page view 3: nothing else.
    const pageViews = Int32Array.of(7, -2, 7, -2, 9, 7, -2, 3);
    const scores = Float32Array.of(0.9, 0.4, 0.5, 0.4, 0.8, 0.1, 0.4, 0.3);
    const labels = Uint8Array.of(0, 0, 1, 1, 0, 1, 0, 1);
    const second = 1 / Math.log2(3);
    const result = ndcg(scores, labels, pageViews, 2);
    expect(result.ndcg).toBeCloseTo((second / (1 + second) + (1 + second) / 3) / 2, 12);
    expect(result.ndcg).toBeCloseTo(0.465248, 6);
    expect(result).toMatchObject({ pageViewsCounted: 2, pageViewsLeftOut: 2 });
  });

  it('is the mean over all orders of equal scores', () => {
    const row = fc.record({ score: fc.integer({ min: 0, max: 2 }), label: fc.constantFrom(0, 1) });
    const rows = fc
      .array(row, { maxLength: 3 })
      .map((some) => [...some, { score: 1, label: 1 }, { score: 1, label: 0 }]);
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 7 }), (rows, k) => {
        expect(ndcgOf(rows, k)).toBeCloseTo(meanOverTieOrders(rows, k), 12);
      }),
    );
  });

  it('is 1 with the clicks on top, and 0 with none among the first k', () => {
    const rows = [3, 2, 1].map((score) => ({ score, label: score > 1 ? 1 : 0 }));
    expect(ndcgOf(rows, 10)).toBe(1);
    expect(
      ndcgOf(
        rows.map(({ score, label }) => ({ score: -score, label })),
        1,
      ),
    ).toBe(0);
  });

  it('is undefined where each page view is one exposure, which every ranker would order rightly', () => {
    const [scores, labels] = [Float32Array.of(1, 2), Uint8Array.of(1, 0)];
    expect(() => ndcg(scores, labels, Int32Array.of(1, 2), 5)).toThrow('none of 2 page views has both');
  });

  it('is undefined without a click, and refuses bad rows and a bad k', () => {
    const [scores, labels, pageViews] = [Float32Array.of(1, 2), Uint8Array.of(0, 0), Int32Array.of(1, 2)];
    expect(() => ndcg(scores, labels, pageViews, 5)).toThrow('NDCG@5 is undefined: none of 2 page views');
    expect(() => ndcg(Float32Array.of(NaN, 1), labels, pageViews, 5)).toThrow('not a number');
    expect(() => ndcg(scores, labels, Int32Array.of(1), 5)).toThrow('1 groups do not match 2 rows');
    for (const k of [0, 1.5, NaN]) {
      expect(() => ndcg(scores, labels, pageViews, k)).toThrow(
        expect.objectContaining({ code: 'VALUE_INVALID' }),
      );
    }
  });
});
