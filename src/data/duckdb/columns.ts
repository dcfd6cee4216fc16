/** Typed columns as a table of DuckDB's, a chunk at a time: there is no second copy of them. */
import {
  BIGINT,
  DOUBLE,
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBTableFunction,
  FLOAT,
  INTEGER,
  LIST,
  TINYINT,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api';
import { identifier } from './duckdb.ts';
import { chunkRows, type OwnVectors, vectorOf, writeLists, writeNumbers } from './duckdb-vectors.ts';

const columnTypes = {
  INTEGER,
  UTINYINT,
  DOUBLE,
  FLOAT,
  BIGINT,
  VARCHAR,
  'FLOAT[]': LIST(FLOAT),
  'TINYINT[]': LIST(TINYINT),
};

/** Vectors of equal length, wherever they lie. */
export interface Vectors<Row extends Float32Array | Int8Array = Float32Array> {
  /** Rows n. */
  readonly length: number;
  readonly dimension: number;
  /** The vector of a row, to be looked at. (d) */
  at(row: number): Row;
}

export type Column =
  | { readonly name: string; readonly type: 'INTEGER'; readonly values: Int32Array }
  | { readonly name: string; readonly type: 'UTINYINT'; readonly values: Uint8Array }
  | { readonly name: string; readonly type: 'DOUBLE'; readonly values: Float64Array }
  | { readonly name: string; readonly type: 'FLOAT'; readonly values: Float32Array }
  | { readonly name: string; readonly type: 'BIGINT'; readonly values: BigInt64Array }
  | { readonly name: string; readonly type: 'VARCHAR'; readonly values: readonly (string | null)[] }
  | { readonly name: string; readonly type: 'FLOAT[]'; readonly values: Vectors }
  | { readonly name: string; readonly type: 'TINYINT[]'; readonly values: Vectors<Int8Array> };

/** Makes a temporary table of equally long columns, in their order. */
export async function createTable(
  connection: DuckDBConnection,
  name: string,
  columns: readonly Column[],
): Promise<void> {
  registerColumns(connection, `rows_of_${name}`, columns);
  await connection.run(
    `CREATE TEMP TABLE ${identifier(name)} AS SELECT * FROM ${identifier(`rows_of_${name}`)}()`,
  );
}

/** Equally long columns as a table function, which gives its rows once and in their order. */
export function registerColumns(
  connection: DuckDBConnection,
  name: string,
  columns: readonly Column[],
): void {
  const rowCount = columns[0]?.values.length ?? 0;
  if (columns.some(({ values }) => values.length !== rowCount)) throw new Error('Columns differ in length.');
  connection.registerTableFunction(rowsOf(name, columns, rowCount));
}

function rowsOf(name: string, columns: readonly Column[], rowCount: number): DuckDBTableFunction {
  const fill = columns.map(fillerOf);
  let from = 0;
  return DuckDBTableFunction.create({
    name,
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

function fillerOf({ type, values }: Column, index: number): Filler {
  if (type === 'VARCHAR') return (chunk, from, to) => chunk.setColumnValues(index, values.slice(from, to));
  if (type === 'FLOAT[]') return vectorFiller(values, index, new Float32Array(chunkRows * values.dimension));
  if (type === 'TINYINT[]') return vectorFiller(values, index, new Int8Array(chunkRows * values.dimension));
  return (chunk, from, to) => writeNumbers(vectorOf(chunk.chunk, index), values.slice(from, to));
}

/** @param rows room for a chunk of them */
function vectorFiller(vectors: Vectors<Float32Array | Int8Array>, index: number, rows: OwnVectors): Filler {
  const { dimension } = vectors;
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
