import { describe, expect, it } from 'vitest';
import { partsOf, requireCountable } from './parts.ts';

const day = 86_400_000;

describe('parts of a dataset', () => {
  it('end with a day once they are large enough, else with the page view that makes them too large', () => {
    const time = Float64Array.of(0, 1, day, day + 1, 2 * day, 2 * day + 1);
    const start = Int32Array.of(0, 100_000, 200_000, 300_000, 1_200_000, 1_300_000, 2_500_000);
    expect(partsOf(time, start)).toEqual([
      // The first day is too small for itself, and the second ends it.
      { from: 0, to: 4 },
      { from: 4, to: 6 },
    ]);
    const within = Float64Array.of(0, 1, 2);
    expect(partsOf(within, Int32Array.of(0, 1_048_576, 1_048_577, 1_048_578))).toEqual([
      { from: 0, to: 1 },
      { from: 1, to: 3 },
    ]);
    expect(partsOf(new Float64Array(), Int32Array.of(0))).toEqual([]);
  });

  it('cannot have more exposures than 32 bits count', () => {
    requireCountable(2 ** 31 - 1, 'log.csv');
    expect(() => requireCountable(2 ** 31, 'log.csv')).toThrow(
      'log.csv has 2,147,483,648 exposures, and a dataset may have 2,147,483,647.',
    );
  });
});
