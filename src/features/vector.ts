/** Vector (COURIER, section 4): the candidate's own embedding as input. */
import type { CreateFeature } from './feature.ts';

/** Values of one exposure: the embedding of its candidate, zero without a photo. (W = d) */
export const vector: CreateFeature = ({ exposures }, { dimension, vectors }) => ({
  name: 'vector',
  width: dimension,
  fill(rows, out) {
    for (const [index, row] of rows.entries()) {
      const start = exposures.item[row]! * dimension;
      out.set(vectors.subarray(start, start + dimension), index * dimension);
    }
  },
});
