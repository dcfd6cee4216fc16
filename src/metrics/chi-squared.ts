/** The chi-squared distribution. */
import { upperTail } from './normal.ts';

/**
 * P(X > x), to all digits also far out.
 *
 * Q(k + 2, x) = Q(k, x) + (x/2)^(k/2) e^(−x/2) / Γ(k/2 + 1), from Q(1, x) = P(|Z| > √x) or Q(2, x) = e^(−x/2)
 * (Abramowitz and Stegun, Handbook of Mathematical Functions, 26.4.4, 26.4.5 and 26.4.8).
 *
 * @param x not below 0
 * @param degreesOfFreedom whole, at least 1
 */
export function chiSquaredTail(x: number, degreesOfFreedom: number): number {
  const isOdd = degreesOfFreedom % 2 === 1;
  let tail = isOdd ? 2 * upperTail(Math.sqrt(x)) : Math.exp(-x / 2);
  let term = isOdd ? Math.sqrt((2 * x) / Math.PI) * Math.exp(-x / 2) : (x / 2) * Math.exp(-x / 2);
  for (let degrees = isOdd ? 1 : 2; degrees < degreesOfFreedom; degrees += 2) {
    tail += term;
    term *= x / (degrees + 2);
  }
  return Math.min(1, tail);
}
