/** Typed columns to a Parquet file; parquet-table.ts reads them. */
import { dirname } from 'node:path';
import {
  DOUBLE,
  type DuckDBDataChunk,
  DuckDBTableFunction,
  FLOAT,
  INTEGER,
  LIST,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api';
import { CourierError, messageOf } from '../errors.ts';
import { identifier, literal, withDuckDB } from './duckdb.ts';
import { chunkRows, vectorOf, writeLists, writeNumbers } from './duckdb-vectors.ts';

const columnTypes = { INTEGER, UTINYINT, DOUBLE, FLOAT, VARCHAR, 'FLOAT[]': LIST(FLOAT) };

/** Vectors of equal length, wherever they lie. */
export interface Vectors {
  /** Rows n. */
  readonly length: number;
  readonly dimension: number;
  /** The vector of a row, to be looked at. (d) */
  at(row: number): Float32Array;
}

export type ParquetColumn =
  | { readonly name: string; readonly type: 'INTEGER'; readonly values: Int32Array }
  | { readonly name: string; readonly type: 'UTINYINT'; readonly values: Uint8Array }
  | { readonly name: string; readonly type: 'DOUBLE'; readonly values: Float64Array }
  | { readonly name: string; readonly type: 'FLOAT'; readonly values: Float32Array }
  | { readonly name: string; readonly type: 'VARCHAR'; readonly values: readonly (string | null)[] }
  | { readonly name: string; readonly type: 'FLOAT[]'; readonly values: Vectors };

/** Rows of a row group, which is put together in memory: DuckDB's own number, fewer where vectors are long. */
const [mostGroupRows, groupBytes] = [122_880, 2 ** 22];

/**
 * Writes equally long columns, a chunk of rows at a time: there is no second copy of them. The same columns give the
 * same bytes.
 * @param metadata texts that are kept in the file beside the columns
 * @throws CourierError OUTPUT_NOT_WRITABLE
 */
export async function writeParquet(
  path: string,
  columns: readonly ParquetColumn[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const rowCount = columns[0]?.values.length ?? 0;
  if (columns.some(({ values }) => values.length !== rowCount)) throw new Error('Columns differ in length.');
  await withDuckDB([dirname(path)], async (connection) => {
    connection.registerTableFunction(rowsOf(columns, rowCount));
    const options = `FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${groupRows(columns)}`;
    await connection
      .run(`COPY (SELECT * FROM written()) TO ${literal(path)} (${options}${keyValues(metadata)})`)
      .catch((error: unknown) => {
        throw new CourierError(
          'OUTPUT_NOT_WRITABLE',
          `Cannot write ${path}: ${messageOf(error)}`,
          'Make room and permission there; then run the same command again.',
          { cause: error },
        );
      });
  });
}

/** The columns as a table function of DuckDB's, `written`, which gives its rows once and in their order. */
function rowsOf(columns: readonly ParquetColumn[], rowCount: number): DuckDBTableFunction {
  const fill = columns.map(fillerOf);
  let from = 0;
  return DuckDBTableFunction.create({
    name: 'written',
    bindFunction(info) {
      for (const { name, type } of columns) info.addResultColumn(name, columnTypes[type]);
      info.setCardinality(rowCount, true);
    },
    initFunction: (info) => info.setMaxThreads(1),
    mainFunction(_, chunk) {
      const to = Math.min(from + chunkRows, rowCount);
      chunk.rowCount = to - from;
      if (from === to) return;
      for (const fillColumn of fill) fillColumn(chunk, from, to);
      from = to;
    },
  });
}

/** Puts the rows `from` … `to` − 1 into their column of a chunk. */
type Filler = (chunk: DuckDBDataChunk, from: number, to: number) => void;

function fillerOf({ type, values }: ParquetColumn, index: number): Filler {
  if (type === 'VARCHAR') return (chunk, from, to) => chunk.setColumnValues(index, values.slice(from, to));
  if (type === 'FLOAT[]') return vectorFiller(values, index);
  return (chunk, from, to) => writeNumbers(vectorOf(chunk.chunk, index), values.slice(from, to));
}

function vectorFiller(vectors: Vectors, index: number): Filler {
  const { dimension } = vectors;
  const rows = new Float32Array(chunkRows * dimension);
  return (chunk, from, to) => {
    for (let row = from; row < to; row++) {
      const vector = vectors.at(row);
      if (vector.length !== dimension)
        throw new Error(`row ${row} has ${vector.length} values, not ${dimension}`);
      rows.set(vector, (row - from) * dimension);
    }
    const filled = rows.subarray(0, (to - from) * dimension);
    writeLists(vectorOf(chunk.chunk, index), filled, dimension);
  };
}

function groupRows(columns: readonly ParquetColumn[]): number {
  const width = columns.reduce(
    (sum, { type, values }) => sum + (type === 'FLOAT[]' ? values.dimension : 0),
    0,
  );
  const chunks = Math.floor(groupBytes / (4 * width * chunkRows));
  return Math.min(mostGroupRows, Math.max(1, chunks) * chunkRows);
}

function keyValues(metadata: Readonly<Record<string, string>>): string {
  const entries = Object.entries(metadata).map(([key, value]) => `${identifier(key)}: ${literal(value)}`);
  return entries.length === 0 ? '' : `, KV_METADATA {${entries.join(', ')}}`;
}
