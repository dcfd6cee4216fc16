/** Embeddings of a catalogue on disk: one row an item, keyed by item id. */

import { CourierError } from '../errors.ts';
import { hashFile, requireReadable, writeWhole } from '../storage/files.ts';
import type { Vectors } from './columns.ts';
import { type Dataset, NONE } from './dataset.ts';
import { partsOf, withOwnLayout } from './foreign-embeddings.ts';
import { digestBytes, type HashedBatch, writeDigest } from './hashed-vectors.ts';
import { learnedUntilIn, learnedUntilMetadata } from './learned-until.ts';
import { writeParquet } from './parquet.ts';
import { type ParquetTable, readParquet, readParquetMetadata } from './parquet-table.ts';

export interface StoredEmbeddings {
  /** (n) */
  readonly ids: readonly string[];
  /** Length d of an embedding. */
  readonly dimension: number;
  /** Of length 1, in the order of the ids. (n, d) */
  readonly vectors: Float32Array;
}

/** What made embeddings: only those of one origin can be compared. All by SHA-256 of the file. */
export interface Origin {
  readonly encoder: string;
  readonly precision: string;
  /** The model that ran: the encoder itself, or what became of it at this precision. */
  readonly model: string;
}

/** Embeddings that can be taken over where the photo did not change. */
export interface TracedEmbeddings {
  /** (n) */
  readonly ids: readonly string[];
  /** Of length 1, in the order of the ids. (n, d) */
  readonly vectors: Vectors;
  /** SHA-256 of each item's photo: of its file, or of its pixels in a dataset. (n) */
  readonly hashes: readonly string[];
  readonly origin: Origin;
  /** Up to when the encoder has seen clicks, milliseconds since 1970-01-01 UTC; null where that is not known. */
  readonly learnedUntil?: number | null;
}

/**
 * Embeddings of photos as embeddings of the items that show them; items without a photo are left out.
 * @param vectors row m belongs to photo m of the image cache (M, d)
 */
export function embeddingsOfItems({ catalogue, images }: Dataset, vectors: Float32Array): StoredEmbeddings {
  const dimension = vectors.length / images.count;
  if (!Number.isInteger(dimension)) throw new Error(`${vectors.length} values for ${images.count} photos`);
  const shown = catalogue.ids.flatMap((id, item) => {
    const photo = catalogue.photo[item]!;
    return photo === NONE ? [] : [{ id, photo }];
  });
  const rows = new Float32Array(shown.length * dimension);
  for (const [index, { photo }] of shown.entries()) {
    rows.set(vectors.subarray(photo * dimension, (photo + 1) * dimension), index * dimension);
  }
  return { ids: shown.map(({ id }) => id), dimension, vectors: rows };
}

/** Parquet with the columns `item_id` and `embedding` (a list of d floats). */
export async function writeEmbeddings(path: string, stored: StoredEmbeddings): Promise<void> {
  await writeWhole(path, (temporary) => writeParquet(temporary, columnsOf(stored.ids, vectorsOf(stored))));
}

/** The same with the column `image_hash`, and the origin in the file's metadata. */
export async function writeTracedEmbeddings(path: string, traced: TracedEmbeddings): Promise<void> {
  const hashes = { name: 'image_hash', type: 'VARCHAR', values: traced.hashes } as const;
  const { encoder, precision, model } = traced.origin;
  const { learnedUntil = null } = traced;
  const metadata = {
    [`${prefix}encoder`]: encoder,
    [`${prefix}precision`]: precision,
    [`${prefix}model`]: model,
    ...learnedUntilMetadata(learnedUntil),
  };
  const columns = [...columnsOf(traced.ids, traced.vectors), hashes];
  await writeWhole(path, (temporary) => writeParquet(temporary, columns, metadata));
}

/** Of the metadata of an embeddings file. */
const prefix = 'courier.';

/** Embeddings in memory as they are written. */
export function vectorsOf({ ids, dimension, vectors }: StoredEmbeddings): Vectors {
  return {
    length: ids.length,
    dimension,
    at: (row) => vectors.subarray(row * dimension, (row + 1) * dimension),
  };
}

