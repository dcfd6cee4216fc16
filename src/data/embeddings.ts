/** Embeddings of a catalogue on disk: one row an item, keyed by item id. */
import { CourierError } from '../errors.ts';
import { requireReadable, writeWhole } from '../files.ts';
import { type Dataset, NONE } from './dataset.ts';
import { readParquet, writeParquet } from './parquet.ts';

export interface StoredEmbeddings {
  /** (n) */
  readonly ids: readonly string[];
  /** Length d of an embedding. */
  readonly dimension: number;
  /** Of length 1, in the order of the ids. (n, d) */
  readonly vectors: Float32Array;
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
export async function writeEmbeddings(
  path: string,
  { ids, dimension, vectors }: StoredEmbeddings,
): Promise<void> {
  const values = ids.map((_, index) => vectors.subarray(index * dimension, (index + 1) * dimension));
  await writeWhole(path, (temporary) =>
    writeParquet(temporary, [
      { name: 'item_id', type: 'VARCHAR', values: ids },
      { name: 'embedding', type: 'FLOAT[]', values },
    ]),
  );
}

/** @throws CourierError FILE_NOT_FOUND, FILE_CORRUPT, DATASET_INVALID; VALUE_INVALID for unequal lengths */
export async function readEmbeddings(path: string): Promise<StoredEmbeddings> {
  await requireReadable(path, 'Embeddings');
  const table = await readParquet(path);
  const ids = table.texts('item_id').map((id) => {
    if (id === null) throw invalid(path, 'an item id is missing');
    return id;
  });
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

function invalid(path: string, problem: string): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `${path} cannot be used: ${problem}.`,
    'Embed the catalogue again.',
  );
}
