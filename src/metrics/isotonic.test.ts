import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calibrated, fitIsotonic, withoutCertainty } from './isotonic.ts';

/** The value at row i is the largest over starts of the smallest mean over ends (Robertson, Wright and Dykstra, 1988). */
function minMax(labels: readonly number[]): number[] {
  const mean = (from: number, to: number) =>
    labels.slice(from, to).reduce((sum, label) => sum + label, 0) / (to - from);
  return labels.map((_, row) => {
    const starts = Array.from({ length: row + 1 }, (_, from) => from);
    const ends = Array.from({ length: labels.length - row }, (_, offset) => row + 1 + offset);
    return Math.max(...starts.map((from) => Math.min(...ends.map((to) => mean(from, to)))));
  });
}

const labelled = fc.array(fc.record({ score: fc.integer({ min: 0, max: 1000 }), label: fc.nat(1) }), {
  minLength: 1,
  maxLength: 40,
});

describe('isotonic calibration', () => {
  it('is the min-max formula of monotone least squares', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1), { minLength: 1, maxLength: 12 }), (labels) => {
        const scores = Float64Array.from(labels, (_, row) => row / 20);
        const curve = fitIsotonic(scores, Uint8Array.from(labels));
        const wanted = minMax(labels);
        // The middle of a pool has the pool's value; its rows at the edges are on the way to the next.
        for (const [place, score] of curve.scores.entries()) {
          const row = Math.floor(score * 20 + 1e-9);
          expect(curve.probabilities[place]).toBeCloseTo(wanted[row]!, 12);
        }
      }),
    );
  });

  it('never falls and stays within 0 and 1, whatever the rows', () => {
    fc.assert(
      fc.property(labelled, (rows) => {
        const scores = Float64Array.from(rows, ({ score }) => score / 1000);
        const labels = Uint8Array.from(rows, ({ label }) => label);
        const curve = fitIsotonic(scores, labels);
        const grid = Array.from({ length: 101 }, (_, place) => calibrated(curve, place / 100));
        for (const [place, value] of grid.entries()) {
          expect(value).toBeGreaterThanOrEqual(grid[place - 1] ?? 0);
          expect(value).toBeLessThanOrEqual(1);
        }
        expect(curve.scores).toEqual([...new Set(curve.scores)].sort((a, b) => a - b));
      }),
    );
  });

  it('is never sure of a click or of none without certainty, never falls, and is the same in between', () => {
    fc.assert(
      fc.property(labelled, (rows) => {
        const scores = Float64Array.from(rows, ({ score }) => score / 1000);
        const fit = fitIsotonic(
          scores,
          Uint8Array.from(rows, ({ label }) => label),
        );
        const { probabilities } = withoutCertainty(fit);
        for (const [place, probability] of probabilities.entries()) {
          const fitted = fit.probabilities[place]!;
          expect(probability).toBeGreaterThan(0);
          expect(probability).toBeLessThan(1);
          expect(probability).toBeGreaterThanOrEqual(probabilities[place - 1] ?? 0);
          if (fitted > 0 && fitted < 1) expect(probability).toBe(fitted);
        }
      }),
    );
  });

  it('takes a pool of nine rows without clicks with one more row of the mean', () => {
    const scores = Float64Array.of(
      ...Array.from({ length: 9 }, () => 0.1),
      ...Array.from({ length: 10 }, () => 0.9),
    );
    const labels = Uint8Array.of(...Array.from({ length: 9 }, () => 0), 1, 1, 1, 1, 1, 0, 0, 0, 0, 0);
    // Five and a half clicks in twenty rows.
    expect(withoutCertainty(fitIsotonic(scores, labels)).probabilities[0]).toBeCloseTo(0.275 / 10, 12);
  });

  it('does not depend on the order of the rows', () => {
    const scores = Float64Array.of(0.1, 0.5, 0.5, 0.9, 0.2);
    const labels = Uint8Array.of(1, 0, 1, 1, 0);
    const turned = fitIsotonic(scores.toReversed(), labels.toReversed());
    expect(fitIsotonic(scores, labels)).toEqual(turned);
    // 0.1 and 0.2 are pooled at one half; so are the two of 0.5 with them.
    expect(turned.probabilities).toEqual([0.5, 1]);
  });
});
