/**
 * Means of training ratings as features, made so that they do not tell a training exposure its own label.
 *
 * A mean that leaves out only the exposure itself tells it exactly: among exposures of one film it takes
 * its low value where the rating was high (Prokhorenkova et al., CatBoost, 2018, section 3.2), and a ranker
 * knows the film by its id. So training ratings are drawn into folds, and each has the mean of the others.
 */
import type { Random } from '../../random.ts';
import { NONE } from '../dataset.ts';
import type { Ratings } from './ml1m-files.ts';

const foldCount = 5;

/** The mean of all ratings counts as much as so many ratings of a film or a user. */
const priorRatings = 10;

/** The fold of each training rating. (n) */
export function drawFolds(count: number, random: Random): Uint8Array {
  return Uint8Array.from({ length: count }, () => random.integer(foldCount));
}

/**
 * Mean stars of a film or of a user, drawn towards the mean of all ratings where there are few. Training
 * exposures get it from the other folds, those of validation and test from all training ratings.
 * @param keys film or user of each training rating. (n)
 * @param exposed film or user of each exposure. (R)
 * @param trainingRow which training rating an exposure is, or NONE. (R)
 * @returns (R)
 */
export function foldedMeans(
  { stars }: Pick<Ratings, 'stars'>,
  keys: Int32Array,
  folds: Uint8Array,
  exposed: Int32Array,
  trainingRow: Int32Array,
  keyCount: number,
): Float64Array {
  // The last key sums up all others; the last fold is of no rating.
  const sums = new Sums(keyCount + 1);
  for (let row = 0; row < keys.length; row++) {
    for (const key of [keys[row]!, keyCount]) sums.add(key, folds[row]!, stars[row]!);
  }
  const middle = Array.from({ length: foldCount + 1 }, (_, fold) => {
    const { sum, count } = sums.without(keyCount, fold);
    return count === 0 ? Number.NaN : sum / count;
  });
  return Float64Array.from(exposed, (key, row) => {
    const fold = trainingRow[row] === NONE ? foldCount : folds[trainingRow[row]!]!;
    const { sum, count } = sums.without(key, fold);
    return (sum + priorRatings * middle[fold]!) / (count + priorRatings);
  });
}

/** log1p of the training ratings of each exposure's film, other than the exposure itself. (R) */
export function otherRatingsLog(
  films: Int32Array,
  exposed: Int32Array,
  trainingRow: Int32Array,
  filmCount: number,
): Float64Array {
  const counts = new Int32Array(filmCount);
  for (const film of films) counts[film]!++;
  return Float64Array.from(exposed, (film, row) =>
    Math.log1p(counts[film]! - (trainingRow[row] === NONE ? 0 : 1)),
  );
}

/** Sum and number of ratings by key and fold. */
class Sums {
  readonly #sums: Float64Array;
  readonly #counts: Int32Array;

  constructor(keyCount: number) {
    this.#sums = new Float64Array(keyCount * foldCount);
    this.#counts = new Int32Array(keyCount * foldCount);
  }

  add(key: number, fold: number, value: number): void {
    this.#sums[key * foldCount + fold]! += value;
    this.#counts[key * foldCount + fold]! += 1;
  }

  /** Over the ratings of a key in all folds but one. */
  without(key: number, left: number): { sum: number; count: number } {
    let [sum, count] = [0, 0];
    for (let fold = 0; fold < foldCount; fold++) {
      if (fold === left) continue;
      sum += this.#sums[key * foldCount + fold]!;
      count += this.#counts[key * foldCount + fold]!;
    }
    return { sum, count };
  }
}
