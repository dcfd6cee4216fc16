/** What the features of one file of embeddings are made of. */
import { join } from 'node:path';
import { clusterItems } from '../clustering/cluster-items.ts';
import { clusteringSettings } from '../clustering/config.ts';
import { withDefault } from '../config.ts';
import type { Dataset } from '../data/dataset.ts';
import {
  type Centres,
  centresFile,
  clustersFile,
  codesForCatalogue,
  type ItemCodes,
  readCentres,
  readClusters,
  writeCentres,
  writeClusters,
} from '../data/embeddings/clusters.ts';
import { hashEmbeddings, readEmbeddings } from '../data/embeddings/embeddings.ts';
import { readProvenance } from '../data/embeddings/provenance.ts';
import { CourierError } from '../errors.ts';
import type { VisualInputs } from '../features/feature.ts';
import type { FeatureSet } from '../features/index.ts';
import { ItemEmbeddings } from '../features/item-embeddings.ts';
import type { WorkOptions } from '../progress.ts';
import { exists } from '../storage/files.ts';
import { requireLearnedBefore } from './leaks.ts';

/** How codes of items are made: with residual codes, which only the feature semantic-id asks for. */
export const codesConfig = clusteringSettings.extend({
  semanticLevels: withDefault(clusteringSettings.shape.semanticLevels, 3),
});

export type CodesConfig = ReturnType<typeof codesConfig.parse>;

/**
 * Embeddings by item id from a file, in the order of the catalogue.
 * @throws CourierError those of reading and of `ItemEmbeddings.forCatalogue`, with the name of the file
 */
export async function loadItemEmbeddings(dataset: Dataset, path: string): Promise<ItemEmbeddings> {
  const { ids, vectors } = await readEmbeddings(path);
  try {
    return ItemEmbeddings.forCatalogue(dataset.catalogue, ids, vectors);
  } catch (error) {
    if (!(error instanceof CourierError)) throw error;
    const remedy = 'Correct the file, or embed the catalogue again.';
    throw new CourierError(error.code, `${path}: ${error.message}`, remedy, { cause: error });
  }
}

/**
 * The same for rankers: embeddings that no item has would make a row that cannot differ from none.
 * @throws CourierError those of reading, VALUE_INVALID where no item of the catalogue has one
 */
export async function loadKnownEmbeddings(dataset: Dataset, path: string): Promise<ItemEmbeddings> {
  const embeddings = await loadItemEmbeddings(dataset, path);
  if (embeddings.present.includes(1)) return embeddings;
  const { ids } = await readEmbeddings(path);
  throw nothingKnown(path, ids, dataset.catalogue.ids, embeddings.unknown);
}

function nothingKnown(
  path: string,
  ids: readonly string[],
  items: readonly string[],
  unknown: number,
): CourierError {
  const some = (texts: readonly string[]) => texts.slice(0, 3).join(', ');
  const problem =
    unknown === ids.length
      ? `none of their ids is an item of the dataset: they have such as ${some(ids)}, the dataset ${some(items)}`
      : 'those of the items of the dataset are all zero';
  return new CourierError(
    'VALUE_INVALID',
    `${path} cannot be used as embeddings: ${problem}.`,
    'Give embeddings of this catalogue, with its own item ids.',
  );
}

interface CodesOptions extends WorkOptions {
  /** The embeddings as the user named them. */
  readonly file: string;
  readonly allowLeak: boolean;
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

/** @throws CourierError VALUE_INVALID for clusters of other embeddings, LEAK, those of clustering and reading */
async function codesOf(
  dataset: Dataset,
  embeddings: ItemEmbeddings,
  kind: 'cluster' | 'semantic',
  { config, seed, folder, file, allowLeak, ...options }: CodesOptions,
): Promise<readonly ItemCodes[]> {
  const { catalogue } = dataset;
  const hash = await hashEmbeddings(file);
  const [path, centresPath] = [join(folder, kind, clustersFile), join(folder, kind, centresFile)];
  if (!(await exists(path)) || !(await exists(centresPath))) {
    const wanted = kind === 'cluster' ? { semanticLevels: 0 } : { clusters: [] };
    const { dimension, vectors } = embeddings;
    const stored = { ids: catalogue.ids, dimension, vectors };
    const { columns, centres } = await clusterItems(stored, { ...config, ...wanted }, seed, options);
    const { origin, learnedUntil } = await readProvenance(file);
    await writeCentres(centresPath, { dimension, centres, origin, learnedUntil });
    await writeClusters(path, { ids: stored.ids, columns, of: { hash, learnedUntil } });
  }
  const clusters = await readClusters(path);
  if (clusters.of?.hash !== hash) throw ofOthers(path, file);
  if (!allowLeak) requireLearnedBefore(dataset, path, clusters.of.learnedUntil);
  return codesForCatalogue(clusters, catalogue);
}

/**
 * The centres behind the codes that `visualInputs` left in a folder, with which new photos get theirs.
 * @param names of the columns of codes, such as `cluster_1000`
 * @throws CourierError FILE_NOT_FOUND, FILE_CORRUPT
 */
export async function keptCentres(folder: string, names: readonly string[]): Promise<readonly Centres[]> {
  const found = new Map<string, Centres>();
  for (const kind of ['cluster', 'semantic'] as const) {
    if (!names.some((name) => name.startsWith(kind))) continue;
    const { centres } = await readCentres(join(folder, kind, centresFile));
    for (const each of centres) found.set(each.name, each);
  }
  return names.flatMap((name) => found.get(name) ?? []);
}

function ofOthers(clusters: string, embeddings: string): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `${clusters} holds clusters of other embeddings than those of ${embeddings}.`,
    'Delete it, and these embeddings are clustered anew; or give those that it was made of.',
  );
}
