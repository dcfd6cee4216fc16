import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type NullNoise, nullLift } from '../../test/support/null-lift.ts';
import { Random } from '../random.ts';
import { type CrossedSources, combineSources, crossedSources } from './crossed-sources.ts';
import { studentQuantile } from './student-t.ts';

const base: CrossedSources = {
  seedLifts: [0.02, 0.01, 0.03],
  users: 41,
  effectiveUsers: 41,
  userVariance: 0.0001,
  interactionVariance: 0,
};

function rejected(runs: number, seeds: number, noise: NullNoise): number {
  const random = Random.seeded(5, `null ${seeds}`);
  const lifts = Array.from({ length: runs }, () =>
    combineSources(crossedSources(nullLift(random, 100, seeds, noise))),
  );
  return lifts.filter(({ p }) => p < 0.05).length / runs;
}

describe('users and seeds as sources of chance', () => {
  it('are the t test over users for one seed', () => {
    const { ci95, detectable } = combineSources({ ...base, seedLifts: [0.02] });
    const half = studentQuantile(0.975, 40) * 0.01;
    expect(ci95[0]).toBeCloseTo(0.02 - half, 12);
    expect(ci95[1]).toBeCloseTo(0.02 + half, 12);
    expect(detectable).toBeCloseTo(half + studentQuantile(0.8, 40) * 0.01, 12);
  });

  it('are the t test over seeds where users do not differ', () => {
    const { ci95 } = combineSources({ ...base, userVariance: 0 });
    expect(ci95[1]).toBeCloseTo(0.02 + (4.302653 * 0.01) / Math.sqrt(3), 8);
  });

  it('weigh the t of both by their variances', () => {
    const { ci95 } = combineSources(base);
    const [users, seeds] = [0.0001, 0.0001 / 3];
    const t = (users * studentQuantile(0.975, 40) + seeds * studentQuantile(0.975, 2)) / (users + seeds);
    expect(ci95[1]).toBeCloseTo(0.02 + t * Math.sqrt(users + seeds), 12);
  });

  it('count once what users answer to single seeds', () => {
    const doubled = { ...base, userVariance: 0.0003, interactionVariance: 0.0002 };
    expect(combineSources(doubled).ci95[1]).toBeCloseTo(combineSources(base).ci95[1], 12);
  });

  it('have as few degrees of freedom as there are equally heavy users, and never more than users less one', () => {
    const { ci95 } = combineSources({ ...base, seedLifts: [0.02], effectiveUsers: 4.5 });
    expect(ci95[1]).toBeCloseTo(0.02 + studentQuantile(0.975, 4.5) * 0.01, 12);
  });

  it('come apart in the mean over many tables', () => {
    const random = Random.seeded(7, 'parts');
    const [runs, users, seeds] = [400, 50, 3];
    const tables = Array.from({ length: runs }, () =>
      crossedSources(nullLift(random, users, seeds, { seed: 0, interaction: 2 })),
    );
    const mean = (of: (sources: CrossedSources) => number) =>
      tables.reduce((sum, table) => sum + of(table), 0) / runs;
    const interaction = 4 / users / seeds;
    expect(mean(({ interactionVariance }) => interactionVariance) / interaction).toBeCloseTo(1, 1);
    expect(mean(({ userVariance }) => userVariance) / (1 / users + interaction)).toBeCloseTo(1, 1);
  });

  it('give a p-value below 0.05 just where the interval leaves out zero', () => {
    const small = fc.double({ min: -0.05, max: 0.05, noNaN: true });
    const seedLifts = fc.array(small, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(seedLifts, fc.integer({ min: 2, max: 500 }), (seedLifts, users) => {
        const { ci95, p } = combineSources({ ...base, seedLifts, users, effectiveUsers: users });
        expect(p < 0.05).toBe(ci95[0] > 0 || ci95[1] < 0);
        expect(p).toBeGreaterThan(0);
        expect(p).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('make no difference of none at all, and cannot judge one that never varies', () => {
    const still = { users: 3, effectiveUsers: 3, userVariance: 0, interactionVariance: 0 };
    expect(combineSources({ ...still, seedLifts: [0, 0] })).toEqual({ ci95: [0, 0], p: 1, detectable: 0 });
    expect(() => combineSources({ ...still, seedLifts: [0.1, 0.1] })).toThrow('same for every user and seed');
    expect(() => combineSources({ ...base, users: 1 })).toThrow('are of one user');
    expect(() => combineSources({ ...base, userVariance: Number.NaN })).toThrow('without one of the users');
  });

  it('find a lift where there is none in about one of twenty tables, also where two seeds decide', () => {
    for (const noise of [
      { seed: 0, interaction: 1 },
      { seed: 10, interaction: 1 },
    ]) {
      const share = rejected(400, 2, noise);
      expect(share).toBeGreaterThan(0.005);
      expect(share).toBeLessThan(0.09);
    }
  });

  it('find a lift of the detectable size in four of five tables', () => {
    const random = Random.seeded(6, 'power');
    const noise = { seed: 1, interaction: 1 };
    const found = Array.from({ length: 400 }, () => {
      const sources = crossedSources(nullLift(random, 100, 10, noise));
      const { detectable } = combineSources(sources);
      return combineSources({ ...sources, seedLifts: sources.seedLifts.map((lift) => lift + detectable) });
    });
    const share = found.filter(({ p }) => p < 0.05).length / found.length;
    expect(share).toBeGreaterThan(0.72);
    expect(share).toBeLessThan(0.88);
  });
});
