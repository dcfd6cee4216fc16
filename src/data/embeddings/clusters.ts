/** Cluster ids of items on disk, and the centres that give new items theirs. */
import { z } from 'zod';
import { CourierError } from '../../errors.ts';
import { requireReadable, writeWhole } from '../../storage/files.ts';
import { parseJson } from '../../storage/json.ts';
import { readSafeTensors, writeSafeTensors } from '../../storage/safetensors.ts';
import { type Catalogue, NONE } from '../dataset.ts';
import { writeParquet } from '../duckdb/parquet.ts';
import { readParquet, readParquetMetadata } from '../duckdb/parquet-table.ts';
import { Indexer } from '../indexer.ts';
import { learnedUntilIn, learnedUntilMetadata } from './learned-until.ts';
import { type Origin, originSchema } from './provenance.ts';

export const clustersFile = 'clusters.parquet';
export const centresFile = 'centres.safetensors';

/** One id for each item, such as its cluster among 1,000. */
export interface ItemCodes {
  /** Such as `cluster_1000` or `semantic_1`. */
  readonly name: string;
  /** Codes are 0 … count − 1. */
  readonly count: number;
  /** NONE for an item without an embedding. (n) */
  readonly codes: Int32Array;
}

export interface StoredClusters {
  /** (n) */
  readonly ids: readonly string[];
  /** Codes in the order of the ids, one column a granularity. */
  readonly columns: readonly ItemCodes[];
  /** The embeddings that were clustered; null where the file does not say. */
  readonly of: ClusteredEmbeddings | null;
}

/** What clusters are clusters of. */
export interface ClusteredEmbeddings {
  /** As `hashEmbeddings` gives it. */
  readonly hash: string;
  /** Up to when the encoder of these, and of the centres, has seen clicks; null where that is not known. */
  readonly learnedUntil: number | null;
}

/** The centres of one column. */
export interface Centres {
  readonly name: string;
  /** (count, dimension) */
  readonly values: Float32Array;
}

export interface StoredCentres {
  readonly dimension: number;
  readonly centres: readonly Centres[];
  /** What made the embeddings, null where their file did not say: only others of it can be assigned. */
  readonly origin: Origin | null;
  /** Up to when their encoder has seen clicks, milliseconds since 1970-01-01 UTC; null where that is not known. */
  readonly learnedUntil: number | null;
}

/** Of a granularity: clusters of whole embeddings, or a level of residual codes. */
const columnName = /^(cluster_[1-9]\d*|semantic_[1-9]\d*)$/;
const countsSchema = z.record(z.string().regex(columnName), z.int().positive());
const countsKey = 'courier.codes';
const hashKey = 'courier.embeddings';

/** Parquet with the columns `item_id` and an INTEGER column of each name; the numbers of codes and what they are of in its metadata. */
export async function writeClusters(path: string, { ids, columns, of }: StoredClusters): Promise<void> {
  const counts = Object.fromEntries(columns.map(({ name, count }) => [name, count]));
  const metadata = {
    [countsKey]: JSON.stringify(counts),
    ...(of === null ? {} : { [hashKey]: of.hash, ...learnedUntilMetadata(of.learnedUntil) }),
  };
  const written = [
    { name: 'item_id', type: 'VARCHAR', values: ids } as const,
    ...columns.map(({ name, codes }) => ({ name, type: 'INTEGER', values: codes }) as const),
  ];
  await writeWhole(path, (temporary) => writeParquet(temporary, written, metadata));
}

