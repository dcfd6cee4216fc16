/** Vector (COURIER, section 4): the candidate's own embedding as input. */
import type { CreateFeature } from './feature.ts';

/** Values of one exposure: the embedding of its candidate, zero without a photo. (W = d) */
export const vector: CreateFeature = ({ exposures }, { embeddings: { dimension, vectors } }) => ({
  name: 'vector',
  groups: [dimension],
  codes: [],
  fillNearness: null,
  fill(rows, out) {
    for (const [index, row] of rows.entries()) {
      const from = exposures.item[row]! * dimension;
      for (let i = 0; i < dimension; i++) out[index * dimension + i] = vectors[from + i]!;
    }
  },
});
