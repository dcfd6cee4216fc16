/**
 * SimScore (COURIER, section 4) of what is retrieved from a long history: not what was clicked last, but what looks most
 * like the candidate of all that was clicked.
 */
import type { CreateFeature } from './feature.ts';
import { retrievedCosines } from './retrieved.ts';

/** The most similar items whose cosines are told one by one. */
export const simRetrievedPlaces = 5;
const [meanAt, comparableAt] = [simRetrievedPlaces, simRetrievedPlaces + 1];
const width = simRetrievedPlaces + 2;

/**
 * Values of one exposure: the 5 largest cosines between the candidate and its user's up to 1,000 clicks before the page
 * view, largest first, 0 where there are fewer; the mean of the 50 largest; and 1 if there was anything to compare, else
 * 0. (W = 7)
 */
export const simRetrieved: CreateFeature = (data, { embeddings }) => {
  const cosinesOf = retrievedCosines(data, embeddings);
  return {
    name: 'sim-retrieved',
    groups: [width],
    codes: [],
    fillNearness: null,
    fill(rows, out) {
      out.fill(0, 0, rows.length * width);
      for (let index = 0; index < rows.length; index++) {
        const cosines = cosinesOf(rows[index]!);
        if (cosines.length === 0) continue;
        const base = index * width;
        for (let place = 0; place < Math.min(simRetrievedPlaces, cosines.length); place++)
          out[base + place] = cosines[cosines.length - 1 - place]!;
        out[base + meanAt] = cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length;
        out[base + comparableAt] = 1;
      }
    },
  };
};
