/** Every visual feature, under the name that selects it. A ranker without images takes none of them. */
import type { CreateFeature } from './feature.ts';
import { simScore } from './sim-score.ts';
import { vector } from './vector.ts';

export const visualFeatures = {
  'sim-score': simScore,
  vector,
} satisfies Readonly<Record<string, CreateFeature>>;

export type FeatureName = keyof typeof visualFeatures;
