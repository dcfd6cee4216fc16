/** What the features of one file of embeddings are made of. */
import { join } from 'node:path';
import { codesForCatalogue, type ItemCodes, readClusters } from '../data/clusters.ts';
import type { Dataset } from '../data/dataset.ts';
import { readEmbeddings } from '../data/embeddings.ts';
import type { VisualInputs } from '../features/feature.ts';
import type { FeatureSet } from '../features/index.ts';
import { ItemEmbeddings } from '../features/item-embeddings.ts';
import { exists } from '../files.ts';
import { type Progress, silent } from '../progress.ts';
import { cluster, clustersFile } from './cluster.ts';
import { clusterConfig } from './cluster-config.ts';

/** How codes of items are made: of cluster.ts, with residual codes, which only the feature semantic-id asks for. */
export const codesConfig = clusterConfig
  .pick({ clusters: true, semanticCodes: true, initialization: true, iterations: true, tolerance: true })
  .extend({ semanticLevels: clusterConfig.shape.semanticLevels.def.innerType.default(3) });

export type CodesConfig = ReturnType<typeof codesConfig.parse>;

/** Embeddings by item id from a file that embed wrote, in the order of the catalogue. */
export async function loadItemEmbeddings(dataset: Dataset, path: string): Promise<ItemEmbeddings> {
  const { ids, vectors } = await readEmbeddings(path);
  return ItemEmbeddings.forCatalogue(dataset.catalogue, ids, vectors);
}

interface CodesOptions {
  readonly config: CodesConfig;
  readonly seed: number;
  /** Folder of the clusterings, each of which is done once. */
  readonly folder: string;
  readonly signal: AbortSignal | undefined;
}

/**
 * Loads embeddings, and clusters them where a feature of the set asks for it.
 * @throws CourierError those of reading and clustering
 */
export async function visualInputs(
  dataset: Dataset,
  embeddings: string,
  set: FeatureSet,
  options: CodesOptions,
  progress: Progress = silent,
): Promise<VisualInputs> {
  const items = await loadItemEmbeddings(dataset, embeddings);
  const codes = (kind: 'cluster' | 'semantic') => codesOf(dataset, embeddings, kind, options, progress);
  return {
    embeddings: items,
    clusters: set.includes('cluster-id') ? await codes('cluster') : [],
    semanticIds: set.includes('semantic-id') ? await codes('semantic') : [],
  };
}

async function codesOf(
  dataset: Dataset,
  embeddings: string,
  kind: 'cluster' | 'semantic',
  { config, seed, folder, signal }: CodesOptions,
  progress: Progress,
): Promise<readonly ItemCodes[]> {
  const out = join(folder, kind);
  const path = join(out, clustersFile);
  const wanted = kind === 'cluster' ? { semanticLevels: 0 } : { clusters: [] };
  if (!(await exists(path))) await cluster({ ...config, ...wanted, embeddings, out, seed }, progress, signal);
  return codesForCatalogue(await readClusters(path), dataset.catalogue);
}
