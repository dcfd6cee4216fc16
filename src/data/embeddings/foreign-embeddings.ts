/** Embeddings that somebody else made: other names of columns, other types of ids and values, a column for each value, matrices. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { CourierError, messageOf } from '../../errors.ts';
import { readSafeTensors, readSafeTensorsHeader } from '../../storage/safetensors.ts';
import {
  describeSelect,
  fileLiteral,
  identifier,
  literal,
  type SqlColumn,
  withDuckDB,
} from '../duckdb/duckdb.ts';
import { readParquet } from '../duckdb/parquet-table.ts';
import { columnOfIds, columnsOfEmbeddings, type FoundColumn, vectorOf } from './embedding-columns.ts';
import type { EmbeddingFiles } from './embedding-files.ts';
import { type Matrix, readNpy } from './npy.ts';

const numbers = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*)$/;
const ids = /^(VARCHAR|UUID|U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|DOUBLE)$/;

/** Rows of a row group of a copy, which DuckDB holds in memory. */
const copiedGroupRows = 8192;

/** Whether vectors are a matrix of their own, whose ids stand elsewhere. */
export function isMatrix({ vectors }: EmbeddingFiles): boolean {
  return /\.(npy|safetensors)$/i.test(vectors);
}

/**
 * Reads a matrix of float32 and the ids of its rows, with no second copy of its values.
 * @throws CourierError FILE_CORRUPT; VALUE_INVALID where it is not plain what holds what, or there is not an id for each row
 */
export async function readMatrix(
  files: EmbeddingFiles,
): Promise<Matrix & { readonly ids: readonly string[] }> {
  const { vectors, columns } = files;
  const isNpy = /\.npy$/i.test(vectors);
  if (files.ids === null) {
    if (isNpy) throw withoutIds(vectors, 'an npy file holds no ids');
    return readTensors(vectors, columns);
  }
  if (isNpy && columns.vector !== null) throw withoutNames(vectors, columns.vector);
  const matrix = isNpy ? await readNpy(vectors) : await readTensor(vectors, columns.vector);
  const texts = await readIds(files.ids, columns.id);
  requireIdEach(files, matrix.rows, texts.length);
  return { ...matrix, ids: texts };
}

/**
 * A table of any layout in the one that `embed` writes, for as long as a task reads it: the file itself where it has it, else
 * a copy.
 * @throws CourierError VALUE_INVALID where it is not plain which column is which, FILE_CORRUPT
 */
export async function withOwnLayout<T>(
  { vectors: path, columns: chosen }: EmbeddingFiles,
  read: (path: string) => Promise<T>,
): Promise<T> {
  return withCopy(async (copy) => {
    const isCopied = await withDuckDB(
      [copy.folder],
      async (connection) => {
        const source = sourceOf(path);
        const columns = await columnsOf(connection, source, path);
        if (chosen.id === null && chosen.vector === null && isOwn(path, columns)) return false;
        const { id, vector } = columnsOfEmbeddings(path, columns.map(foundColumn), chosen);
        await copyTo(
          copy.path,
          connection,
          `SELECT ${idText(id)} AS item_id, ${listOf(vector)} AS embedding FROM ${source}`,
        );
        return true;
      },
      { files: [path] },
    );
    return read(isCopied ? copy.path : path);
  });
}

/**
 * What `embed` wrote beside vectors, the columns `item_id` and `image_hash`, as Parquet for as long as a task reads it.
 * @returns null where it is not there, as in ids of others beside a matrix
 * @throws CourierError FILE_CORRUPT
 */
export async function withPhotoHashes<T>(
  files: EmbeddingFiles,
  read: (path: string) => Promise<T>,
): Promise<T | null> {
  const { vectors, ids: beside } = files;
  if (beside === null) return isMatrix(files) ? null : read(vectors);
  return withCopy(async (copy) => {
    const isThere = await withDuckDB(
      [copy.folder],
      async (connection) => {
        const source = sourceOf(beside);
        const names = (await columnsOf(connection, source, beside)).map(({ name }) => name);
        if (!names.includes('item_id') || !names.includes('image_hash')) return false;
        const query = `SELECT CAST(item_id AS VARCHAR) AS item_id, image_hash FROM ${source}`;
        await copyTo(copy.path, connection, query);
        return true;
      },
      { files: [beside] },
    );
    return isThere ? read(copy.path) : null;
  });
}

/** Ids of a matrix, one a row: the only column of a table, or the one that is plain or named. */
async function readIds(path: string, named: string | null): Promise<readonly string[]> {
  return withCopy(async (copy) => {
    await withDuckDB(
      [copy.folder],
      async (connection) => {
        const source = sourceOf(path);
        const columns = await columnsOf(connection, source, path);
        const found = columns.map(foundColumn);
        const [only] = found;
        const isAlone = only !== undefined && found.length === 1 && named === null;
        const id = isAlone ? only : columnOfIds(path, found, named);
        await copyTo(copy.path, connection, `SELECT ${idText(id)} AS item_id FROM ${source}`);
      },
      { files: [path] },
    );
    const texts = await readParquet(copy.path, (table) => table.texts('item_id'));
    return texts.map((text, row) => {
      if (text === null) throw withoutIds(path, `the id of row ${row + 1} is missing`);
      return text;
    });
  });
}

