/** Embeddings of a catalogue on disk: one row an item, keyed by item id. */

import { CourierError } from '../../errors.ts';
import { hashFile, requireReadable, writeWhole } from '../../storage/files.ts';
import { type Dataset, NONE } from '../dataset.ts';
import { arrowSchemaKey, arrowSchemaOf } from '../duckdb/arrow-schema.ts';
import type { Vectors } from '../duckdb/columns.ts';
import { writeParquet } from '../duckdb/parquet.ts';
import { type ParquetTable, readParquet, readParquetMetadata } from '../duckdb/parquet-table.ts';
import { type EmbeddingFiles, embeddingFiles } from './embedding-files.ts';
import {
  atSize,
  type EmbeddingSize,
  lengthOf,
  type SizedVectors,
  sizeText,
  vectorsAtSize,
  wholeSize,
} from './embedding-size.ts';
import { isMatrix, readMatrix, withOwnLayout, withPhotoHashes } from './foreign-embeddings.ts';
import { digestBytes, type HashedBatch, writeDigest } from './hashed-vectors.ts';
import { learnedUntilMetadata } from './learned-until.ts';
import {
  type Origin,
  type Provenance,
  provenanceAtSize,
  provenanceIn,
  provenanceMetadata,
} from './provenance.ts';

export interface StoredEmbeddings {
  /** (n) */
  readonly ids: readonly string[];
  /** Length d of an embedding. */
  readonly dimension: number;
  /** Of length 1, in the order of the ids. (n, d) */
  readonly vectors: Float32Array;
}

