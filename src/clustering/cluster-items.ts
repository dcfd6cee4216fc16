/** Items of a catalogue into clusters at several granularities, and into residual codes. */
import type { Centres, ItemCodes } from '../data/embeddings/clusters.ts';
import type { StoredEmbeddings } from '../data/embeddings/embeddings.ts';
import { silent, type WorkOptions } from '../progress.ts';
import { Random } from '../random.ts';
import { CentreSearch } from './centre-search.ts';
import type { ClusteringSettings } from './config.ts';
import { residualQuantize, residualSearchWidth } from './residual-quantization.ts';
import { type SphericalClusters, sphericalKMeans } from './spherical-k-means.ts';

/** The clusters of one number of clusters. */
export interface Clustering {
  /** Such as `cluster_100`. */
  readonly name: string;
  readonly count: number;
  readonly found: SphericalClusters;
}

export interface ClusteredItems {
  /** Ids of each granularity, then of each level of residual codes. */
  readonly columns: readonly ItemCodes[];
  /** Of each column. */
  readonly centres: readonly Centres[];
  readonly clusterings: readonly Clustering[];
  /** For each level of residual codes the mean squared error of what the levels so far rebuild. */
  readonly semanticErrors: readonly number[];
}

/**
 * Clusters item embeddings by direction, once for each number of clusters, and quantises them level by level. The same
 * seed gives the same clusters.
 * @throws CourierError VALUE_INVALID as sphericalKMeans does
 */
export async function clusterItems(
  embeddings: StoredEmbeddings,
  settings: ClusteringSettings,
  seed: number,
  options: WorkOptions = {},
): Promise<ClusteredItems> {
  const clusterings = await clusterEach(embeddings, settings, seed, options);
  const semantic = await residualCodes(embeddings, settings, seed, options);
  return {
    columns: [
      ...clusterings.map(({ name, count, found }) => ({ name, count, codes: found.codes })),
      ...semantic.columns,
    ],
    centres: [
      ...clusterings.map(({ name, found }) => ({ name, values: found.centres })),
      ...semantic.centres,
    ],
    clusterings,
    semanticErrors: semantic.errors,
  };
}

async function clusterEach(
  embeddings: StoredEmbeddings,
  settings: ClusteringSettings,
  seed: number,
  { progress = silent, signal }: WorkOptions,
): Promise<readonly Clustering[]> {
  const search = await CentreSearch.open(embeddings.dimension);
  try {
    const clusterings: Clustering[] = [];
    for (const count of settings.clusters) {
      const name = `cluster_${count}`;
      const options = { ...settings, clusters: count };
      const random = Random.seeded(seed, name);
      const found = await sphericalKMeans(embeddings, options, search, random, progress, signal);
      clusterings.push({ name, count, found });
    }
    return clusterings;
  } finally {
    await search.close();
  }
}

async function residualCodes(
  embeddings: StoredEmbeddings,
  settings: ClusteringSettings,
  seed: number,
  { progress = silent, signal }: WorkOptions,
) {
  const { semanticLevels: levels, semanticCodes: count } = settings;
  if (levels === 0) return { columns: [], centres: [], errors: [] };
  const search = await CentreSearch.open(residualSearchWidth(embeddings.dimension));
  try {
    const options = { ...settings, levels, codes: count };
    const random = Random.seeded(seed, 'semantic codes');
    const found = await residualQuantize(embeddings, options, search, random, progress, signal);
    const columns = found.codes.map((codes, level) => ({ name: `semantic_${level + 1}`, count, codes }));
    const centres = found.codebooks.map((values, level) => ({ name: `semantic_${level + 1}`, values }));
    return { columns, centres, errors: found.errors };
  } finally {
    await search.close();
  }
}
