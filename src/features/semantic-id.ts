/** Semantic id: residual-quantised codes as ids, from coarse to fine (Rajput et al., NeurIPS 2023). */
import { codeFeature } from './code-matches.ts';
import type { CreateFeature } from './feature.ts';

export const semanticId: CreateFeature = (data, { semanticIds }) =>
  codeFeature('semantic-id', data, semanticIds);
