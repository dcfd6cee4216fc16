/**
 * p-values and intervals that hold whenever, and however often, somebody looks.
 *
 * The mixture sequential probability ratio test with a normal mixture (Robbins, Statistical Methods Related to the Law of
 * the Iterated Logarithm, 1970), as Johari, Koomen, Pekelis and Walsh use it for experiments (Always Valid Inference,
 * Operations Research 2022), for means whose variance is estimated: the asymptotic confidence sequences of Waudby-Smith,
 * Arbour, Sinha, Kennedy and Ramdas (Time-Uniform Central Limit Theory and Asymptotic Confidence Sequences, Annals of
 * Statistics 2024; the boundary is Howard, Ramdas, McAuliffe and Sekhon's, Annals of Statistics 2021, equation 14).
 *
 * Where z is a difference over its standard error and r the information so far over that of the mixture, the test's
 * likelihood ratio is (1 + r)^(−1/2) exp(z² r / (2 (1 + r))). Under no difference it exceeds 1/α ever with a
 * probability of α at most, so 1 over its largest value so far is a p-value.
 */

/**
 * The information, in units of the mixture's, at which the boundary is lowest: the root of r = log(1 + r) − 2 log α.
 * Planned for the end of an experiment, the interval is tightest there. 8.2 for α of 0.05.
 */
export function tightestInformation(level: number): number {
  const least = -2 * Math.log(level);
  let information = least;
  // Contracts by 1 / (1 + r), a sixth or less.
  for (let step = 0; step < 50; step++) information = least + Math.log1p(information);
  return information;
}

/**
 * How many standard errors an interval reaches to either side, and beyond which z the p-value is below the level.
 *
 * @param information r, above 0
 */
export function boundary(information: number, level: number): number {
  return Math.sqrt((1 + 1 / information) * (Math.log1p(information) - 2 * Math.log(level)));
}

/** The p-value of one look; the smallest so far is that of all looks. */
export function lookP(z: number, information: number): number {
  const exponent = (z * z * information) / (2 * (1 + information));
  return Math.min(1, Math.sqrt(1 + information) * Math.exp(-exponent));
}
