/**
 * Cluster id (COURIER, section 4), the best of the paper's ways: the nearest centre of an item's embedding as an
 * id with an embedding of its own, for the candidate and for every item of the history.
 */
import { codeFeature } from './code-matches.ts';
import type { CreateFeature } from './feature.ts';

export const clusterId: CreateFeature = (data, { clusters }) => codeFeature('cluster-id', data, clusters);