function columnsOf(ids: readonly string[], vectors: Vectors) {
  return [
    { name: 'item_id', type: 'VARCHAR', values: ids },
    { name: 'embedding', type: 'FLOAT[]', values: vectors },
  ] as const;
}

/**
 * Embeddings by item id, those of others too: `withOwnLayout` says which columns are understood.
 * @throws CourierError FILE_NOT_FOUND, FILE_CORRUPT, DATASET_INVALID; VALUE_INVALID for unequal lengths
 */
export async function readEmbeddings(path: string): Promise<StoredEmbeddings> {
  await requireEmbeddings(path);
  return withOwnLayout(path, (own) =>
    readParquet(own, async (table) => {
      const ids = await requiredTexts(table, 'item_id', path);
      return { ids, ...(await vectorsFrom(table, path, (row) => `item ${ids[row]}`)) };
    }),
  );
}

/** @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE where a file of them is not there */
export async function requireEmbeddings(path: string): Promise<void> {
  const { vectors, ids } = partsOf(path);
  await requireReadable(vectors, 'Embeddings');
  if (ids !== null) await requireReadable(ids, 'Ids of embeddings');
}

/** SHA-256 of what embeddings are read from. */
export async function hashEmbeddings(path: string): Promise<string> {
  const { vectors, ids } = partsOf(path);
  return ids === null ? hashFile(vectors) : `${await hashFile(vectors)} ${await hashFile(ids)}`;
}

/**
 * Embeddings by the hash of their photo.
 * @throws CourierError as readEmbeddings does; DATASET_INVALID for a file without hashes
 */
export async function readHashedEmbeddings(path: string): Promise<HashedBatch> {
  await requireReadable(path, 'Embeddings');
  return readParquet(path, async (table) => {
    const digests = new Uint8Array(table.rowCount * digestBytes);
    await table.eachText('image_hash', (row, hash) => {
      if (hash === null) throw invalid(path, 'a value of image_hash is missing');
      writeDigest(digests, row, hash);
    });
    return { digests, vectors: (await vectorsFrom(table, path, (row) => `photo ${row + 1}`)).vectors };
  });
}

/**
 * What made the embeddings of a file.
 * @returns null for a file that does not say
 * @throws CourierError FILE_NOT_FOUND, FILE_CORRUPT
 */
export async function readOrigin(path: string): Promise<Origin | null> {
  await requireReadable(path, 'Embeddings');
  const metadata = await readParquetMetadata(path);
  const [encoder, precision, model] = ['encoder', 'precision', 'model'].map((key) =>
    metadata.get(prefix + key),
  );
  if (encoder === undefined || precision === undefined || model === undefined) return null;
  return { encoder, precision, model };
}

/**
 * Up to when the encoder of a file of embeddings has seen clicks.
 * @returns milliseconds since 1970-01-01 UTC; null for a file that does not say, as those of others
 * @throws CourierError FILE_NOT_FOUND, FILE_CORRUPT
 */
export async function readLearnedUntil(path: string): Promise<number | null> {
  await requireEmbeddings(path);
  if (!/\.parquet$/i.test(path)) return null;
  return learnedUntilIn(await readParquetMetadata(path));
}

async function vectorsFrom(table: ParquetTable, path: string, nameOf: (row: number) => string) {
  const { dimension, values } = await table.vectors('embedding', (row, length, others) =>
    invalid(path, `${nameOf(row)} has ${length} values, others ${others}`),
  );
  if (dimension === 0) throw invalid(path, 'it holds no embedding');
  return { dimension, vectors: values };
}

async function requiredTexts(table: ParquetTable, column: string, path: string): Promise<string[]> {
  return (await table.texts(column)).map((text) => {
    if (text === null) throw invalid(path, `a value of ${column} is missing`);
    return text;
  });
}

function invalid(path: string, problem: string): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `${path} cannot be used: ${problem}.`,
    'Embed the catalogue again.',
  );
}
