/** Draws indices with given weights. */
import type { Random } from '../random.ts';

export class WeightedSampler {
  /** cumulative[i] is the sum of the weights up to and including i. */
  readonly #cumulative: Float64Array;

  /** @throws RangeError when there is no weight, or one that is not positive and finite */
  constructor(weights: readonly number[]) {
    if (weights.length === 0) throw new RangeError('there is nothing to draw from');
    this.#cumulative = new Float64Array(weights.length);
    let sum = 0;
    for (const [index, weight] of weights.entries()) {
      if (!(weight > 0 && Number.isFinite(weight))) throw new RangeError(`weight ${index} is ${weight}`);
      sum += weight;
      this.#cumulative[index] = sum;
    }
  }

  /** An index, with probability proportional to its weight. */
  draw(random: Random): number {
    const last = this.#cumulative.length - 1;
    const target = random.uniform() * this.#cumulative[last]!;
    let [low, high] = [0, last];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#cumulative[middle]! > target) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
