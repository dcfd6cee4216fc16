/** Cluster ids for new items: the nearest of the centres that an earlier run found. */

import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { CentreSearch } from '../../clustering/centre-search.ts';
import { encodeResiduals, residualSearchWidth } from '../../clustering/residual-quantization.ts';
import { nearestCentres } from '../../clustering/spherical-k-means.ts';
import { presentItems } from '../../clustering/unit-rows.ts';
import { parseConfig } from '../../config.ts';
import { NONE } from '../../data/dataset.ts';
import {
  type Centres,
  type ClusteredEmbeddings,
  clustersFile,
  type ItemCodes,
  readCentres,
  writeClusters,
} from '../../data/embeddings/clusters.ts';
import {
  hashEmbeddings,
  readDistinctEmbeddings,
  type StoredEmbeddings,
} from '../../data/embeddings/embeddings.ts';
import { laterOf } from '../../data/embeddings/learned-until.ts';
import { readProvenance } from '../../data/embeddings/provenance.ts';
import { CourierError } from '../../errors.ts';
import type { WorkOptions } from '../../progress.ts';
import { withRunFolder } from '../../runs/run-folder.ts';
import { hashFile } from '../../storage/files.ts';
import { type AssignConfigInput, assignConfig } from './config.ts';

export interface AssignResult {
  readonly clusters: string;
  /** Items with a cluster, and items whose embedding is zero, which have none. */
  readonly items: number;
  readonly without: number;
  /** For each granularity the mean cosine of the items to their centres. */
  readonly meanCosines: Readonly<Record<string, number>>;
  /** For each level of residual codes the mean squared error of what the levels so far rebuild. */
  readonly semanticErrors: readonly number[];
}

/**
 * Gives items the ids of the nearest centres; nothing is clustered again.
 * @throws CourierError CONFIG_INVALID, FILE_NOT_FOUND, FILE_CORRUPT, VALUE_INVALID (embeddings of another encoder or
 * length, too), OUTPUT_EXISTS, OUTPUT_IN_USE, OUTPUT_NOT_WRITABLE
 */
export async function assignClusters(
  settings: AssignConfigInput,
  { signal }: WorkOptions = {},
): Promise<AssignResult> {
  const config = parseConfig(assignConfig, settings, 'cluster configuration');
  const stored = await readCentres(config.assign);
  const embeddings = await readDistinctEmbeddings(config.embeddings);
  const { origin, learnedUntil } = await readProvenance(config.embeddings);
  const { dimension } = embeddings;
  if (stored.dimension !== dimension)
    throw unlike(config, `the centres have length ${stored.dimension}, the embeddings ${dimension}`);
  if (stored.origin !== null && origin !== null && !isDeepStrictEqual(stored.origin, origin))
    throw unlike(config, 'another encoder, or the same at another precision, made the embeddings');
  if (presentItems(embeddings).length === 0) throw withoutItems(config.embeddings);
  const identity = {
    centresHash: await hashFile(config.assign),
    embeddingsHash: await hashEmbeddings(config.embeddings),
  };
  const of = { hash: identity.embeddingsHash, learnedUntil: laterOf(stored.learnedUntil, learnedUntil) };
  const run = { pipeline: 'cluster-assign', config: identity, datasetHash: '' };
  return withRunFolder(config.out, run, () => assignAll(embeddings, stored.centres, of, config.out, signal));
}

async function assignAll(
  embeddings: StoredEmbeddings,
  centres: readonly Centres[],
  of: ClusteredEmbeddings,
  out: string,
  signal: AbortSignal | undefined,
): Promise<AssignResult> {
  const isLevel = ({ name }: Centres) => name.startsWith('semantic_');
  const whole = await assignWhole(
    embeddings,
    centres.filter((each) => !isLevel(each)),
    signal,
  );
  const semantic = await assignSemantic(embeddings, centres.filter(isLevel), signal);
  const columns = [...whole.columns, ...semantic.columns];
  const clusters = join(out, clustersFile);
  await writeClusters(clusters, { ids: embeddings.ids, columns, of });
  const without = columns[0]!.codes.filter((code) => code === NONE).length;
  const items = embeddings.ids.length - without;
  return { clusters, items, without, meanCosines: whole.meanCosines, semanticErrors: semantic.errors };
}

async function assignWhole(
  embeddings: StoredEmbeddings,
  centres: readonly Centres[],
  signal: AbortSignal | undefined,
) {
  const columns: ItemCodes[] = [];
  const meanCosines: Record<string, number> = {};
  const search = await CentreSearch.open(embeddings.dimension);
  try {
    for (const { name, values } of centres) {
      const { codes, cosines } = await nearestCentres(embeddings, values, search, signal);
      const items = codes.filter((code) => code !== NONE).length;
      columns.push({ name, count: values.length / embeddings.dimension, codes });
      meanCosines[name] = cosines.reduce((sum, cosine) => sum + cosine, 0) / items;
    }
    return { columns, meanCosines };
  } finally {
    await search.close();
  }
}

async function assignSemantic(
  embeddings: StoredEmbeddings,
  levels: readonly Centres[],
  signal: AbortSignal | undefined,
) {
  if (levels.length === 0) return { columns: [], errors: [] };
  const search = await CentreSearch.open(residualSearchWidth(embeddings.dimension));
  try {
    const codebooks = levels.map(({ values }) => values);
    const { codes, errors } = await encodeResiduals(embeddings, codebooks, search, signal);
    const columns = levels.map(({ name, values }, level): ItemCodes => {
      return { name, count: values.length / embeddings.dimension, codes: codes[level]! };
    });
    return { columns, errors };
  } finally {
    await search.close();
  }
}

function unlike(
  config: { readonly assign: string; readonly embeddings: string },
  problem: string,
): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `${config.embeddings} does not fit ${config.assign}: ${problem}.`,
    'Embed the new items with the encoder whose embeddings were clustered, or cluster again.',
  );
}

function withoutItems(path: string): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `None of the items of ${path} has an embedding, so there is nothing to assign.`,
    'Check that photos of the items were found (see the findings of ingest) before they were embedded.',
  );
}
