/**
 * SimTier (arXiv 2407.19467, section 4.2): how many earlier clicks look how much like the candidate, as a
 * histogram. Unlike SimScore it takes the whole history in whatever length, in the same few numbers.
 */
import { historyCosines } from './cosines.ts';
import type { CreateFeature } from './feature.ts';

/** Bins of equal width over [−1, 1]; cosines of trained embeddings crowd near 1, so that few are not enough. */
const tiers = 20;

/** Values of one exposure: clicks of the history whose cosine with the candidate falls into each bin. (W = 20) */
export const simTier: CreateFeature = (data, { embeddings }) => {
  const cosinesOf = historyCosines(data, embeddings, data.pageViews.historyLength);
  return {
    name: 'sim-tier',
    groups: [tiers],
    codes: [],
    fill(rows, out) {
      out.fill(0, 0, rows.length * tiers);
      for (const [index, row] of rows.entries()) {
        cosinesOf(row, (_, cosine) => {
          const tier = Math.floor(((cosine + 1) / 2) * tiers);
          out[index * tiers + Math.max(0, Math.min(tiers - 1, tier))]! += 1;
        });
      }
    },
  };
};