/** Embeddings that can be taken over where the photo did not change. */
export interface TracedEmbeddings {
  /** (n) */
  readonly ids: readonly string[];
  /** Of length 1, in the order of the ids. (n, d) */
  readonly vectors: Vectors;
  /** SHA-256 of each item's photo: of its file, or of its pixels in a dataset. (n) */
  readonly hashes: readonly string[];
  readonly provenance: Provenance;
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

/**
 * Parquet with the columns `item_id` and `embedding` (a list of d floats).
 * @param learnedUntil of their encoder, as `Provenance` has it
 */
export async function writeEmbeddings(
  path: string,
  stored: StoredEmbeddings,
  learnedUntil: number | null = null,
): Promise<void> {
  const columns = columnsOf(stored.ids, vectorsAtSize(vectorsOf(stored), wholeSize));
  await writeWhole(path, (temporary) => writeParquet(temporary, columns, learnedUntilMetadata(learnedUntil)));
}

/**
 * The same with the column `image_hash`, and where they come from in the file's metadata.
 * @param size at which they are written; numbers of one byte are lists of TINYINT
 */
export async function writeTracedEmbeddings(
  path: string,
  traced: TracedEmbeddings,
  size: EmbeddingSize = wholeSize,
): Promise<void> {
  const hashes = { name: 'image_hash', type: 'VARCHAR', values: traced.hashes } as const;
  const sized = vectorsAtSize(traced.vectors, size);
  const columns = [...columnsOf(traced.ids, sized), hashes];
  // The schema is one of float32: Arrow's libraries read bytes as lists of any length.
  const schema = sized.numbers === 'int8' ? {} : { [arrowSchemaKey]: arrowSchemaOf(sized.vectors.dimension) };
  const metadata = { ...schema, ...provenanceMetadata(provenanceAtSize(traced.provenance, size)) };
  await writeWhole(path, (temporary) => writeParquet(temporary, columns, metadata));
}

/** Embeddings in memory as they are written. */
export function vectorsOf({ ids, dimension, vectors }: StoredEmbeddings): Vectors {
  return {
    length: ids.length,
    dimension,
    at: (row) => vectors.subarray(row * dimension, (row + 1) * dimension),
  };
}

function columnsOf(ids: readonly string[], sized: SizedVectors) {
  const items = { name: 'item_id', type: 'VARCHAR', values: ids } as const;
  return sized.numbers === 'int8'
    ? ([items, { name: 'embedding', type: 'TINYINT[]', values: sized.vectors }] as const)
    : ([items, { name: 'embedding', type: 'FLOAT[]', values: sized.vectors }] as const);
}

/**
 * Embeddings by item id, those of others too: Parquet or CSV, or a matrix (npy, safetensors) with its ids.
 * @param name of one file or two, and of their columns, as `embeddingFiles` understands it
 * @throws CourierError FILE_NOT_FOUND, FILE_CORRUPT, DATASET_INVALID; VALUE_INVALID for unequal lengths, or where it is not plain
 * what holds ids and what vectors
 */
export async function readEmbeddings(name: string): Promise<StoredEmbeddings> {
  const files = embeddingFiles(name);
  await requireEmbeddings(name);
  return cutTo(files.size, await readWhole(files), files.vectors);
}

/**
 * For what gives each item something of its own.
 * @throws CourierError VALUE_INVALID where an item has two embeddings, and as readEmbeddings does
 */
export async function readDistinctEmbeddings(name: string): Promise<StoredEmbeddings> {
  const stored = await readEmbeddings(name);
  const seen = new Set<string>();
  for (const id of stored.ids) {
    if (seen.has(id)) throw twice(name, id);
    seen.add(id);
  }
  return stored;
}

function twice(path: string, id: string): CourierError {
  const message = `${path} cannot be used: item ${id} has two embeddings.`;
  return new CourierError('VALUE_INVALID', message, 'Keep one embedding of each item.');
}

async function readWhole(files: EmbeddingFiles): Promise<StoredEmbeddings> {
  if (isMatrix(files)) {
    const { ids, dimension, values } = await readMatrix(files);
    if (values.length === 0) throw invalid(files.vectors, 'it holds no embedding');
    return { ids, dimension, vectors: values };
  }
  return withOwnLayout(files, (own) =>
    readParquet(own, async (table) => {
      const ids = await requiredTexts(table, 'item_id', files.vectors);
      return { ids, ...(await vectorsFrom(table, files.vectors, (row) => `item ${ids[row]}`)) };
    }),
  );
}

/** @throws CourierError VALUE_INVALID where there are not so many numbers */
function cutTo(size: EmbeddingSize, stored: StoredEmbeddings, path: string): StoredEmbeddings {
  if (sizeText(size) === null) return stored;
  const dimension = lengthOf(size, stored.dimension);
  if (dimension > stored.dimension)
    throw new CourierError(
      'VALUE_INVALID',
      `${path} has ${stored.dimension} numbers an embedding, not the ${dimension} that are asked for.`,
      `Ask for ${stored.dimension} at most.`,
    );
  const whole = vectorsOf(stored);
  const vectors = new Float32Array(stored.ids.length * dimension);
  for (let row = 0; row < whole.length; row++) vectors.set(atSize(whole.at(row), size), row * dimension);
  return { ids: stored.ids, dimension, vectors };
}

/** @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE where a file of them is not there */
export async function requireEmbeddings(name: string): Promise<void> {
  const { vectors, ids } = embeddingFiles(name);
  await requireReadable(vectors, 'Embeddings');
  if (ids !== null) await requireReadable(ids, 'Ids of embeddings');
}

/** What embeddings are known by: SHA-256 of the files that they are read from, and columns and size where they are named. */
export async function hashEmbeddings(name: string): Promise<string> {
  const { vectors, ids, columns, size } = embeddingFiles(name);
  const parts = [await hashFile(vectors), ...(ids === null ? [] : [await hashFile(ids)])];
  const named = Object.entries(columns).flatMap(([key, column]) =>
    column === null ? [] : [`${key}=${column}`],
  );
  const text = sizeText(size);
  return [...parts, ...named, ...(text === null ? [] : [`size=${text}`])].join(' ');
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
 * What made the embeddings of a Parquet file.
 * @returns null for a file that does not say
 * @throws CourierError FILE_NOT_FOUND, FILE_CORRUPT
 */
export async function readOrigin(path: string): Promise<Origin | null> {
  await requireReadable(path, 'Embeddings');
  return provenanceIn(await readParquetMetadata(path)).origin;
}

/** The photo of an item. */
export interface HashedPhoto {
  readonly id: string;
  readonly hash: string;
}

/**
 * SHA-256 of the photos of some items, as `embed` wrote them, spread over the file; of none where ids of others stand beside a matrix.
 * @param wanted of the ids in the file
 * @throws CourierError those of reading; DATASET_INVALID for Parquet without hashes
 */
export async function readPhotoHashes(
  name: string,
  wanted: (id: string) => boolean,
  most: number,
): Promise<readonly HashedPhoto[]> {
  const files = embeddingFiles(name);
  const found = await withPhotoHashes(files, (path) =>
    readParquet(path, async (table) => {
      const ids = await requiredTexts(table, 'item_id', files.vectors);
      const rows = [...ids.keys()].filter((row) => wanted(ids[row]!));
      const step = Math.ceil(rows.length / most);
      const chosen = new Set(rows.filter((_, place) => place % step === 0));
      const photos: HashedPhoto[] = [];
      await table.eachText('image_hash', (row, hash) => {
        if (hash !== null && chosen.has(row)) photos.push({ id: ids[row]!, hash });
      });
      return photos;
    }),
  );
  return found ?? [];
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
