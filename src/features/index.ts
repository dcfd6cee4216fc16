/** Every visual feature, under the name that selects it. A ranker without images takes none of them. */
import type { CreateFeature } from './feature.ts';
import { simScore } from './sim-score.ts';
import { vector } from './vector.ts';

export const featureNames = ['sim-score', 'vector'] as const;
export type FeatureName = (typeof featureNames)[number];

export const visualFeatures: Readonly<Record<FeatureName, CreateFeature>> = {
  'sim-score': simScore,
  vector,
};
