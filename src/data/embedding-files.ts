/** How files of embeddings are named: `clip.parquet`, `vectors.npy:ids.csv`, `clip.parquet#id=sku&vector=emb`. */
import { CourierError } from '../errors.ts';

/** What a name of embeddings stands for. */
export interface EmbeddingFiles {
  readonly vectors: string;
  /** File of ids beside a matrix; null where one file has both. */
  readonly ids: string | null;
  /** Columns, or tensors, that hold them; null where they are found by their names and types. */
  readonly columns: ChosenColumns;
}

export interface ChosenColumns {
  readonly id: string | null;
  readonly vector: string | null;
}

/** A part of a name that says which column is which; what else stands behind a `#` belongs to the name of the file. */
const choice = /^(.+)#((?:id|vector)=[^&]+(?:&(?:id|vector)=[^&]+)*)$/;

/** @throws CourierError VALUE_INVALID where a column is named twice */
export function embeddingFiles(name: string): EmbeddingFiles {
  const [, files = name, chosen = ''] = choice.exec(name) ?? [];
  const [, vectors, ids] = /^(.+\.(?:npy|safetensors)):(.+)$/i.exec(files) ?? [];
  const columns = columnsIn(chosen, name);
  if (vectors === undefined || ids === undefined) return { vectors: files, ids: null, columns };
  return { vectors, ids, columns };
}

function columnsIn(chosen: string, name: string): ChosenColumns {
  const columns = new Map<string, string>();
  for (const part of chosen.split('&').filter((text) => text !== '')) {
    const [key = '', column = ''] = part.split(/=(.*)/s);
    if (columns.has(key))
      throw new CourierError('VALUE_INVALID', `${name} names two columns as ${key}.`, 'Name one.');
    columns.set(key, column);
  }
  return { id: columns.get('id') ?? null, vector: columns.get('vector') ?? null };
}
