/**
 * A metric in each arm, with its variance by the draw of users, with and without what is known of them from before.
 *
 * A metric is a ratio of sums over users, Σ y / Σ x; x is 1 for each where it is a mean. Users are independent and their
 * exposures are not, so the variance is that of the linearised ratio, (y − R x) / x̄, over users (delta method; Deng,
 * Knoblich, Lu, Applying the Delta Method in Metric Analytics, KDD 2018). For a mean that is the plain variance.
 *
 * CUPED (Deng, Xu, Kohavi, Walker, Improving the Sensitivity of Online Controlled Experiments by Utilizing
 * Pre-Experiment Data, WSDM 2013) takes away what the same figure of the time before explains: R − θ w̄, with w the
 * linearised metric of before, which has the mean 0 over all arms, and θ the slope within arms, pooled.
 */

/** What is summed of users. */
export interface Sample {
  /** y (U) */
  readonly numerator: Float64Array;
  /** x (U); null for 1 each */
  readonly denominator: Float64Array | null;
}

/** A number and its variance by the draw of users. */
export interface Estimate {
  readonly value: number;
  readonly variance: number;
}

export interface ArmEstimate {
  readonly users: number;
  /** Users whose y is not 0. */
  readonly activeUsers: number;
  readonly plain: Estimate;
  /** By CUPED; null where nothing of before is known. */
  readonly adjusted: Estimate | null;
}

/** Sums over the users of an arm. */
interface Sums {
  users: number;
  active: number;
  y: number;
  x: number;
  /** Of e = y − R x and w. */
  ee: number;
  ew: number;
  w: number;
  ww: number;
}

/**
 * @param arm of each user, −1 for those who are not in it yet. (U)
 * @param before the same metric of the time before; null where it is not known
 * @param arms how many there are
 * @returns an estimate for each arm; what cannot be computed, of an arm with fewer than two users, is NaN
 */
export function estimateArms(
  { numerator, denominator }: Sample,
  before: Sample | null,
  arm: Int32Array,
  arms: number,
): ArmEstimate[] {
  const sums = Array.from({ length: arms }, (): Sums => {
    return { users: 0, active: 0, y: 0, x: 0, ee: 0, ew: 0, w: 0, ww: 0 };
  });
  let [yBefore, xBefore] = [0, 0];
  for (let user = 0; user < arm.length; user++) {
    const own = sums[arm[user]!];
    if (own === undefined) continue;
    const y = numerator[user]!;
    own.users++;
    own.y += y;
    own.x += denominator === null ? 1 : denominator[user]!;
    if (y !== 0) own.active++;
    if (before === null) continue;
    yBefore += before.numerator[user]!;
    xBefore += before.denominator === null ? 1 : before.denominator[user]!;
  }
  const ratioBefore = xBefore === 0 ? 0 : yBefore / xBefore;
  const ratios = sums.map(({ y, x }) => y / x);
  for (let user = 0; user < arm.length; user++) {
    const place = arm[user]!;
    const own = sums[place];
    if (own === undefined) continue;
    const e = numerator[user]! - ratios[place]! * (denominator === null ? 1 : denominator[user]!);
    own.ee += e * e;
    if (before === null) continue;
    const w =
      before.numerator[user]! - ratioBefore * (before.denominator === null ? 1 : before.denominator[user]!);
    own.ew += e * w;
    own.w += w;
    own.ww += w * w;
  }
  const slope = before === null ? null : slopeOf(sums);
  return sums.map((own, place) => ({
    users: own.users,
    activeUsers: own.active,
    plain: { value: ratios[place]!, variance: varianceOf(own, 0) },
    adjusted:
      slope === null
        ? null
        : { value: ratios[place]! - (slope * own.w) / own.users, variance: varianceOf(own, slope) },
  }));
}

/** θ, within arms; 0 where nobody differs before. */
function slopeOf(sums: readonly Sums[]): number {
  let [together, own] = [0, 0];
  for (const { users, x, ew, w, ww } of sums) {
    if (users < 2) continue;
    together += (ew * users) / x;
    own += ww - w ** 2 / users;
  }
  return own > 0 ? together / own : 0;
}

/** Of the mean of e / x̄ − θ w. */
function varianceOf({ users, x, ee, ew, w, ww }: Sums, slope: number): number {
  const meanX = x / users;
  const squares = ee / meanX ** 2 - (2 * slope * ew) / meanX + slope ** 2 * (ww - w ** 2 / users);
  return Math.max(0, squares) / (users - 1) / users;
}
