/** The standard normal distribution. */

/** The 97.5 % quantile: a 95 % interval reaches this many standard errors to either side. */
export const normalQuantile975 = 1.959963984540054;

/** Below this the series loses at most two digits of the tail, above it the fraction converges quickly. */
const tailBegins = 2.5;
const fractionTerms = 150;

/**
 * P(Z > x), to about 14 significant digits also far out, where 1 − P(Z ≤ x) would have none left.
 *
 * Abramowitz and Stegun, Handbook of Mathematical Functions: the power series 26.2.11 near 0, Laplace's
 * continued fraction 26.2.14 in the tail.
 */
export function upperTail(x: number): number {
  if (x < 0) return 1 - upperTail(-x);
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  return x < tailBegins ? 0.5 - density * series(x) : density / fraction(x);
}

/** x + x³/3 + x⁵/(3·5) + x⁷/(3·5·7) + … */
function series(x: number): number {
  let [sum, term] = [0, x];
  for (let odd = 3; sum + term !== sum; odd += 2) {
    sum += term;
    term *= (x * x) / odd;
  }
  return sum;
}

/** x + 1/(x + 2/(x + 3/(x + …))) */
function fraction(x: number): number {
  let value = x;
  for (let term = fractionTerms; term > 0; term--) value = x + term / value;
  return value;
}

/**
 * The value that a share of the distribution lies below, by bisection of `upperTail`: as exact as that.
 *
 * @param share between 0 and 1, both excluded
 */
export function normalQuantile(share: number): number {
  const tail = Math.min(share, 1 - share);
  let [low, high] = [0, 40];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (upperTail(middle) > tail) low = middle;
    else high = middle;
  }
  return share < 0.5 ? -high : high;
}
