/**
 * SimScore (COURIER, section 4): how much the candidate looks like what the user clicked before. Real-valued,
 * cheap, and the usual way to compare encoders.
 */
import type { FeatureData } from '../data/dataset.ts';
import { historyCosines } from './cosines.ts';
import type { CreateFeature } from './feature.ts';
import type { EmbeddedItems } from './item-embeddings.ts';

/** The newest history places that are compared one by one, as in COURIER. */
export const simScorePlaces = 5;
const [maximumAt, meanAt, comparableAt] = [simScorePlaces, simScorePlaces + 1, simScorePlaces + 2];
const width = simScorePlaces + 3;

/** Maximum and mean of the cosines between a candidate and its history. Once for many: nothing is taken anew for each. */
export class CosineSummary {
  #count = 0;
  #sum = 0;
  #maximum = Number.NEGATIVE_INFINITY;

  clear(): void {
    this.#count = 0;
    this.#sum = 0;
    this.#maximum = Number.NEGATIVE_INFINITY;
  }

  add(cosine: number): void {
    this.#count += 1;
    this.#sum += cosine;
    this.#maximum = Math.max(this.#maximum, cosine);
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  get maximum(): number {
    return this.#maximum;
  }

  get mean(): number {
    return this.#sum / this.#count;
  }
}

/**
 * Maximum and mean cosine of an exposure added up, which is SimScore as a single number: how encoders are compared without a
 * ranker. null where nothing of the history can be compared.
 */
export function simScoreValue(data: FeatureData, embeddings: EmbeddedItems): (row: number) => number | null {
  const cosinesOf = historyCosines(data, embeddings, simScorePlaces);
  const summary = new CosineSummary();
  const add = (_: number, cosine: number) => summary.add(cosine);
  return (row) => {
    summary.clear();
    cosinesOf(row, add);
    return summary.isEmpty ? null : summary.maximum + summary.mean;
  };
}

/**
 * Values of one exposure: the cosine between the candidate and each of the 5 newest clicks before its page
 * view, newest first, 0 where either has no photo; then the maximum and the mean over the places that could
 * be compared, and 1 if there was such a place, else 0. (W = 8)
 */
export const simScore: CreateFeature = (data, { embeddings }) => {
  const cosinesOf = historyCosines(data, embeddings, simScorePlaces);
  return {
    name: 'sim-score',
    groups: [width],
    codes: [],
    fillNearness: null,
    fill(rows, out) {
      out.fill(0, 0, rows.length * width);
      const summary = new CosineSummary();
      let base = 0;
      const use = (place: number, cosine: number) => {
        out[base + place] = cosine;
        summary.add(cosine);
      };
      for (let index = 0; index < rows.length; index++) {
        base = index * width;
        summary.clear();
        cosinesOf(rows[index]!, use);
        if (summary.isEmpty) continue;
        out[base + maximumAt] = summary.maximum;
        out[base + meanAt] = summary.mean;
        out[base + comparableAt] = 1;
      }
    },
  };
};
