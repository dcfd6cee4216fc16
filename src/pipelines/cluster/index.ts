/** Clustering: embeddings → cluster ids at several granularities, the centres, and a picture of the clusters. */

import { join } from 'node:path';
import { clusterItems } from '../../clustering/cluster-items.ts';
import type { SphericalClusters } from '../../clustering/spherical-k-means.ts';
import { presentItems } from '../../clustering/unit-rows.ts';
import { parseConfig } from '../../config.ts';
import type { Dataset } from '../../data/dataset.ts';
import { centresFile, clustersFile, writeCentres, writeClusters } from '../../data/embeddings/clusters.ts';
import {
  hashEmbeddings,
  readDistinctEmbeddings,
  type StoredEmbeddings,
} from '../../data/embeddings/embeddings.ts';
import { type Provenance, readProvenance } from '../../data/embeddings/provenance.ts';
import { closeDataset, loadDataset } from '../../data/store.ts';
import { CourierError } from '../../errors.ts';
import { requireOwnPhotos } from '../../evaluation/own-photos.ts';
import { quantile } from '../../metrics/quantile.ts';
import type { WorkOptions } from '../../progress.ts';
import { withRunFolder } from '../../runs/run-folder.ts';
import { type ClusterConfig, type ClusterConfigInput, clusterConfig } from './config.ts';
import { writeContactSheet } from './sheet.ts';

/** Numbers of items in the clusters of one granularity. */
export interface ClusterSizes {
  readonly min: number;
  readonly median: number;
  readonly max: number;
  /** Clusters without an item. */
  readonly empty: number;
}

export interface Granularity {
  readonly name: string;
  readonly count: number;
  readonly sizes: ClusterSizes;
  /** Σ (1 − cosine to the own centre). */
  readonly inertia: number;
  readonly meanCosine: number;
  /** Passes over all items. */
  readonly iterations: number;
  /** PNG; null without a dataset. */
  readonly sheet: string | null;
}

export interface ClusterResult {
  readonly clusters: string;
  readonly centres: string;
  /** Items with a cluster, and items whose embedding is zero, which have none. */
  readonly items: number;
  readonly without: number;
  readonly granularities: readonly Granularity[];
  /** For each level of residual codes the mean squared error of what the levels so far rebuild. */
  readonly semanticErrors: readonly number[];
  readonly seconds: number;
}

/**
 * Clusters item embeddings by direction, once for each number of clusters, and writes ids and centres.
 * @throws CourierError CONFIG_INVALID, FILE_NOT_FOUND, FILE_CORRUPT, VALUE_INVALID, OUTPUT_EXISTS, OUTPUT_IN_USE,
 * OUTPUT_NOT_WRITABLE
 */
export async function cluster(
  settings: ClusterConfigInput,
  options: WorkOptions = {},
): Promise<ClusterResult> {
  const started = performance.now();
  const config = parseConfig(clusterConfig, settings, 'cluster configuration');
  const { embeddings: path, out, dataset: folder, ...identity } = config;
  if (config.clusters.length === 0 && config.semanticLevels === 0) throw nothingWanted();
  const embeddings = await readDistinctEmbeddings(path);
  const provenance = await readProvenance(path);
  const embeddingsHash = await hashEmbeddings(path);
  const dataset = folder === undefined ? null : await loadDataset(folder);
  try {
    if (dataset !== null) await requireOwnPhotos(dataset, path);
    const settled = { ...identity, embeddingsHash };
    const run = { pipeline: 'cluster', config: settled, datasetHash: dataset?.hash ?? '' };
    const made = await withRunFolder(out, run, () =>
      clusterInto(config, { embeddings, provenance, hash: embeddingsHash }, dataset, options),
    );
    return { ...made, seconds: (performance.now() - started) / 1000 };
  } finally {
    if (dataset !== null) closeDataset(dataset);
  }
}

async function clusterInto(
  config: ClusterConfig,
  { embeddings, provenance: { origin, learnedUntil }, hash }: ClusteredFile,
  dataset: Dataset | null,
  options: WorkOptions,
): Promise<Omit<ClusterResult, 'seconds'>> {
  const { out } = config;
  if (dataset === null)
    options.progress?.({
      kind: 'note',
      text: 'No contact sheets are drawn: they need the photos of a dataset.',
    });
  const made = await clusterItems(embeddings, config, config.seed, options);
  const items = presentItems(embeddings).length;
  const granularities = await Promise.all(
    made.clusterings.map(async ({ name, count, found }): Promise<Granularity> => {
      const sheet = dataset === null ? null : join(out, `${name}.png`);
      if (dataset !== null && sheet !== null)
        await writeContactSheet(sheet, dataset, embeddings.ids, found, config);
      return { name, count, ...summaryOf(found), sheet };
    }),
  );
  const [clusters, centres] = [join(out, clustersFile), join(out, centresFile)];
  await writeCentres(centres, {
    dimension: embeddings.dimension,
    centres: made.centres,
    origin,
    learnedUntil,
  });
  const of = { hash, learnedUntil };
  await writeClusters(clusters, { ids: embeddings.ids, columns: made.columns, of });
  const without = embeddings.ids.length - items;
  return { clusters, centres, items, without, granularities, semanticErrors: made.semanticErrors };
}

interface ClusteredFile {
  readonly embeddings: StoredEmbeddings;
  readonly provenance: Provenance;
  readonly hash: string;
}

function summaryOf({ sizes, inertia, iterations }: SphericalClusters) {
  const items = sizes.reduce((sum, size) => sum + size, 0);
  const sorted = sizes.toSorted();
  const empty = sorted.filter((size) => size === 0).length;
  return {
    sizes: { min: sorted[0]!, median: quantile(sorted, 0.5), max: sorted.at(-1)!, empty },
    inertia,
    meanCosine: 1 - inertia / items,
    iterations,
  };
}

function nothingWanted(): CourierError {
  return new CourierError(
    'CONFIG_INVALID',
    'Invalid cluster configuration: neither `clusters` nor `semanticLevels` asks for anything.',
    'Name at least one number of clusters, or one level of residual codes.',
  );
}
