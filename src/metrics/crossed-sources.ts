/** What users and seeds together, each seed measured on the same users, leave to chance in a mean over seeds. */
import { undefinedMetric } from './rows.ts';
import { studentQuantile } from './student-t.ts';
import type { UserInfluence } from './user-influence.ts';

/** What a lift varies with. */
export interface CrossedSources {
  /** The lift of each seed. (S) */
  readonly seedLifts: readonly number[];
  /** Users that it was measured on. */
  readonly users: number;
  /** Equally heavy users who would tell as much. */
  readonly effectiveUsers: number;
  /** Variance of the mean over seeds by the draw of users. */
  readonly userVariance: number;
  /** The part of it that is the answer of users to single seeds, which the spread of `seedLifts` holds too; 0 for one. */
  readonly interactionVariance: number;
}

export interface Uncertainty {
  readonly ci95: readonly [number, number];
  /** Two-sided; not below 1e-12. */
  readonly p: number;
  /** The least true lift that would be seen, p below 0.05, with 80 % probability. */
  readonly detectable: number;
}

/** A variance with the degrees of freedom of its estimate. */
interface Part {
  readonly variance: number;
  readonly degreesOfFreedom: number;
}

/** @param seeds the lift of each seed and how the same users move it. (S) */
export function crossedSources(seeds: readonly UserInfluence[]): CrossedSources {
  const { influence, users, effectiveUsers } = seeds[0]!;
  const count = seeds.length;
  const mean = influence.map((_, user) => meanOf(seeds.map((seed) => seed.influence[user]!)));
  const apart = seeds.reduce((sum, seed) => sum + squaredDistance(seed.influence, mean), 0);
  const ofSample = (users - 1) / users;
  return {
    seedLifts: seeds.map(({ value }) => value),
    users,
    effectiveUsers,
    userVariance: ofSample * mean.reduce((sum, value) => sum + value ** 2, 0),
    interactionVariance: count === 1 ? 0 : (ofSample * apart) / (count * (count - 1)),
  };
}

/** Interval, p-value and power of a mean over seeds, by t. */
export function combineSources(sources: CrossedSources): Uncertainty {
  const lift = meanOf(sources.seedLifts);
  const parts = partsOf(sources);
  const variance = parts.reduce((sum, part) => sum + part.variance, 0);
  if (variance === 0) {
    if (lift === 0) return { ci95: [0, 0], p: 1, detectable: 0 };
    throw undefinedMetric('The confidence interval', 'the difference is the same for every user and seed');
  }
  const reach = (share: number) => quantileOfSum(parts, share) / Math.sqrt(variance);
  const half = reach(0.025);
  return {
    ci95: [lift - half, lift + half],
    p: levelAt(Math.abs(lift), (level) => reach(level / 2)),
    detectable: half + reach(0.2),
  };
}

/**
 * The variance of the mean is that of users' own part, var_users − interaction, plus that of seeds, var_seeds / S, which
 * holds the interaction: expected mean squares of a two-way layout without replication (Cornfield and Tukey, Average
 * Values of Mean Squares in Factorials, 1956).
 */
function partsOf(sources: CrossedSources): readonly Part[] {
  const { seedLifts, users, effectiveUsers, userVariance, interactionVariance } = sources;
  if (users < 2) {
    throw undefinedMetric('The confidence interval', 'the rows that count are of one user');
  }
  if (!Number.isFinite(userVariance)) {
    const why = 'without one of the users no click would be left, or nothing but clicks';
    throw undefinedMetric('The confidence interval', why);
  }
  const ofUsers = {
    variance: Math.max(0, userVariance - interactionVariance),
    // A few heavy users among many decide what the squares come to: of U users there are as few as these.
    degreesOfFreedom: Math.min(users - 1, effectiveUsers),
  };
  const seeds = seedLifts.length;
  if (seeds === 1) return [ofUsers];
  const mean = meanOf(seedLifts);
  const between = seedLifts.reduce((sum, lift) => sum + (lift - mean) ** 2, 0) / (seeds - 1);
  return [ofUsers, { variance: between / seeds, degreesOfFreedom: seeds - 1 }];
}

/**
 * Σ v t, so that the quantile of the sum is the mean of the parts' own t, weighted by variance (Cochran and Cox,
 * Experimental Designs, 1950). Welch and Satterthwaite's degrees of freedom are too many where few seeds happen to agree.
 *
 * @param tail the share beyond it
 */
function quantileOfSum(parts: readonly Part[], tail: number): number {
  return parts.reduce(
    (sum, { variance, degreesOfFreedom }) => sum - variance * studentQuantile(tail, degreesOfFreedom),
    0,
  );
}

/** The level at which an interval reaches just as far: bisection of its logarithm. */
function levelAt(distance: number, reach: (level: number) => number): number {
  let [low, high] = [Math.log(1e-12), 0];
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (reach(Math.exp(middle)) > distance) low = middle;
    else high = middle;
  }
  return Math.exp(high);
}

function squaredDistance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let place = 0; place < a.length; place++) sum += (a[place]! - b[place]!) ** 2;
  return sum;
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
