import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silent } from '../progress.ts';
import { Random } from '../random.ts';
import { CentreSearch } from './centre-search.ts';
import { initializations } from './initialization.ts';
import { kMeansDefaults } from './k-means.ts';
import { roundingLoss } from './space.ts';
import { sphericalKMeans } from './spherical-k-means.ts';

const dimension = 16;

function direction(random: Random): number[] {
  const vector = Array.from({ length: dimension }, () => random.normal());
  return unit(vector);
}

function unit(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** Rounded to float16, which keeps 11 bits, and 2^-24 at least. */
function half(value: number): number {
  const step = 2 ** (Math.max(-14, Math.floor(Math.log2(Math.abs(value)))) - 10);
  return step * Math.round(value / step);
}

describe('k-means', () => {
  let search: CentreSearch;
  beforeAll(async () => {
    search = await CentreSearch.open(dimension);
  });
  afterAll(() => search.close());

  function run(rows: readonly (readonly number[])[], clusters: number, more: object = {}, seed = 1) {
    const ids = rows.map((_, row) => `item${row}`);
    const embeddings = { ids, dimension, vectors: Float32Array.from(rows.flat()) };
    const options = { ...kMeansDefaults, clusters, ...more };
    return sphericalKMeans(embeddings, options, search, Random.seeded(seed, 'test'), silent);
  }

  it('ends where copies of few directions differ by the rounding of float16, whatever their scale', async () => {
    const sets = fc.record({
      directions: fc.integer({ min: 1, max: 5 }),
      scales: fc.array(fc.double({ min: 0.998, max: 1.002, noNaN: true }), { minLength: 1, maxLength: 24 }),
      clusters: fc.integer({ min: 2, max: 8 }),
      initialization: fc.constantFrom(...initializations),
      seed: fc.nat(1000),
    });
    const check = fc.asyncProperty(sets, async ({ directions, scales, clusters, initialization, seed }) => {
      const random = Random.seeded(seed, 'directions');
      const units = Array.from({ length: directions }, () => direction(random));
      const rows = scales.map((scale, row) => units[row % directions]!.map((value) => half(scale * value)));
      const different = Math.min(directions, rows.length);
      const found = run(rows, clusters, { initialization }, seed);
      if (different < clusters) {
        const which = different < rows.length ? `${different} of them different` : `${different} items`;
        const message = expect.stringContaining(`${which}, for ${clusters} clusters`);
        await expect(found).rejects.toMatchObject({ code: 'VALUE_INVALID', message });
      } else {
        const { sizes, codes } = await found;
        expect([sizes.length, Math.min(...sizes) > 0]).toEqual([clusters, true]);
        expect(codes.every((code) => code >= 0 && code < clusters)).toBe(true);
      }
    });
    await fc.assert(check, { numRuns: 100 });
  });

  it('ends where directions differ by hardly more than rounding, with clusters of items or with the refusal', async () => {
    const sets = fc.record({
      // Losses at the first direction, in units of what counts as equal.
      losses: fc.array(fc.double({ min: 0.01, max: 20, noNaN: true }), { minLength: 2, maxLength: 24 }),
      clusters: fc.integer({ min: 2, max: 6 }),
      initialization: fc.constantFrom(...initializations),
      seed: fc.nat(1000),
    });
    const check = fc.asyncProperty(sets, async ({ losses, clusters, initialization, seed }) => {
      const random = Random.seeded(seed, 'directions');
      const middle = direction(random);
      const rows = losses.map((loss) => {
        const aside = direction(random);
        const angle = Math.sqrt(2 * loss * roundingLoss(dimension));
        return unit(middle.map((value, i) => value + angle * aside[i]!));
      });
      const found = await run(rows, clusters, { initialization }, seed).catch((error: unknown) => error);
      if (found instanceof Error) expect(found).toMatchObject({ code: 'VALUE_INVALID' });
      else
        expect(found).toMatchObject({
          sizes: expect.toSatisfy((sizes: Int32Array) => Math.min(...sizes) > 0),
        });
    });
    await fc.assert(check, { numRuns: 50 });
  });

  it('takes in all items where those of the first batch already lie on their centres', async () => {
    // More items than the first batch holds, whose inner products are exact.
    const rows = Array.from({ length: 20_000 }, (_, row) =>
      Array.from({ length: dimension }, (_, i) => Number(i === row % 2)),
    );
    const { sizes, inertia } = await run(rows, 2);
    expect([[...sizes], inertia]).toEqual([[10_000, 10_000], 0]);
  });
});
