/** Scores as probabilities that mean what they say: a monotone curve fitted to labels. */
import { ascendingOrder } from './order.ts';
import { checkProbabilities } from './probability.ts';
import type { Scores } from './rows.ts';

/** A curve that never falls: straight between its points, level beyond them. */
export interface CalibrationCurve {
  /** Ascending, each once. (K) */
  readonly scores: readonly number[];
  /** Never falling. (K) */
  readonly probabilities: readonly number[];
}

/** A curve with what it was fitted to. */
export interface IsotonicFit extends CalibrationCurve {
  /** Rows of each pool. (K) */
  readonly rows: readonly number[];
}

/**
 * Isotonic regression of labels on scores by pooling adjacent violators (Ayer et al., 1955; for classifiers Zadrozny and
 * Elkan, 2002): of all curves that never fall the one with the least squared error. Rows of a pool have one value, which
 * stands at their mean score; between pools the curve is straight, so that scores keep their order.
 *
 * @param scores in [0, 1]. (R)
 * @param labels 1 for a click, 0 for none. (R)
 * @throws CourierError METRIC_UNDEFINED for no rows; VALUE_INVALID for a score that is not a number or outside [0, 1], a
 *   label that is neither 0 nor 1, or different lengths
 */
export function fitIsotonic(scores: Scores, labels: Uint8Array): IsotonicFit {
  checkProbabilities('Isotonic calibration', scores, labels);
  const pools: { rows: number; score: number; clicks: number }[] = [];
  let before = Number.NaN;
  for (const row of ascendingOrder(scores)) {
    const [score, label] = [scores[row]!, labels[row]!];
    const last = pools.at(-1);
    // Rows of equal scores are one: nothing could tell them apart.
    if (last !== undefined && score === before) {
      last.rows += 1;
      last.score += score;
      last.clicks += label;
    } else pools.push({ rows: 1, score, clicks: label });
    before = score;
    // A pool of equal scores may still grow, so it is compared when the next score comes, and at the end.
    poolViolators(pools, 1);
  }
  poolViolators(pools, 0);
  return {
    scores: pools.map(({ rows, score }) => score / rows),
    probabilities: pools.map(({ rows, clicks }) => clicks / rows),
    rows: pools.map(({ rows }) => rows),
  };
}

/**
 * The curve without probabilities of 0 and 1, which no number of rows can show: a lowest pool without clicks, and a highest of
 * nothing else, are taken with one more row of the mean of all. It never falls, since no end passes its neighbour.
 */
export function withoutCertainty({ scores, probabilities, rows }: IsotonicFit): CalibrationCurve {
  const all = rows.reduce((sum, count) => sum + count, 0);
  const clicks = probabilities.reduce((sum, probability, place) => sum + probability * rows[place]!, 0);
  // A row that is half a click, where all are alike.
  const mean = (clicks + 0.5) / (all + 1);
  const inside = probabilities.filter((probability) => probability > 0 && probability < 1);
  const [lowest, highest] = [inside[0] ?? mean, inside.at(-1) ?? mean];
  return {
    scores,
    probabilities: probabilities.map((probability, place) => {
      const taken = (probability * rows[place]! + mean) / (rows[place]! + 1);
      if (probability === 0) return Math.min(taken, lowest);
      return probability === 1 ? Math.max(taken, highest) : probability;
    }),
  };
}

/** Joins neighbours of which the earlier has no smaller mean. @param open pools at the end that are left alone */
function poolViolators(pools: { rows: number; score: number; clicks: number }[], open: number): void {
  const kept = pools.splice(pools.length - open);
  for (;;) {
    const [earlier, last] = [pools.at(-2), pools.at(-1)];
    if (earlier === undefined || last === undefined) break;
    if (earlier.clicks * last.rows < last.clicks * earlier.rows) break;
    pools.pop();
    earlier.rows += last.rows;
    earlier.score += last.score;
    earlier.clicks += last.clicks;
  }
  pools.push(...kept);
}

/** The probability that a curve gives a score. */
export function calibrated({ scores, probabilities }: CalibrationCurve, score: number): number {
  let [low, high] = [0, scores.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (scores[middle]! < score) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return probabilities[0]!;
  if (low === scores.length) return probabilities[low - 1]!;
  const [left, right] = [scores[low - 1]!, scores[low]!];
  const share = (score - left) / (right - left);
  return probabilities[low - 1]! + share * (probabilities[low]! - probabilities[low - 1]!);
}
