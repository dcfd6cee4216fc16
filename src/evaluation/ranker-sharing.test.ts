import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tinyLog } from '../../test/support/tiny-log.ts';
import { rankerConfig } from '../rankers/config.ts';
import { Fields, mostTableRows, rowsOfSplit } from '../rankers/fields.ts';
import { trainsTogether } from './ranker-sharing.ts';

const { data } = tinyLog();
const ranker = rankerConfig.parse({});
const rowOf = (source: string, features: string) => ({ source, features, embeddings: () => 'file' });
const rows = [null, rowOf('own', 'vector'), rowOf('own', 'sim-score'), rowOf('other', 'vector')];

describe('rankers are trained by all processes together', () => {
  it.each([
    { size: 1, seeds: [1], together: false },
    { size: 5, seeds: [1], together: false },
    { size: 6, seeds: [1], together: true },
    { size: 6, seeds: [1, 2], together: false },
    { size: 12, seeds: [1, 2], together: true },
  ])('where dealing leaves half of $size without work, with seeds $seeds: $together', (each) => {
    const { size, seeds, together } = each;
    expect(trainsTogether(data, rows, { seeds, ranker }, { size })).toBe(together);
  });

  it('where the table of all ids may be too large for one', () => {
    const large = rankerConfig.parse({ idBuckets: 1e9 });
    expect(trainsTogether(data, rows, { seeds: [1], ranker: large }, { size: 2 })).toBe(true);
    expect(trainsTogether(data, rows, { seeds: [1], ranker: large }, { size: 1 })).toBe(false);
  });
});

describe('the most rows that a table may need', () => {
  it('are never fewer than it has', () => {
    const training = rowsOfSplit(data, 'train');
    const options = fc.record({
      ids: fc.constantFrom('own', 'none'),
      minimumCount: fc.integer({ min: 1, max: 20 }),
      idBuckets: fc.constantFrom(null, 7, 1000),
    });
    fc.assert(
      fc.property(options, (some) => {
        expect(mostTableRows(data, some)).toBeGreaterThanOrEqual(new Fields(data, training, some).tableRows);
      }),
      { numRuns: 20 },
    );
  });
});