/** @throws CourierError FILE_NOT_FOUND, FILE_CORRUPT, DATASET_INVALID; VALUE_INVALID for ids or codes that cannot be */
export async function readClusters(path: string): Promise<StoredClusters> {
  await requireReadable(path, 'Cluster ids');
  const metadata = await readParquetMetadata(path);
  const text = metadata.get(countsKey);
  const counts = countsSchema.safeParse(text === undefined ? undefined : parseJson(text));
  if (!counts.success) throw invalid(path, 'it does not say how many clusters there are');
  return readParquet(path, async (table) => {
    const ids = distinct(await table.texts('item_id'), path);
    const columns: ItemCodes[] = [];
    for (const [name, count] of Object.entries(counts.data)) {
      const codes = await table.integers(name);
      const wrong = codes.findIndex((code) => code < NONE || code >= count);
      if (wrong >= 0)
        throw invalid(path, `${name} of item ${ids[wrong]} is ${codes[wrong]}, and there are ${count}`);
      columns.push({ name, count, codes });
    }
    const hash = metadata.get(hashKey);
    return { ids, columns, of: hash === undefined ? null : { hash, learnedUntil: learnedUntilIn(metadata) } };
  });
}

function distinct(ids: readonly (string | null)[], path: string): readonly string[] {
  const seen = new Indexer();
  return ids.map((id) => {
    if (id === null) throw invalid(path, 'an item id is missing');
    if (seen.has(id)) throw invalid(path, `item ${id} is there twice`);
    seen.indexOf(id);
    return id;
  });
}

/** Codes in the order of a catalogue, NONE for its items that have none. Other items are left out. */
export function codesForCatalogue(
  stored: Pick<StoredClusters, 'ids' | 'columns'>,
  catalogue: Pick<Catalogue, 'ids'>,
): ItemCodes[] {
  const known = new Indexer(stored.ids);
  const rows = catalogue.ids.map((id) => known.find(id));
  return stored.columns.map(({ name, count, codes }) => ({
    name,
    count,
    codes: Int32Array.from(rows, (row) => (row === undefined ? NONE : codes[row]!)),
  }));
}

/** A safetensors file with a tensor (count, dimension) of each name. */
export async function writeCentres(
  path: string,
  { dimension, centres, origin, learnedUntil }: StoredCentres,
): Promise<void> {
  const tensors = new Map(
    centres.map(({ name, values }) => [
      name,
      { shape: [values.length / dimension, dimension], data: values },
    ]),
  );
  const { size, ...texts } = origin ?? {};
  const metadata = {
    ...texts,
    ...(size === undefined ? {} : { size }),
    ...learnedUntilMetadata(learnedUntil),
  };
  await writeSafeTensors(path, { metadata, tensors });
}

/** Clusters come before semantic codes, and all in ascending order. @throws CourierError FILE_NOT_FOUND, FILE_CORRUPT */
export async function readCentres(path: string): Promise<StoredCentres> {
  const { metadata, tensors } = await readSafeTensors(path, 'Centres');
  const dimension = [...tensors.values()][0]?.shape[1] ?? 0;
  const centres = [...tensors].map(([name, { shape, data }]): Centres => {
    const fits = columnName.test(name) && shape.length === 2 && shape[1] === dimension && data.length > 0;
    if (!fits || !(data instanceof Float32Array)) throw notCentres(path, `${name} [${shape}]`);
    if (!data.every(Number.isFinite)) throw notCentres(path, `${name} with values that are not finite`);
    return { name, values: data };
  });
  if (centres.length === 0) throw notCentres(path, 'nothing');
  const origin = originSchema.safeParse(metadata);
  return {
    dimension,
    centres: centres.sort(byName),
    origin: origin.success ? origin.data : null,
    learnedUntil: learnedUntilIn(new Map(Object.entries(metadata))),
  };
}

function byName({ name: a }: Centres, { name: b }: Centres): number {
  const [kindA = '', numberA] = a.split('_');
  const [kindB = '', numberB] = b.split('_');
  return kindA === kindB ? Number(numberA) - Number(numberB) : kindA < kindB ? -1 : 1;
}

function notCentres(path: string, found: string): CourierError {
  const remedy = 'Name the centres.safetensors that cluster wrote.';
  return new CourierError(
    'FILE_CORRUPT',
    `${path} does not hold cluster centres: it holds ${found}.`,
    remedy,
  );
}

function invalid(path: string, problem: string): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `${path} cannot be used: ${problem}.`,
    'Cluster the embeddings again.',
  );
}
