import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../random.ts';
import { NONE } from '../dataset.ts';
import { drawFolds, foldedMeans, otherRatingsLog } from './ml1m-means.ts';

const keyCount = 4;
const ratings = fc.array(fc.record({ key: fc.nat(keyCount - 1), stars: fc.integer({ min: 1, max: 5 }) }), {
  minLength: 20,
  maxLength: 60,
});

function meansOf(rated: readonly { readonly key: number; readonly stars: number }[]) {
  const keys = Int32Array.from(rated, ({ key }) => key);
  const stars = Uint8Array.from(rated, (each) => each.stars);
  const folds = drawFolds(rated.length, Random.seeded(1, 'test'));
  const rows = Int32Array.from(rated.keys());
  const later = Int32Array.from({ length: keyCount }, (_, key) => key);
  return {
    training: foldedMeans({ stars }, keys, folds, keys, rows, keyCount),
    later: foldedMeans(
      { stars },
      keys,
      folds,
      later,
      later.map(() => NONE),
      keyCount,
    ),
  };
}

describe('means of training ratings', () => {
  it('do not change for a training exposure with its own stars', () => {
    fc.assert(
      fc.property(ratings, fc.nat(1000), fc.integer({ min: 1, max: 5 }), (rated, at, stars) => {
        const row = at % rated.length;
        const changed = rated.map((each, index) => (index === row ? { ...each, stars } : each));
        expect(meansOf(changed).training[row]).toBe(meansOf(rated).training[row]);
      }),
    );
  });

  it('are at most five per film or user in training, so that no value belongs to one rating', () => {
    fc.assert(
      fc.property(ratings, (rated) => {
        const { training } = meansOf(rated);
        for (let key = 0; key < keyCount; key++) {
          const values = training.filter((_, row) => rated[row]!.key === key);
          expect(new Set(values).size).toBeLessThanOrEqual(5);
        }
      }),
    );
  });

  it('are those of all training ratings, with ten more of the general mean, in validation and test', () => {
    fc.assert(
      fc.property(ratings, (rated) => {
        const sum = (of: typeof rated) => of.reduce((total, { stars }) => total + stars, 0);
        for (const [key, mean] of meansOf(rated).later.entries()) {
          const own = rated.filter((each) => each.key === key);
          const general = sum(rated) / rated.length;
          expect(mean).toBeCloseTo((sum(own) + 10 * general) / (own.length + 10), 10);
        }
      }),
    );
  });
});

it('the number of ratings of a film leaves out the exposure itself', () => {
  const films = Int32Array.of(0, 0, 1);
  const exposed = Int32Array.of(0, 1, 0, 2);
  const logs = otherRatingsLog(films, exposed, Int32Array.of(0, 2, NONE, NONE), 3);
  expect([...logs]).toEqual([Math.log1p(1), 0, Math.log1p(2), 0]);
});
