/** How much each user moves a metric: from that follows, without resampling, how far other users could move it. */
import { aucOfGroups, halvesWithinGroups } from './auc.ts';
import type { Grouping } from './groups.ts';
import { ndcgOfPageViews } from './ndcg.ts';
import { halfPlacements } from './placements.ts';
import { logLossOfRows } from './probability.ts';
import { checkBothClasses, checkRows } from './rows.ts';
import type { ScoredRows } from './slices.ts';

export interface UserInfluence {
  readonly value: number;
  /**
   * The value less what it is without the rows of a user, NaN where it is undefined without them. The sum of their squares,
   * times (U − 1) / U, is the variance of the value by the draw of users: the jackknife (Tukey, Bias and Confidence in
   * Not-Quite Large Samples, 1958). (all users, U of them counted)
   */
  readonly influence: Float64Array;
  /** U, the users whose rows count: the others have no influence, whatever they do. */
  readonly users: number;
  /** Equally heavy users who would tell as much, by Kish: (Σ n)² / Σ n² of the rows n of each that count. At most U. */
  readonly effectiveUsers: number;
}

/** A metric of rows whose users are `users`. */
export type UserMetric = (rows: ScoredRows, users: Grouping) => UserInfluence;

/**
 * AUC: what a user's rows add to the pairs of a clicked and an unclicked row, and to those in which the clicked one scores
 * higher, is known from their placements (Obuchowski, Nonparametric Analysis of Clustered ROC Curve Data, 1997), pairs of two
 * rows of the user counting once. O(R log R).
 *
 * @throws CourierError as `auc` does
 */
export function aucInfluence({ scores, labels }: ScoredRows, users: Grouping): UserInfluence {
  checkRows('AUC', scores, labels);
  checkBothClasses('AUC', labels);
  const { count, ofRow } = users;
  const placements = halfPlacements(scores, labels);
  const [touched, clicked] = [new Float64Array(count), new Float64Array(count)];
  let [halves, clicks] = [0, 0];
  for (let row = 0; row < labels.length; row++) {
    const user = ofRow[row]!;
    touched[user]! += placements[row]!;
    if (labels[row] === 0) continue;
    clicked[user]! += 1;
    clicks++;
    halves += placements[row]!;
  }
  const others = labels.length - clicks;
  const value = halves / (2 * clicks * others);
  const [rows, within] = [rowsOfUsers(ofRow, count), halvesWithinGroups(scores, labels, users)];
  const influence = clicked.map((own, user) => {
    const pairs = (clicks - own) * (others - (rows[user]! - own));
    return value - (halves - touched[user]! + within[user]!) / (2 * pairs);
  });
  return { value, influence, users: count, effectiveUsers: effectiveOf(rows) };
}

/** GAUC: the AUC within each user, weighted by the user's rows. @throws CourierError as `gauc` does */
export function gaucInfluence({ scores, labels }: ScoredRows, users: Grouping): UserInfluence {
  checkRows('GAUC', scores, labels);
  const values = aucOfGroups(scores, labels, users);
  const weights = rowsOfUsers(users.ofRow, users.count).map((rows, user) =>
    Number.isNaN(values[user]!) ? 0 : rows,
  );
  return ratioInfluence(
    values.map((value, user) => (weights[user] === 0 ? 0 : weights[user]! * value)),
    weights,
  );
}

/** Log loss: the mean over rows. @throws CourierError as `logLoss` does */
export function logLossInfluence({ scores, labels }: ScoredRows, { count, ofRow }: Grouping): UserInfluence {
  const losses = new Float64Array(count);
  for (const [row, loss] of logLossOfRows(scores, labels).entries()) losses[ofRow[row]!]! += loss;
  return ratioInfluence(losses, rowsOfUsers(ofRow, count));
}

/** NDCG@k: the mean over page views of which something was clicked and something not, each its user's. @throws CourierError as `ndcg` does */
export function ndcgInfluence(k: number): UserMetric {
  return ({ scores, labels, pageViews }, { count, ofRow }) => {
    const { values, rows } = ndcgOfPageViews(scores, labels, pageViews, k);
    const [gains, counted] = [new Float64Array(count), new Float64Array(count)];
    for (const [pageView, value] of values.entries()) {
      if (Number.isNaN(value)) continue;
      const user = ofRow[rows[pageView]!]!;
      gains[user]! += value;
      counted[user]! += 1;
    }
    return ratioInfluence(gains, counted);
  };
}

/** Of one ranker less another on the same rows. */
export function influenceOnDifference(before: UserInfluence, after: UserInfluence): UserInfluence {
  return {
    value: after.value - before.value,
    influence: after.influence.map((value, user) => value - before.influence[user]!),
    users: after.users,
    effectiveUsers: after.effectiveUsers,
  };
}

/** Of a ratio of sums over users. @param denominators what of each user counts */
export function ratioInfluence(numerators: Float64Array, denominators: Float64Array): UserInfluence {
  const whole = sum(denominators);
  const value = sum(numerators) / whole;
  return {
    value,
    influence: numerators.map((numerator, user) => {
      return (numerator - value * denominators[user]!) / (whole - denominators[user]!);
    }),
    users: denominators.filter((denominator) => denominator > 0).length,
    effectiveUsers: effectiveOf(denominators),
  };
}

/** (Σ w)² / Σ w² of weights (Kish, Survey Sampling, 1965). */
function effectiveOf(weights: Float64Array): number {
  return sum(weights) ** 2 / weights.reduce((squares, weight) => squares + weight ** 2, 0);
}

function rowsOfUsers(ofRow: Int32Array, count: number): Float64Array {
  const rows = new Float64Array(count);
  for (let row = 0; row < ofRow.length; row++) rows[ofRow[row]!]! += 1;
  return rows;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
