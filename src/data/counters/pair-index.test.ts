import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NONE } from '../dataset.ts';
import { PairIndex } from './pair-index.ts';

describe('the index of pairs', () => {
  it('gives every pair a row of its own, from 0 on, and finds it again; others it does not know', () => {
    const number = fc.integer({ min: 0, max: 12 });
    fc.assert(
      fc.property(fc.array(fc.tuple(number, number), { maxLength: 300 }), (pairs) => {
        const index = new PairIndex();
        const known = new Map<string, number>();
        for (const [first, second] of pairs) {
          const row = known.get(`${first} ${second}`) ?? known.size;
          expect(index.add(first, second)).toBe(row);
          known.set(`${first} ${second}`, row);
        }
        for (let first = 0; first <= 12; first++) {
          for (let second = 0; second <= 12; second++) {
            expect(index.find(first, second)).toBe(known.get(`${first} ${second}`) ?? NONE);
          }
        }
      }),
    );
  });
});
