/** Settings for the H&M sample, chosen on its validation period (see docs/results.md). */
import type { CompareConfigInput } from '../../src/pipelines/compare-config.ts';

export const hmSettings = {
  objectives: ['courier', 'random', 'pixel-pca', 'hog'],
  features: ['sim-score'],
  pretrain: {
    encoder: { patch: 16, width: 128, heads: 4, depth: 3 },
    steps: 200,
    candidates: 3,
    validateEvery: 25,
    validationPageViews: 2000,
  },
} satisfies Omit<CompareConfigInput, 'dataset' | 'out' | 'seeds'>;
