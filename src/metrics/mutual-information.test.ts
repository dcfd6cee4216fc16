import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { type ClickCounts, clickInformation, permutedInformation } from './mutual-information.ts';

function counts(rows: readonly (readonly [number, number, number, number])[]): ClickCounts {
  const column = (place: 0 | 1 | 2 | 3) => Int32Array.from(rows, (row) => row[place]);
  return { clusters: column(0), categories: column(1), exposures: column(2), clicks: column(3) };
}

const item = fc
  .tuple(fc.nat(3), fc.nat(2), fc.integer({ min: 1, max: 20 }), fc.nat(20))
  .map(
    ([cluster, category, exposures, clicks]) =>
      [cluster, category, exposures, Math.min(clicks, exposures)] as const,
  );
const items = fc.array(item, { minLength: 1, maxLength: 30 });

describe('information of clusters about clicks, given the category', () => {
  it('equals a table worked by hand', () => {
    // One category, clusters with 3 of 4 and 1 of 4 clicked: H(Y) = 1, H(Y | C) = H(1/4) = 2 − (3/4) log₂ 3.
    const { plugIn, corrected, clickEntropy, exposures } = clickInformation(
      counts([
        [0, 0, 4, 3],
        [1, 0, 4, 1],
      ]),
    );
    expect(exposures).toBe(8);
    expect(clickEntropy).toBeCloseTo(1, 14);
    expect(plugIn).toBeCloseTo(1 - (2 - 0.75 * Math.log2(3)), 14);
    // Occupied: 2 clusters + 2 outcomes − 4 cells − 1 category = −1, over 2 · 8 exposures.
    expect(corrected).toBeCloseTo(plugIn - 1 / (16 * Math.LN2), 14);
  });

  it('weights categories by their exposures', () => {
    // In category 0 the cluster says all (1 bit of 2 exposures), in category 1 nothing (of 6).
    const { plugIn } = clickInformation(
      counts([
        [0, 0, 1, 1],
        [1, 0, 1, 0],
        [0, 1, 2, 1],
        [1, 1, 4, 2],
      ]),
    );
    expect(plugIn).toBeCloseTo(2 / 8, 14);
  });

  it('is nothing where the click rate depends on the category alone, however clusters and categories relate', () => {
    const table = counts([
      [0, 0, 10, 2],
      [1, 0, 30, 6],
      [2, 1, 5, 4],
      [1, 1, 10, 8],
    ]);
    expect(clickInformation(table).plugIn).toBeCloseTo(0, 14);
  });

  it('is all of H(click | category) where the cluster determines the click', () => {
    fc.assert(
      fc.property(items, (rows) => {
        const decided = rows.map(
          ([cluster, category, exposures]) =>
            [cluster, category, exposures, (cluster + category) % 2 === 0 ? exposures : 0] as const,
        );
        const { plugIn, clickEntropy } = clickInformation(counts(decided));
        expect(plugIn).toBeCloseTo(clickEntropy, 12);
      }),
    );
  });

  it('is never negative before the correction and never more than there is to tell', () => {
    fc.assert(
      fc.property(items, (rows) => {
        const { plugIn, clickEntropy } = clickInformation(counts(rows));
        expect(plugIn).toBeGreaterThanOrEqual(0);
        expect(plugIn).toBeLessThanOrEqual(clickEntropy + 1e-12);
      }),
    );
  });

  it('is corrected to about nothing on average where clusters are drawn by lot', () => {
    const random = Random.seeded(1, 'null');
    const draws = Array.from({ length: 300 }, () =>
      clickInformation(
        counts(
          Array.from({ length: 400 }, () => [random.integer(5), random.integer(2), 1, random.integer(2)]),
        ),
      ),
    );
    const mean = (of: 'plugIn' | 'corrected') =>
      draws.reduce((sum, draw) => sum + draw[of], 0) / draws.length;
    // (5 − 1) · (2 − 1) · 2 categories / (2 · 400) nats.
    expect(mean('plugIn')).toBeCloseTo(8 / (800 * Math.LN2), 3);
    expect(Math.abs(mean('corrected'))).toBeLessThan(0.001);
  });
});

describe('what clusters tell by chance', () => {
  it('is what any dealing gives where items do not differ, and leaves the clusters alone', () => {
    const same = counts(Array.from({ length: 40 }, (_, row) => [row % 4, row % 2, 10, 3]));
    const before = same.clusters.slice();
    const { mean, high } = permutedInformation(same, 20, Random.seeded(1, 'deal'));
    const { corrected } = clickInformation(same);
    // Dealing changes only how many cells are occupied.
    expect(Math.abs(mean - corrected)).toBeLessThan(0.01);
    expect(high).toBeLessThan(0.01);
    expect(same.clusters).toEqual(before);
  });

  it('lies below what clusters of equal click rates tell, and is the same for the same seed', () => {
    const random = Random.seeded(2, 'items');
    const rows = Array.from({ length: 120 }, (_, row) => {
      const rate = random.uniform();
      return [rate > 0.5 ? 1 : 0, row % 3, 50, Math.round(50 * rate)] as const;
    });
    const chance = permutedInformation(counts(rows), 100, Random.seeded(1, 'deal'));
    expect(chance.mean).toBeLessThan(chance.high);
    expect(chance.mean).toBeGreaterThan(0);
    expect(clickInformation(counts(rows)).corrected).toBeGreaterThan(10 * chance.high);
    expect(permutedInformation(counts(rows), 100, Random.seeded(1, 'deal'))).toEqual(chance);
  });

  it('is undefined without exposures, and refuses more clicks than exposures', () => {
    expect(() => clickInformation(counts([[0, 0, 0, 0]]))).toThrow('there are no exposures');
    expect(() => clickInformation(counts([[0, 0, 1, 2]]))).toThrow('more clicks than exposures');
    expect(() => clickInformation(counts([[-1, 0, 1, 1]]))).toThrow('no cluster');
  });
});
