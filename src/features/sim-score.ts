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

/** Maximum and mean of the cosines between a candidate and its history; at least one. */
export function summariseCosines(cosines: readonly number[]): {
  readonly maximum: number;
  readonly mean: number;
} {
  const mean = cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length;
  return { maximum: Math.max(...cosines), mean };
}

/**
 * Maximum and mean cosine of an exposure added up, which is SimScore as a single number: how encoders are compared without a
 * ranker. null where nothing of the history can be compared.
 */
export function simScoreValue(data: FeatureData, embeddings: EmbeddedItems): (row: number) => number | null {
  const cosinesOf = historyCosines(data, embeddings, simScorePlaces);
  return (row) => {
    const cosines: number[] = [];
    cosinesOf(row, (_, cosine) => cosines.push(cosine));
    if (cosines.length === 0) return null;
    const { maximum, mean } = summariseCosines(cosines);
    return maximum + mean;
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
      for (const [index, row] of rows.entries()) {
        const base = index * width;
        const cosines: number[] = [];
        cosinesOf(row, (place, cosine) => {
          out[base + place] = cosine;
          cosines.push(cosine);
        });
        if (cosines.length === 0) continue;
        const { maximum, mean } = summariseCosines(cosines);
        out[base + maximumAt] = maximum;
        out[base + meanAt] = mean;
        out[base + comparableAt] = 1;
      }
    },
  };
};
