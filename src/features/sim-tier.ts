/**
 * SimTier (arXiv 2407.19467, section 4.2), as MUSE has it (arXiv 2512.07216 and its released code, `simtier.py`): how
 * many earlier clicks look how much like the candidate, as a histogram, once of the recent history and once of what is
 * retrieved from a long one. Unlike SimScore it takes a history of any length in the same few numbers.
 *
 * MUSE multiplies log(1 + count) of each tier by a learned vector, of length 1 in its released settings, and gives these
 * to the ranker's first layer. A matrix behind a learned factor for each of its columns is a matrix: the vector of a tier
 * is its column of the ranker's first layer here, and there is no factor besides.
 */
import { historyCosines } from './cosines.ts';
import type { CreateFeature } from './feature.ts';
import { retrievedCosines } from './retrieved.ts';

/** Tiers of width 0.1: one for −1, twenty up to 1, and one for what rounding puts beyond. */
export const tiers = 22;
const tiersPerUnit = 10;
const width = 2 * tiers;

/** The tier k of a cosine c: 0.1 (k − 11) < c ≤ 0.1 (k − 10), in float32 as MUSE computes it. */
export function tierOf(cosine: number): number {
  const tier = Math.ceil(Math.fround(tiersPerUnit * Math.fround(cosine))) + tiersPerUnit;
  return Math.max(0, Math.min(tiers - 1, tier));
}

/**
 * Values of one exposure: log(1 + count) of the cosines that fall into each tier, of the history of the page view, newest H,
 * and then of the at most 50 most similar of up to 1,000 clicks. (W = 44)
 */
export const simTier: CreateFeature = (data, { embeddings }) => {
  const recentOf = historyCosines(data, embeddings, data.pageViews.historyLength);
  const retrievedOf = retrievedCosines(data, embeddings);
  return {
    name: 'sim-tier',
    groups: [tiers, tiers],
    codes: [],
    fillNearness: null,
    fill(rows, out) {
      out.fill(0, 0, rows.length * width);
      for (let index = 0; index < rows.length; index++) {
        const row = rows[index]!;
        const counts = out.subarray(index * width, (index + 1) * width);
        recentOf(row, (_, cosine) => {
          counts[tierOf(cosine)]! += 1;
        });
        for (const cosine of retrievedOf(row)) counts[tiers + tierOf(cosine)]! += 1;
        for (let tier = 0; tier < width; tier++) counts[tier] = Math.log1p(counts[tier]!);
      }
    },
  };
};
