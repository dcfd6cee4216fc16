/** Embeddings that somebody else made: other names of columns, other types of ids and values, a column for each value, CSV. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { CourierError, messageOf } from '../errors.ts';
import { describeSelect, fileLiteral, identifier, literal, type SqlColumn, withDuckDB } from './duckdb.ts';
import { readNpy } from './npy.ts';
import { writeParquet } from './parquet.ts';

/** What the columns of a file are taken for, as SQL. */
interface Reading {
  readonly id: string;
  readonly vector: string;
}

/** Names of a column of ids, the surest first. */
const idNames = [
  /^item_?id$/i,
  /^(item|id)$/i,
  /^(article|product|movie|news|video|note|sku|asin|parent_asin)(_?id)?$/i,
  /(^|_)id$/i,
];

/** Names of a column of vectors among several. */
const vectorNames = /emb|vec|feature/i;

const numbers = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*)$/;

/**
 * Embeddings of any layout in the one that `embed` writes, for as long as a task reads them: the file itself where it has it, else
 * a copy.
 * @throws CourierError VALUE_INVALID where it is not plain which column is which, FILE_CORRUPT
 */
export async function withOwnLayout<T>(path: string, read: (path: string) => Promise<T>): Promise<T> {
  const { vectors, ids } = partsOf(path);
  if (/\.npy$/i.test(vectors) && ids === null) throw npy(path);
  const temporary = await mkdtemp(join(tmpdir(), 'courier-embeddings-'));
  try {
    const copy = join(temporary, 'embeddings.parquet');
    if (ids !== null) {
      await copyMatrix(vectors, ids, copy);
      return await read(copy);
    }
    const isCopied = await withDuckDB(
      [temporary],
      async (connection) => {
        const source = sourceOf(path);
        const columns = await columnsOf(connection, source, path);
        if (isOwn(path, columns)) return false;
        const { id, vector } = understand(path, columns);
        const query = `SELECT ${id} AS item_id, ${vector} AS embedding FROM ${source}`;
        await connection.run(`COPY (${query}) TO ${literal(copy)} (FORMAT parquet)`);
        return true;
      },
      { files: [path] },
    );
    return await read(isCopied ? copy : path);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Files that embeddings are read from: one, or an npy file with another of ids behind a colon. */
export function partsOf(path: string): { readonly vectors: string; readonly ids: string | null } {
  const [, vectors, ids] = /^(.+\.npy):(.+)$/i.exec(path) ?? [];
  return vectors === undefined || ids === undefined ? { vectors: path, ids: null } : { vectors, ids };
}

/** @throws CourierError VALUE_INVALID where there is not an id for each row */
async function copyMatrix(vectors: string, ids: string, copy: string): Promise<void> {
  const matrix = await readNpy(vectors);
  const texts = await withDuckDB(
    [],
    async (connection) => {
      const source = sourceOf(ids);
      const columns = await columnsOf(connection, source, ids);
      const id = columns.length === 1 ? columns[0] : idOf(columns);
      if (id === undefined) throw notPlain(ids, columns, 'ids');
      const read = await connection.runAndReadAll(`SELECT ${idText(id)} FROM ${source}`);
      return read.getRows().map(([text]) => `${text}`);
    },
    { files: [ids] },
  );
  if (texts.length !== matrix.length)
    throw new CourierError(
      'VALUE_INVALID',
      `${basename(vectors)} has ${matrix.length} rows and ${basename(ids)} ${texts.length} ids.`,
      'Give an id for each row, in their order; a CSV file needs a header.',
    );
  await writeParquet(copy, [
    { name: 'item_id', type: 'VARCHAR', values: texts },
    { name: 'embedding', type: 'FLOAT[]', values: matrix },
  ]);
}

function sourceOf(path: string): string {
  const isText = /\.(csv|tsv)(\.gz|\.zst)?$/i.test(path);
  return isText ? `read_csv(${fileLiteral(path)}, header = true)` : `read_parquet(${fileLiteral(path)})`;
}

async function columnsOf(
  connection: DuckDBConnection,
  source: string,
  path: string,
): Promise<readonly SqlColumn[]> {
  try {
    return await describeSelect(connection, source);
  } catch (error) {
    throw new CourierError(
      'FILE_CORRUPT',
      `${path} cannot be read: ${messageOf(error).split('\n', 1)[0]}`,
      'Give a Parquet or CSV file with ids and vectors, or write it again with the command that made it.',
      { cause: error },
    );
  }
}

/** Messages about such a file speak of its own columns. */
function isOwn(path: string, columns: readonly SqlColumn[]): boolean {
  const typeOf = (name: string) => columns.find((column) => column.name === name)?.type ?? '';
  return (
    path.toLowerCase().endsWith('.parquet') &&
    typeOf('item_id') === 'VARCHAR' &&
    /\[\d*\]$/.test(typeOf('embedding'))
  );
}

function understand(path: string, columns: readonly SqlColumn[]): Reading {
  const lists = columns.filter(
    ({ type }) => numbers.test(type.replace(/\[\d*\]$/, '')) && /\[\d*\]$/.test(type),
  );
  const vectors = lists.length > 1 ? lists.filter(({ name }) => vectorNames.test(name)) : lists;
  const wide = wideOf(columns);
  if (vectors.length > 1 || (vectors.length === 0 && wide.length < 2))
    throw notPlain(path, columns, 'vectors');
  const used = vectors.length === 1 ? vectors : wide;
  const id = idOf(columns.filter((column) => !used.includes(column)));
  if (id === undefined) throw notPlain(path, columns, 'ids');
  const [vector] = vectors;
  return {
    id: idText(id),
    vector:
      vector === undefined
        ? `CAST([${wide.map(({ name }) => identifier(name)).join(', ')}] AS FLOAT[])`
        : `CAST(${identifier(vector.name)} AS FLOAT[])`,
  };
}

/** A whole number in a column with decimals is that number. */
function idText({ name }: SqlColumn): string {
  return `regexp_replace(CAST(${identifier(name)} AS VARCHAR), '^(-?[0-9]+)\\.0+$', '\\1')`;
}

/** A column for each value: of one beginning and the numbers from 0 or 1 on, such as `0`, `1` or `emb_1`, `emb_2`. */
function wideOf(columns: readonly SqlColumn[]): readonly SqlColumn[] {
  const groups = new Map<string, { readonly column: SqlColumn; readonly place: number }[]>();
  for (const column of columns) {
    const found = /^(.*?)(\d+)$/.exec(column.name);
    if (found === null || !numbers.test(column.type)) continue;
    const own = groups.get(found[1]!) ?? [];
    groups.set(found[1]!, [...own, { column, place: Number(found[2]) }]);
  }
  const [largest = []] = [...groups.values()].sort((a, b) => b.length - a.length);
  const ordered = largest.toSorted((a, b) => a.place - b.place);
  const first = ordered[0]?.place ?? 0;
  return first <= 1 && ordered.every(({ place }, index) => place === first + index)
    ? ordered.map(({ column }) => column)
    : [];
}

/** Column whose name says the most, or the only one of texts or whole numbers. */
function idOf(columns: readonly SqlColumn[]): SqlColumn | undefined {
  const possible = columns.filter(({ type }) =>
    /^(VARCHAR|UUID|U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|DOUBLE)$/.test(type),
  );
  for (const pattern of idNames) {
    const found = possible.filter(({ name }) => pattern.test(name));
    if (found.length === 1) return found[0];
  }
  return possible.length === 1 ? possible[0] : undefined;
}

function notPlain(path: string, columns: readonly SqlColumn[], what: 'ids' | 'vectors'): CourierError {
  const has = columns.slice(0, 12).map(({ name, type }) => `\`${name}\` (${type})`);
  const more = columns.length > has.length ? ` and ${columns.length - has.length} more` : '';
  return new CourierError(
    'VALUE_INVALID',
    `${basename(path)} cannot be used: which column holds the ${what} is not plain; it has ${has.join(', ')}${more}.`,
    'Call the ids item_id, and the vectors embedding: a list of numbers, or a column for each as embedding_0, embedding_1, ….',
  );
}

function npy(path: string): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `${basename(path)} cannot be used: an npy file holds no ids.`,
    `Name a file of ids, one for each row, behind it: ${basename(path)}:ids.csv; or write both as Parquet or CSV, with the columns item_id and embedding.`,
  );
}
