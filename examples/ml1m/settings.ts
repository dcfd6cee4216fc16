/** Settings for MovieLens 1M with posters: a first choice, not searched for. */
import type { RealDataExample } from '../real-data.ts';

export const ml1mSettings: RealDataExample['settings'] = {
  objectives: ['courier', 'random', 'pixel-pca', 'hog'],
  features: ['sim-score'],
  pretrain: {
    steps: 400,
    batchSize: 384,
    // Few training page views have more than one film that was rated low.
    candidates: 2,
    validationPageViews: 6000,
  },
  // The validation AUC peaks within the first pass (see docs/data.md), so it is taken often.
  ranker: { epochs: 2, evaluationsPerEpoch: 10 },
};
