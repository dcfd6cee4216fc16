/**
 * Similarity inside the ranker's target attention (MUSE's semantic-aware target attention, arXiv 2512.07216; as side
 * information of each place, by how large it is, DMF, arXiv 2510.11066): how near the candidate is to each item of the history says how much that
 * item should weigh, which embeddings of ids learn late or, for new items, never.
 */
import { historyCosines } from './cosines.ts';
import type { CreateFeature } from './feature.ts';

/** No dense values: nearness to each of the H places of the history. Rankers that weigh no places have no use for it. */
export const attentionCosine: CreateFeature = (data, { embeddings }) => {
  const { historyLength } = data.pageViews;
  const cosinesOf = historyCosines(data, embeddings, historyLength);
  return {
    name: 'attention-cosine',
    groups: [],
    codes: [],
    fill: () => undefined,
    fillNearness(rows, out) {
      out.fill(0, 0, rows.length * historyLength);
      for (let index = 0; index < rows.length; index++) {
        cosinesOf(rows[index]!, (place, cosine) => {
          // Opposite vectors may be a rounding beyond −1.
          out[index * historyLength + place] = Math.max(0, 1 + cosine);
        });
      }
    },
  };
};
