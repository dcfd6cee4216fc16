/** What the features of one file of embeddings are made of. */
import { join } from 'node:path';
import { clusterItems } from '../clustering/cluster-items.ts';
import { clusteringSettings } from '../clustering/config.ts';
import { withDefault } from '../config.ts';
import {
  clustersFile,
  codesForCatalogue,
  type ItemCodes,
  readClusters,
  writeClusters,
} from '../data/clusters.ts';
import type { Dataset } from '../data/dataset.ts';
import { readEmbeddings } from '../data/embeddings.ts';
import type { VisualInputs } from '../features/feature.ts';
import type { FeatureSet } from '../features/index.ts';
import { ItemEmbeddings } from '../features/item-embeddings.ts';
import type { WorkOptions } from '../progress.ts';
import { exists } from '../storage/files.ts';

/** How codes of items are made: with residual codes, which only the feature semantic-id asks for. */
export const codesConfig = clusteringSettings.extend({
  semanticLevels: withDefault(clusteringSettings.shape.semanticLevels, 3),
});

export type CodesConfig = ReturnType<typeof codesConfig.parse>;

/** Embeddings by item id from a file that embed wrote, in the order of the catalogue. */
export async function loadItemEmbeddings(dataset: Dataset, path: string): Promise<ItemEmbeddings> {
  const { ids, vectors } = await readEmbeddings(path);
  return ItemEmbeddings.forCatalogue(dataset.catalogue, ids, vectors);
}

interface CodesOptions extends WorkOptions {
  readonly config: CodesConfig;
  readonly seed: number;
  /** Folder of the clusterings, each of which is done once. */
  readonly folder: string;
}

/**
 * What a set of features is made of: embeddings, and their clusters where a feature of the set asks for them.
 * @throws CourierError those of reading and clustering
 */
export async function visualInputs(
  dataset: Dataset,
  embeddings: ItemEmbeddings,
  set: FeatureSet,
  options: CodesOptions,
): Promise<VisualInputs> {
  const codes = (kind: 'cluster' | 'semantic') => codesOf(dataset, embeddings, kind, options);
  return {
    embeddings,
    clusters: set.includes('cluster-id') ? await codes('cluster') : [],
    semanticIds: set.includes('semantic-id') ? await codes('semantic') : [],
  };
}

async function codesOf(
  { catalogue }: Dataset,
  embeddings: ItemEmbeddings,
  kind: 'cluster' | 'semantic',
  { config, seed, folder, ...options }: CodesOptions,
): Promise<readonly ItemCodes[]> {
  const path = join(folder, kind, clustersFile);
  if (!(await exists(path))) {
    const wanted = kind === 'cluster' ? { semanticLevels: 0 } : { clusters: [] };
    const { dimension, vectors } = embeddings;
    const stored = { ids: catalogue.ids, dimension, vectors };
    const { columns } = await clusterItems(stored, { ...config, ...wanted }, seed, options);
    await writeClusters(path, { ids: stored.ids, columns });
  }
  return codesForCatalogue(await readClusters(path), catalogue);
}