/** The matrix of a safetensors file, and whole numbers beside it as its ids. */
async function readTensors(
  path: string,
  chosen: EmbeddingFiles['columns'],
): Promise<Matrix & { readonly ids: readonly string[] }> {
  const columns = await tensorsOf(path);
  if (chosen.id === null && !columns.some(({ may }) => may === 'ids'))
    throw withoutIds(path, 'no tensor of whole numbers beside its matrix holds ids');
  const { id, vector } = columnsOfEmbeddings(path, columns, chosen);
  const matrix = await readTensor(path, vector[0]!.name);
  const { tensors } = await readSafeTensors(path, 'Embeddings', (name) =>
    name === id.name ? 'new' : 'none',
  );
  const texts = Array.from(tensors.get(id.name)!.data, String);
  requireIdEach({ vectors: path, ids: null }, matrix.rows, texts.length);
  return { ...matrix, ids: texts };
}

/** @param named null for the only one that it can be */
async function readTensor(path: string, named: string | null): Promise<Matrix> {
  const [found] = vectorOf(path, await tensorsOf(path), named);
  const { tensors } = await readSafeTensors(path, 'Embeddings', (name) =>
    name === found!.name ? 'floats' : 'none',
  );
  const { shape, data } = tensors.get(found!.name)!;
  const [rows = 0, dimension = 0] = shape;
  if (!(data instanceof Float32Array)) throw new Error(`${found!.name} was not read as float32`);
  return { rows, dimension, values: data };
}

/** Whole numbers of one axis may be ids, numbers of two axes vectors. */
async function tensorsOf(path: string): Promise<readonly FoundColumn[]> {
  const { entries } = await readSafeTensorsHeader(path, 'Embeddings');
  return entries.map(({ name, dtype, shape }): FoundColumn => {
    const isWhole = /^[IU]\d+$/.test(dtype);
    const may = shape.length === 2 ? 'vectors' : shape.length === 1 && isWhole ? 'ids' : 'nothing';
    return { name, type: `${dtype} [${shape.join(', ')}]`, may };
  });
}

/** @throws CourierError VALUE_INVALID where there is not an id for each row */
function requireIdEach(
  { vectors, ids: beside }: Pick<EmbeddingFiles, 'vectors' | 'ids'>,
  rows: number,
  count: number,
): void {
  if (rows === count) return;
  const where = beside === null ? 'its tensor of ids' : basename(beside);
  throw new CourierError(
    'VALUE_INVALID',
    `${basename(vectors)} has ${rows} rows and ${where} ${count} ids.`,
    'Give an id for each row, in their order; a CSV file needs a header.',
  );
}

interface Copy {
  readonly folder: string;
  readonly path: string;
}

async function withCopy<T>(task: (copy: Copy) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'courier-embeddings-'));
  try {
    return await task({ folder, path: join(folder, 'embeddings.parquet') });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function copyTo(path: string, connection: DuckDBConnection, query: string): Promise<void> {
  const options = `FORMAT parquet, ROW_GROUP_SIZE ${copiedGroupRows}`;
  await connection.run(`COPY (${query}) TO ${literal(path)} (${options})`);
}

function sourceOf(path: string): string {
  const isText = /\.(csv|tsv|txt)(\.gz|\.zst)?$/i.test(path);
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
      'Give a Parquet, CSV, npy or safetensors file with ids and vectors, or write it again with the command that made it.',
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

function foundColumn({ name, type }: SqlColumn): FoundColumn {
  const isList = /\[\d*\]$/.test(type);
  const isNumber = numbers.test(type.replace(/\[\d*\]$/, ''));
  if (isList) return { name, type, may: isNumber ? 'vectors' : 'nothing' };
  if (!ids.test(type)) return { name, type, may: isNumber ? 'values' : 'nothing' };
  return { name, type, may: isNumber ? 'ids or values' : 'ids' };
}

/** A list of float32: the column of lists itself, or columns of values as one. */
function listOf(columns: readonly FoundColumn[]): string {
  const names = columns.map(({ name }) => identifier(name));
  const isList = columns[0]?.may === 'vectors';
  return `CAST(${isList ? names[0] : `[${names.join(', ')}]`} AS FLOAT[])`;
}

/** A whole number in a column with decimals is that number. */
function idText({ name }: FoundColumn): string {
  return `regexp_replace(CAST(${identifier(name)} AS VARCHAR), '^(-?[0-9]+)\\.0+$', '\\1')`;
}

function withoutNames(path: string, named: string): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `${basename(path)} cannot be used: an npy file holds one matrix, and none that is called \`${named}\`.`,
    'Leave vector= out; id= names the column of ids in the file beside it.',
  );
}

function withoutIds(path: string, problem: string): CourierError {
  const file = basename(path);
  return new CourierError(
    'VALUE_INVALID',
    `${file} cannot be used: ${problem}.`,
    `Name a file of ids, one for each row, behind it: ${file}:ids.csv; or write both as Parquet or CSV, with the columns item_id and embedding.`,
  );
}
