/** Clustering: embeddings → cluster ids at several granularities, the centres, and a picture of the clusters. */
import { join } from 'node:path';
import { CentreSearch } from '../clustering/centre-search.ts';
import { residualQuantize, residualSearchWidth } from '../clustering/residual-quantization.ts';
import { type SphericalClusters, sphericalKMeans } from '../clustering/spherical-k-means.ts';
import { parseConfig } from '../config.ts';
import { type Centres, type ItemCodes, writeCentres, writeClusters } from '../data/clusters.ts';
import type { Dataset } from '../data/dataset.ts';
import { type Origin, readEmbeddings, readOrigin, type StoredEmbeddings } from '../data/embeddings.ts';
import { loadDataset } from '../data/store.ts';
import { CourierError } from '../errors.ts';
import { hashFile } from '../files.ts';
import type { Progress } from '../progress.ts';
import { Random } from '../random.ts';
import { type ClusterConfig, type ClusterConfigInput, clusterConfig } from './cluster-config.ts';
import { writeContactSheet } from './cluster-sheet.ts';
import { openRunFolder } from './run-folder.ts';

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

export const clustersFile = 'clusters.parquet';
export const centresFile = 'centres.safetensors';

interface Job {
  readonly config: ClusterConfig;
  readonly embeddings: StoredEmbeddings;
  readonly dataset: Dataset | null;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
}

/**
 * Clusters item embeddings by direction, once for each number of clusters, and writes ids and centres.
 * @throws CourierError CONFIG_INVALID, FILE_NOT_FOUND, FILE_CORRUPT, VALUE_INVALID, OUTPUT_EXISTS,
 * OUTPUT_NOT_WRITABLE
 */
export async function cluster(
  settings: ClusterConfigInput,
  progress: Progress,
  signal?: AbortSignal,
): Promise<ClusterResult> {
  const started = performance.now();
  const config = parseConfig(clusterConfig, settings, 'cluster configuration');
  const { embeddings: path, out, dataset: folder, ...identity } = config;
  if (config.clusters.length === 0 && config.semanticLevels === 0) throw nothingWanted();
  const { embeddings, origin } = await readWithOrigin(path);
  const embeddingsHash = await hashFile(path);
  const dataset = folder === undefined ? null : await loadDataset(folder);
  try {
    const run = { ...identity, embeddingsHash };
    await openRunFolder(out, { pipeline: 'cluster', config: run, datasetHash: dataset?.hash ?? '' });
    const job: Job = { config, embeddings, dataset, progress, signal };
    if (dataset === null)
      progress({ kind: 'note', text: 'No contact sheets are drawn: they need the photos of a dataset.' });
    const made = await clusterAll(job);
    const semantic = await semanticCodes(job);
    const [clusters, centres] = [join(out, clustersFile), join(out, centresFile)];
    await writeClusters(clusters, { ids: embeddings.ids, columns: [...made.columns, ...semantic.columns] });
    const { dimension } = embeddings;
    await writeCentres(centres, { dimension, centres: [...made.centres, ...semantic.centres], origin });
    const seconds = (performance.now() - started) / 1000;
    const items = countItems(embeddings);
    const without = embeddings.ids.length - items;
    const { granularities } = made;
    return { clusters, centres, items, without, granularities, semanticErrors: semantic.errors, seconds };
  } finally {
    dataset?.images.close();
  }
}

/** @throws CourierError as readEmbeddings does */
export async function readWithOrigin(
  path: string,
): Promise<{ embeddings: StoredEmbeddings; origin: Origin | null }> {
  return { embeddings: await readEmbeddings(path), origin: await readOrigin(path) };
}

/** Items with an embedding. */
function countItems({ ids, vectors, dimension }: StoredEmbeddings): number {
  let count = 0;
  for (let row = 0; row < ids.length; row++) {
    let place = row * dimension;
    const end = place + dimension;
    while (place < end && vectors[place] === 0) place++;
    if (place < end) count++;
  }
  return count;
}

async function clusterAll({ config, embeddings, dataset, progress, signal }: Job) {
  const search = await CentreSearch.open(embeddings.dimension);
  try {
    const [columns, centres, granularities]: [ItemCodes[], Centres[], Granularity[]] = [[], [], []];
    const items = countItems(embeddings);
    for (const count of config.clusters) {
      const name = `cluster_${count}`;
      const options = { ...config, clusters: count };
      const random = Random.seeded(config.seed, name);
      const found = await sphericalKMeans(embeddings, options, search, random, progress, signal);
      const sheet = dataset === null ? null : join(config.out, `${name}.png`);
      if (dataset !== null && sheet !== null)
        await writeContactSheet(sheet, dataset, embeddings.ids, found, config);
      columns.push({ name, count, codes: found.codes });
      centres.push({ name, values: found.centres });
      granularities.push({ name, count, ...summaryOf(found, items), sheet });
    }
    return { columns, centres, granularities };
  } finally {
    await search.close();
  }
}

function summaryOf({ sizes, inertia, iterations }: SphericalClusters, items: number) {
  const sorted = sizes.toSorted();
  const median = (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
  const empty = sorted.filter((size) => size === 0).length;
  return {
    sizes: { min: sorted[0]!, median, max: sorted.at(-1)!, empty },
    inertia,
    meanCosine: 1 - inertia / items,
    iterations,
  };
}

async function semanticCodes({ config, embeddings, progress, signal }: Job) {
  const { semanticLevels: levels, semanticCodes: count } = config;
  if (levels === 0) return { columns: [], centres: [], errors: [] };
  const search = await CentreSearch.open(residualSearchWidth(embeddings.dimension));
  try {
    const options = { ...config, levels, codes: count };
    const random = Random.seeded(config.seed, 'semantic codes');
    const found = await residualQuantize(embeddings, options, search, random, progress, signal);
    const columns = found.codes.map((codes, level) => ({ name: `semantic_${level + 1}`, count, codes }));
    const centres = found.codebooks.map((values, level) => ({ name: `semantic_${level + 1}`, values }));
    return { columns, centres, errors: found.errors };
  } finally {
    await search.close();
  }
}

function nothingWanted(): CourierError {
  return new CourierError(
    'CONFIG_INVALID',
    'Invalid cluster configuration: neither `clusters` nor `semanticLevels` asks for anything.',
    'Name at least one number of clusters, or one level of residual codes.',
  );
}
