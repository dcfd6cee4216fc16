import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { auc } from './auc.ts';
import { pairedBootstrap } from './bootstrap.ts';
import { rankRows, weightedAuc } from './ranked.ts';

interface Rows {
  readonly signal: Float64Array;
  readonly labels: Uint8Array;
  readonly users: Int32Array;
}

/** 60 users with 10 rows each; the signal says something about the click. */
function makeRows(random: Random): Rows {
  const labels = Uint8Array.from({ length: 600 }, () => (random.uniform() < 0.3 ? 1 : 0));
  return {
    labels,
    signal: Float64Array.from(labels, (label) => label + random.normal()),
    users: Int32Array.from(labels, (_, row) => Math.floor(row / 10)),
  };
}

function noisy(signal: Float64Array, noise: number, random: Random): Float64Array {
  return signal.map((value) => value + noise * random.normal());
}

describe('weightedAuc', () => {
  it('equals the AUC of rows repeated as often as their weight says', () => {
    const row = fc.record({
      score: fc.integer({ min: 0, max: 4 }),
      label: fc.constantFrom(0, 1),
      owner: fc.integer({ min: 0, max: 3 }),
    });
    const weights = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), weights, (rows, weights) => {
        const ranked = rankRows(
          Float64Array.from(rows, ({ score }) => score),
          Uint8Array.from(rows, ({ label }) => label),
          Int32Array.from(rows, ({ owner }) => owner),
        );
        const repeated = rows.flatMap((row) => Array.from({ length: weights[row.owner] ?? 0 }, () => row));
        const labels = Uint8Array.from(repeated, ({ label }) => label);
        const found = weightedAuc(ranked, Int32Array.from(weights));
        if (!labels.includes(0) || !labels.includes(1)) expect(found).toBeNaN();
        else
          expect(found).toBeCloseTo(
            auc(
              Float64Array.from(repeated, ({ score }) => score),
              labels,
            ),
            12,
          );
      }),
    );
  });
});

describe('pairedBootstrap', () => {
  it('covers a difference of zero about 95 % of the time when both models are equally good', () => {
    const random = Random.seeded(3, 'null');
    const trials = Array.from({ length: 200 }, () => {
      const { signal, labels, users } = makeRows(random);
      const side = () => [noisy(signal, 0.5, random)];
      return pairedBootstrap({ baseline: side(), treatment: side(), labels, users, replicates: 200, random });
    });
    const covered = trials.filter(({ ci95: [low, high] }) => low <= 0 && high >= 0).length / trials.length;
    expect(covered).toBeGreaterThan(0.9);
    expect(covered).toBeLessThan(0.99);
    expect(trials.filter(({ p }) => p < 0.05).length / trials.length).toBeLessThan(0.1);
    expect(trials.filter(({ p }) => p > 0.5).length / trials.length).toBeGreaterThan(0.35);
  });

  it('finds a difference that is there, with its sign and size', () => {
    const random = Random.seeded(4, 'lift');
    const { signal, labels, users } = makeRows(random);
    const baseline = [noisy(signal, 2, random), noisy(signal, 2, random)];
    const treatment = [noisy(signal, 0.1, random), noisy(signal, 0.1, random)];
    const better = pairedBootstrap({ baseline, treatment, labels, users, random });
    const mean = (side: Float64Array[]) =>
      side.reduce((sum, scores) => sum + auc(scores, labels), 0) / side.length;
    expect(better.difference).toBeCloseTo(mean(treatment) - mean(baseline), 12);
    expect(better.ci95[0]).toBeGreaterThan(0);
    expect(better.ci95[0]).toBeLessThan(better.difference);
    expect(better.ci95[1]).toBeGreaterThan(better.difference);
    expect(better.p).toBeCloseTo(2 / 1001, 12);
    const worse = pairedBootstrap({ baseline: treatment, treatment: baseline, labels, users, random });
    expect(worse.ci95[1]).toBeLessThan(0);
  });

  it('says that a model is no better than itself', () => {
    const random = Random.seeded(5, 'same');
    const { signal, labels, users } = makeRows(random);
    const same = pairedBootstrap({ baseline: [signal], treatment: [signal], labels, users, random });
    expect(same).toEqual({ difference: 0, ci95: [0, 0], p: 1 });
  });

  it('counts the spread between seeds', () => {
    const random = Random.seeded(6, 'seeds');
    const { signal, labels, users } = makeRows(random);
    const seeds = {
      baseline: [signal, signal],
      treatment: [noisy(signal, 0.01, random), noisy(signal, 3, random)],
    };
    const { ci95 } = pairedBootstrap({ ...seeds, labels, users, random });
    const worst = auc(seeds.treatment[1] ?? signal, labels) - auc(signal, labels);
    // One replicate in four draws the bad seed twice, one in four never.
    expect(ci95[0]).toBeLessThan(worst);
    expect(ci95[1]).toBeGreaterThan(-0.01);
  });

  it('is wider when the rows of a user rise and fall together', () => {
    const random = Random.seeded(7, 'clusters');
    const labels = Uint8Array.from({ length: 600 }, (_, row) => row % 2);
    const clustered = Float64Array.from(labels, () => random.normal());
    for (let row = 0; row < 600; row++) clustered[row] = clustered[row - (row % 10) + (row % 2)] ?? 0;
    const flat = { baseline: [new Float64Array(600)], treatment: [clustered], labels, replicates: 300 };
    const width = (users: Int32Array) => {
      const { ci95 } = pairedBootstrap({ ...flat, users, random: Random.seeded(1, 'width') });
      return ci95[1] - ci95[0];
    };
    const rowsAlone = Int32Array.from(labels, (_, row) => row);
    const byUser = Int32Array.from(labels, (_, row) => Math.floor(row / 10));
    expect(width(byUser)).toBeGreaterThan(1.5 * width(rowsAlone));
  });

  it('draws again when a draw of users holds one class only', () => {
    const input = { labels: Uint8Array.of(1, 0), users: Int32Array.of(5, 6), replicates: 50 };
    const [baseline, treatment] = [[Float64Array.of(0, 1)], [Float64Array.of(1, 0)]];
    const found = pairedBootstrap({ ...input, baseline, treatment, random: Random.seeded(1, 'tiny') });
    expect(found).toEqual({ difference: 1, ci95: [1, 1], p: 2 / 51 });
  });

  it('gives the same numbers for the same seed', () => {
    const { signal, labels, users } = makeRows(Random.seeded(8, 'rows'));
    const treatment = [noisy(signal, 1, Random.seeded(8, 'noise'))];
    const run = () =>
      pairedBootstrap({
        baseline: [signal],
        treatment,
        labels,
        users,
        random: Random.seeded(8, 'bootstrap'),
      });
    expect(run()).toEqual(run());
  });

  it('refuses one user, unequal seeds, no replicates and NaN', () => {
    const scores = Float64Array.of(0.1, 0.2);
    const good = {
      baseline: [scores],
      treatment: [scores],
      labels: Uint8Array.of(0, 1),
      users: Int32Array.of(1, 2),
    };
    const random = Random.seeded(1, 'refuse');
    expect(() => pairedBootstrap({ ...good, users: Int32Array.of(1, 1), random })).toThrow('have 1 user');
    expect(() => pairedBootstrap({ ...good, treatment: [], random })).toThrow('0 of the treatment');
    expect(() => pairedBootstrap({ ...good, replicates: 0, random })).toThrow('0 is no number');
    const treatment = [Float64Array.of(NaN, 1)];
    expect(() => pairedBootstrap({ ...good, treatment, random })).toThrow('score of row 0 is not a number');
  });
});
