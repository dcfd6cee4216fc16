/**
 * How files of embeddings are named: `clip.parquet`, `vectors.npy:ids.csv`, `clip.parquet#id=sku&vector=emb`, and at which size they
 * are read: `clip.parquet#first=64&numbers=int8`.
 */
import { CourierError } from '../../errors.ts';
import { type EmbeddingSize, wholeSize } from './embedding-size.ts';

/** What a name of embeddings stands for. */
export interface EmbeddingFiles {
  readonly vectors: string;
  /** File of ids beside a matrix; null where one file has both. */
  readonly ids: string | null;
  /** Columns, or tensors, that hold them; null where they are found by their names and types. */
  readonly columns: ChosenColumns;
  /** What is taken of each embedding, whatever the file holds. */
  readonly size: EmbeddingSize;
}

export interface ChosenColumns {
  readonly id: string | null;
  readonly vector: string | null;
}

/** A part of a name that says which column is which, and the size; what else stands behind a `#` belongs to the name of the file. */
const choice = /^(.+)#((?:id|vector|first|numbers)=[^&]+(?:&(?:id|vector|first|numbers)=[^&]+)*)$/;

/** @throws CourierError VALUE_INVALID where a column or the size is named twice, or is no size */
export function embeddingFiles(name: string): EmbeddingFiles {
  const [, files = name, chosen = ''] = choice.exec(name) ?? [];
  const [, vectors, ids] = /^(.+\.(?:npy|safetensors)):(.+)$/i.exec(files) ?? [];
  const parts = partsIn(chosen, name);
  const columns = { id: parts.get('id') ?? null, vector: parts.get('vector') ?? null };
  const size = sizeIn(parts, name);
  if (vectors === undefined || ids === undefined) return { vectors: files, ids: null, columns, size };
  return { vectors, ids, columns, size };
}

/** The name of the same embeddings at a size. @param name of a file that names no size */
export function nameAtSize(name: string, { first, numbers }: EmbeddingSize): string {
  const parts = [
    ...(first === null ? [] : [`first=${first}`]),
    ...(numbers === 'float32' ? [] : [`numbers=${numbers}`]),
  ];
  if (parts.length === 0) return name;
  return `${name}${choice.test(name) ? '&' : '#'}${parts.join('&')}`;
}

function partsIn(chosen: string, name: string): ReadonlyMap<string, string> {
  const parts = new Map<string, string>();
  for (const part of chosen.split('&').filter((text) => text !== '')) {
    const [key = '', value = ''] = part.split(/=(.*)/s);
    if (parts.has(key)) {
      const what = key === 'id' || key === 'vector' ? `two columns as ${key}` : `${key} twice`;
      throw new CourierError('VALUE_INVALID', `${name} names ${what}.`, 'Name one.');
    }
    parts.set(key, value);
  }
  return parts;
}

function sizeIn(parts: ReadonlyMap<string, string>, name: string): EmbeddingSize {
  const [first, numbers = wholeSize.numbers] = [parts.get('first'), parts.get('numbers')];
  if (first !== undefined && !/^[1-9]\d{0,5}$/.test(first))
    throw new CourierError(
      'VALUE_INVALID',
      `${name} asks for the first ${first} numbers of each embedding.`,
      'Ask for a whole number of them, as in FILE#first=64.',
    );
  if (numbers !== 'float32' && numbers !== 'int8')
    throw new CourierError(
      'VALUE_INVALID',
      `${name} asks for numbers of the type ${numbers}.`,
      'Ask for float32 or int8, as in FILE#numbers=int8.',
    );
  return { first: first === undefined ? null : Number(first), numbers };
}
