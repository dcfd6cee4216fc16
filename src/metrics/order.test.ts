import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascendingOrder } from './order.ts';
import type { Scores } from './rows.ts';

function orderByComparator(scores: Scores): number[] {
  return Array.from(scores.keys()).sort((a, b) => {
    const [left, right] = [scores[a] ?? 0, scores[b] ?? 0];
    return left < right ? -1 : left > right ? 1 : a - b;
  });
}

const numbers = fc.array(
  fc.oneof(
    fc.float({ noNaN: true }),
    fc.double({ noNaN: true }),
    fc.constantFrom(0, -0, 1, -1, 1 + 2 ** -40),
  ),
  { maxLength: 40 },
);

describe('ascendingOrder', () => {
  it('is the order of a stable comparison sort, for 32- and 64-bit scores', () => {
    fc.assert(
      fc.property(numbers, (values) => {
        for (const scores of [Float32Array.from(values), Float64Array.from(values)]) {
          expect(Array.from(ascendingOrder(scores))).toEqual(orderByComparator(scores));
        }
      }),
    );
  });

  it('keeps equal scores in the order of their rows, 0 and −0 being equal', () => {
    for (const Kind of [Float32Array, Float64Array]) {
      expect(Array.from(ascendingOrder(Kind.of(0, -0, -Infinity, 0, Infinity, -0, -1)))).toEqual([
        2, 6, 0, 1, 3, 5, 4,
      ]);
    }
  });

  it('reads the scores of a view and leaves them as they were', () => {
    const whole = Float64Array.of(9, 3, -1, 2);
    expect(Array.from(ascendingOrder(whole.subarray(1)))).toEqual([1, 2, 0]);
    expect(Array.from(whole)).toEqual([9, 3, -1, 2]);
  });

  it('has nothing to order in no rows', () => {
    expect(ascendingOrder(new Float32Array(0))).toHaveLength(0);
  });
});
