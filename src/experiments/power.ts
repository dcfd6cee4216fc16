/** How many users an experiment needs to find a lift, looked at once at its end or every day. */
import { normalQuantile, upperTail } from '../metrics/normal.ts';
import { crossing } from './crossing.ts';

export interface PowerQuestion {
  /** Probability with which a lift shall be found. */
  readonly power: number;
  /** Arms beside control, for which p-values are corrected. */
  readonly treatments: number;
  /** Looks of a sequential test, one a day. */
  readonly looks: number;
}

/** How far arms have to be apart at the planned end. */
export interface NeededDrift {
  /** Expected z. */
  readonly drift: number;
  /** Part of the planned time until the result, on average where the lift is there; 1 for a single look. */
  readonly meanTime: number;
}

/** How a metric varies between users. */
export interface Spread {
  /** Standard deviation over mean; of a ratio that of its linearisation. */
  readonly variation: number;
  /** Share of that variance that CUPED takes away: the squared correlation with the time before. 0 without it. */
  readonly explained: number;
}

/**
 * What a test of one look and a sequential test of daily looks ask for, by the normal approximation.
 *
 * The sequential answer is exact for looks equally far apart at which the information has grown equally; where the same
 * users come back, more is known of them early, and a lift may be found sooner.
 */
export function neededDrifts(question: PowerQuestion): {
  readonly fixed: NeededDrift;
  readonly sequential: NeededDrift;
} {
  const { power, looks, treatments } = question;
  // Bonferroni's level: what Holm asks of the best of several treatments.
  const level = 0.05 / treatments;
  const drift = rising((each) => crossing(each, looks, level).probability, power, 20);
  return {
    fixed: { drift: rising((each) => fixedPower(each, level), power, 50), meanTime: 1 },
    sequential: { drift, meanTime: crossing(drift, looks, level).meanTime },
  };
}

/** That a two-sided test of a single look finds something. @param drift expected z */
export function fixedPower(drift: number, level: number): number {
  const limit = normalQuantile(1 - level / 2);
  return upperTail(limit - drift) + upperTail(limit + drift);
}

/**
 * Users of each arm, arms being equally large, of whom a relative lift has the drift: z = lift / (variation √((1 + (1 + lift)²) / n)),
 * since what lifts a mean by a share lifts the spread with it.
 */
export function usersNeeded(spread: Spread, lift: number, drift: number): number {
  return Math.ceil((remaining(spread) * (1 + (1 + lift) ** 2) * drift ** 2) / lift ** 2);
}

/** The relative lift that has the drift with so many users in each arm; null where they are too few for any. */
export function detectableLift(spread: Spread, usersPerArm: number, drift: number): number | null {
  const part = (remaining(spread) * drift ** 2) / usersPerArm;
  if (part >= 1) return null;
  // lift² = part (1 + (1 + lift)²)
  return (part + Math.sqrt(part ** 2 + 2 * part * (1 - part))) / (1 - part);
}

/** Squared variation that CUPED leaves. */
function remaining({ variation, explained }: Spread): number {
  return variation ** 2 * (1 - explained);
}

/** Where a rising function of the drift comes to a value, within 16 / 2^steps. */
function rising(of: (drift: number) => number, value: number, steps: number): number {
  let [low, high] = [0, 16];
  for (let step = 0; step < steps; step++) {
    const middle = (low + high) / 2;
    if (of(middle) < value) low = middle;
    else high = middle;
  }
  return high;
}
