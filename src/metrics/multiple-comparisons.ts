/** Many comparisons with one baseline: the more of them, the likelier one looks good by luck alone. */
import { CourierError } from '../errors.ts';

/**
 * p-values corrected so that the chance of even one false discovery among them stays below the level they
 * are held against, whatever their dependence: the step-down procedure of Holm (A Simple Sequentially
 * Rejective Multiple Test Procedure, 1979). The i-th smallest of m becomes the largest of
 * min(1, (m − j + 1) p₍ⱼ₎) over j ≤ i.
 *
 * @param p one p-value for each comparison. (m)
 * @returns the corrected ones, in the same order. (m)
 * @throws CourierError VALUE_INVALID for a value outside [0, 1]
 */
export function holm(p: readonly number[]): number[] {
  for (const [place, value] of p.entries()) {
    if (!(value >= 0 && value <= 1)) throw invalid(value, place);
  }
  const order = Array.from(p.keys()).sort((a, b) => p[a]! - p[b]! || a - b);
  const corrected = p.slice();
  let largest = 0;
  for (const [rank, place] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (p.length - rank) * p[place]!));
    corrected[place] = largest;
  }
  return corrected;
}

function invalid(value: number, place: number): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `Comparison ${place + 1} has the p-value ${value}, which is not between 0 and 1.`,
    'Leave out comparisons whose p-value could not be computed before correcting the others.',
  );
}
