/**
 * SimScore (COURIER, section 4): how much the candidate looks like what the user clicked before. Real-valued,
 * cheap, and the usual way to compare encoders.
 */
import { historyCosines } from './cosines.ts';
import type { CreateFeature } from './feature.ts';

/** History places that are compared one by one. */
const places = 5;
const [maximumAt, meanAt, comparableAt, width] = [places, places + 1, places + 2, places + 3];

/**
 * Values of one exposure: the cosine between the candidate and each of the 5 newest clicks before its page
 * view, newest first, 0 where either has no photo; then the maximum and the mean over the places that could
 * be compared, and 1 if there was such a place, else 0. (W = 8)
 */
export const simScore: CreateFeature = (data, { embeddings }) => {
  const cosinesOf = historyCosines(data, embeddings, places);
  return {
    name: 'sim-score',
    groups: [width],
    codes: [],
    fill(rows, out) {
      out.fill(0, 0, rows.length * width);
      for (const [index, row] of rows.entries()) {
        const base = index * width;
        let [count, sum, maximum] = [0, 0, Number.NEGATIVE_INFINITY];
        cosinesOf(row, (place, cosine) => {
          out[base + place] = cosine;
          count++;
          sum += cosine;
          maximum = Math.max(maximum, cosine);
        });
        if (count === 0) continue;
        out[base + maximumAt] = maximum;
        out[base + meanAt] = sum / count;
        out[base + comparableAt] = 1;
      }
    },
  };
};
