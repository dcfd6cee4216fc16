/** Embeddings of a catalogue on disk: one row an item, keyed by item id. */
import { CourierError } from '../errors.ts';
import { requireReadable, writeWhole } from '../storage/files.ts';
import { type Dataset, NONE } from './dataset.ts';
import { type ParquetTable, readParquet, readParquetMetadata, writeParquet } from './parquet.ts';

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
export interface TracedEmbeddings extends StoredEmbeddings {
  /** SHA-256 of each item's photo: of its file, or of its pixels in a dataset. (n) */
  readonly hashes: readonly string[];
  readonly origin: Origin;
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
  await writeWhole(path, (temporary) => writeParquet(temporary, columnsOf(stored)));
}

/** The same with the column `image_hash`, and the origin in the file's metadata. */
export async function writeTracedEmbeddings(path: string, traced: TracedEmbeddings): Promise<void> {
  const hashes = { name: 'image_hash', type: 'VARCHAR', values: traced.hashes } as const;
  const { encoder, precision, model } = traced.origin;
  const metadata = {
    [`${prefix}encoder`]: encoder,
    [`${prefix}precision`]: precision,
    [`${prefix}model`]: model,
  };
  await writeWhole(path, (temporary) => writeParquet(temporary, [...columnsOf(traced), hashes], metadata));
}

/** Of the metadata of an embeddings file. */
const prefix = 'courier.';

function columnsOf({ ids, dimension, vectors }: StoredEmbeddings) {
  const values = ids.map((_, index) => vectors.subarray(index * dimension, (index + 1) * dimension));
  return [
    { name: 'item_id', type: 'VARCHAR', values: ids },
    { name: 'embedding', type: 'FLOAT[]', values },
  ] as const;
}

/** @throws CourierError FILE_NOT_FOUND, FILE_CORRUPT, DATASET_INVALID; VALUE_INVALID for unequal lengths */
export async function readEmbeddings(path: string): Promise<StoredEmbeddings> {
  await requireReadable(path, 'Embeddings');
  return embeddingsFrom(await readParquet(path), path);
}

/**
 * Embeddings with their origin.
 * @returns null for a file that does not say where its embeddings are from
 * @throws CourierError as readEmbeddings does
 */
export async function readTracedEmbeddings(path: string): Promise<TracedEmbeddings | null> {
  await requireReadable(path, 'Embeddings');
  const metadata = await readParquetMetadata(path);
  const [encoder, precision, model] = ['encoder', 'precision', 'model'].map((key) =>
    metadata.get(prefix + key),
  );
  if (encoder === undefined || precision === undefined || model === undefined) return null;
  const table = await readParquet(path);
  const hashes = requiredTexts(table, 'image_hash', path);
  return { ...embeddingsFrom(table, path), hashes, origin: { encoder, precision, model } };
}

function embeddingsFrom(table: ParquetTable, path: string): StoredEmbeddings {
  const ids = requiredTexts(table, 'item_id', path);
  const rows = table.vectors('embedding');
  const dimension = rows[0]?.length ?? 0;
  const uneven = rows.findIndex((row) => row.length !== dimension);
  if (dimension === 0) throw invalid(path, 'it holds no embedding');
  if (uneven >= 0)
    throw invalid(path, `item ${ids[uneven]} has ${rows[uneven]?.length} values, others ${dimension}`);
  const vectors = new Float32Array(rows.length * dimension);
  for (const [index, row] of rows.entries()) vectors.set(row, index * dimension);
  return { ids, dimension, vectors };
}

function requiredTexts(table: ParquetTable, column: string, path: string): string[] {
  return table.texts(column).map((text) => {
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
