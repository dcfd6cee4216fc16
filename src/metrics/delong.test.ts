import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { auc } from './auc.ts';
import { deLongTest } from './delong.ts';

const kernel = (clicked: number, unclicked: number): number =>
  clicked > unclicked ? 1 : clicked === unclicked ? 0.5 : 0;

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function covariance(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  return a.reduce((sum, value, i) => sum + (value - meanA) * ((b[i] ?? NaN) - meanB), 0) / (a.length - 1);
}

/** Equations 4 to 6 of DeLong et al. by pairs of rows: the variance of the difference from three covariances. */
function byPairs(first: Float64Array, second: Float64Array, labels: Uint8Array) {
  const components = (scores: Float64Array) => {
    const of = (label: number) => Array.from(scores).filter((_, row) => labels[row] === label);
    const [clicked, unclicked] = [of(1), of(0)];
    return {
      clicked: clicked.map((x) => mean(unclicked.map((y) => kernel(x, y)))),
      unclicked: unclicked.map((y) => mean(clicked.map((x) => kernel(x, y)))),
    };
  };
  const [a, b] = [components(first), components(second)];
  const [m, n] = [a.clicked.length, a.unclicked.length];
  const s = (left: typeof a, right: typeof a) =>
    covariance(left.clicked, right.clicked) / m + covariance(left.unclicked, right.unclicked) / n;
  return { difference: mean(b.clicked) - mean(a.clicked), variance: s(a, a) + s(b, b) - 2 * s(a, b) };
}

const row = fc.record({
  first: fc.integer({ min: 0, max: 4 }),
  second: fc.integer({ min: 0, max: 4 }),
  label: fc.constantFrom(0, 1),
});
const rows = fc.array(row, { maxLength: 30 }).map((some) => {
  // Two rows of each class, among which the two models differ by a varying amount.
  const fixed = [3, 1, 2, 0].map((score, i) => ({
    first: score,
    second: i === 0 ? 0 : score,
    label: 1 - (i >> 1),
  }));
  const all = [...some, ...fixed];
  return {
    first: Float64Array.from(all, (each) => each.first),
    second: Float64Array.from(all, (each) => each.second),
    labels: Uint8Array.from(all, (each) => each.label),
  };
});

/** Each row is a user of its own, so that what DeLong takes for granted holds. */
function independentRows(random: Random, length: number) {
  const labels = Uint8Array.from({ length }, () => (random.uniform() < 0.3 ? 1 : 0));
  const signal = Float64Array.from(labels, (label) => label + random.normal());
  const noisy = (noise: number) => signal.map((value) => value + noise * random.normal());
  return { labels, noisy };
}

describe('deLongTest', () => {
  it('has the figures of four rows worked by hand', () => {
    // Placements, baseline: clicked 1, 1/2; unclicked 1/2, 1. Treatment: clicked 1/2, 1/2; unclicked 1, 0.
    // Differences: clicked −1/2, 0, of variance 1/8; unclicked 1/2, −1, of variance 9/8.
    const labels = Uint8Array.of(1, 1, 0, 0);
    const found = deLongTest(Float64Array.of(3, 1, 2, 0), Float64Array.of(4, 3, 2, 5), labels);
    expect(found.aucs).toEqual([0.75, 0.5]);
    expect(found.difference).toBe(-0.25);
    expect(found.variance).toBeCloseTo(1 / 8 / 2 + 9 / 8 / 2, 15);
    expect(found.z).toBeCloseTo(-0.25 / Math.sqrt(0.625), 15);
    expect(found.p).toBeCloseTo(0.7518296340458492, 13);
    expect(found.ci95[0]).toBeCloseTo(-0.25 - 1.959963984540054 * Math.sqrt(0.625), 13);
    expect(found.ci95[1]).toBeCloseTo(-0.25 + 1.959963984540054 * Math.sqrt(0.625), 13);
  });

  it('equals the definition by pairs of rows, with ties', () => {
    fc.assert(
      fc.property(rows, ({ first, second, labels }) => {
        const naive = byPairs(first, second, labels);
        const found = deLongTest(first, second, labels);
        expect(found.difference).toBeCloseTo(naive.difference, 12);
        expect(found.variance).toBeCloseTo(naive.variance, 12);
        expect(found.aucs).toEqual([auc(first, labels), auc(second, labels)]);
      }),
    );
  });

  it('changes sign, and nothing else, when the models change places', () => {
    fc.assert(
      fc.property(rows, ({ first, second, labels }) => {
        const [there, back] = [deLongTest(first, second, labels), deLongTest(second, first, labels)];
        expect(back.difference).toBe(-there.difference + 0);
        expect(back.variance).toBeCloseTo(there.variance, 14);
        expect(back.p).toBeCloseTo(there.p, 12);
      }),
    );
  });

  it('finds a difference where there is none in about one of twenty trials', () => {
    const random = Random.seeded(2, 'null');
    const trials = Array.from({ length: 2000 }, () => {
      const { labels, noisy } = independentRows(random, 200);
      return deLongTest(noisy(0.5), noisy(0.5), labels);
    });
    const share = trials.filter(({ p }) => p < 0.05).length / trials.length;
    expect(share).toBeGreaterThan(0.035);
    expect(share).toBeLessThan(0.065);
    for (const { p, ci95 } of trials) expect(p < 0.05).toBe(ci95[0] > 0 || ci95[1] < 0);
  });

  it('says that a model is no better than itself', () => {
    const { labels, noisy } = independentRows(Random.seeded(3, 'same'), 50);
    const scores = noisy(1);
    expect(deLongTest(scores, scores, labels)).toMatchObject({
      difference: 0,
      variance: 0,
      z: 0,
      p: 1,
      ci95: [0, 0],
    });
  });

  it('is undefined for one row of a class, and when the rows show no variance of a difference', () => {
    const scores = Float64Array.of(3, 2, 1);
    expect(() => deLongTest(scores, scores, Uint8Array.of(1, 0, 0))).toThrow(
      '1 clicked and 2 unclicked rows',
    );
    const best = Float64Array.of(1, 1, 0, 0);
    const worst = Float64Array.of(0, 0, 1, 1);
    expect(() => deLongTest(worst, best, Uint8Array.of(1, 1, 0, 0))).toThrow(
      expect.objectContaining({ code: 'METRIC_UNDEFINED' }),
    );
  });

  it('refuses scores that are not numbers or not of the same rows', () => {
    const [scores, labels] = [Float64Array.of(4, 3, 2, 1), Uint8Array.of(1, 1, 0, 0)];
    expect(() => deLongTest(scores, Float64Array.of(1, 2, NaN, 3), labels)).toThrow('score of row 2');
    expect(() => deLongTest(scores.subarray(1), scores, labels)).toThrow('3 scores do not match 4 labels');
  });
});
