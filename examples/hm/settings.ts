/** Settings for the H&M sample, chosen on its validation period (see docs/results.md). */
import type { CompareConfigInput } from '../../src/pipelines/compare-config.ts';

export const hmSettings = {
  objectives: ['courier', 'random', 'pixel-pca', 'hog'],
  features: ['sim-score'],
  pretrain: {
    // The photos are aligned on white: where an outline lies says much.
    encoder: { patch: 16, width: 128, heads: 4, depth: 3, head: 'layout' },
    steps: 240,
    batchSize: 384,
    candidates: 2,
    validateEvery: 30,
    validationPageViews: 3000,
  },
  // The log is small: ids seen less often than this teach the ranker the training period by heart.
  ranker: { minimumCount: 50, epochs: 8 },
} satisfies Omit<CompareConfigInput, 'dataset' | 'out' | 'seeds'>;
