/** How values are distributed, counted as they come, and how far that is from what was seen before. */
import type { Histogram } from './format.ts';

/** Scores are probabilities; SimScore is the sum of a maximum and a mean of cosines. */
export const scoreBins = { from: 0, to: 1, bins: 20 } as const;
export const simScoreBins = { from: -2, to: 2, bins: 40 } as const;

export class LiveHistogram {
  readonly #from: number;
  readonly #to: number;
  readonly #counts: Float64Array;

  constructor({ from, to, bins }: { readonly from: number; readonly to: number; readonly bins: number }) {
    this.#from = from;
    this.#to = to;
    this.#counts = new Float64Array(bins);
  }

  /** Counts values; what is NaN has none. */
  add(values: ArrayLike<number>): void {
    const bins = this.#counts.length;
    for (let place = 0; place < values.length; place++) {
      const value = values[place]!;
      if (Number.isNaN(value)) continue;
      const bin = Math.floor(((value - this.#from) / (this.#to - this.#from)) * bins);
      this.#counts[Math.max(0, Math.min(bins - 1, bin))]! += 1;
    }
  }

  /** What was counted so far. */
  get value(): Histogram {
    return { from: this.#from, to: this.#to, counts: Array.from(this.#counts) };
  }
}

/** A bin that holds less is taken for one that holds this much, so that an empty one is not infinitely far. */
const smallestShare = 1e-4;

/**
 * Population stability index: Σ (p − q) ln(p / q) over the shares of the bins. Below 0.1 is the same, above 0.25 is another, as
 * the field has it.
 * @returns null where one of them has counted nothing
 */
export function stabilityIndex(reference: Histogram, live: Histogram): number | null {
  const [before, now] = [sharesOf(reference), sharesOf(live)];
  if (before === null || now === null) return null;
  return before.reduce((sum, share, bin) => {
    const [p, q] = [Math.max(share, smallestShare), Math.max(now[bin] ?? 0, smallestShare)];
    return sum + (q - p) * Math.log(q / p);
  }, 0);
}

function sharesOf({ counts }: Histogram): readonly number[] | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return total === 0 ? null : counts.map((count) => count / total);
}
