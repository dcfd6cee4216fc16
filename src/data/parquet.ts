/** Typed columns to a Parquet file and back. */
import { basename, dirname } from 'node:path';
import { DOUBLE, DuckDBDataChunk, FLOAT, INTEGER, UTINYINT, VARCHAR } from '@duckdb/node-api';
import { CourierError, messageOf } from '../errors.ts';
import { fileLiteral, identifier, literal, withDuckDB } from './duckdb.ts';

const types = { INTEGER, UTINYINT, DOUBLE, FLOAT, VARCHAR };

export type ParquetColumn =
  | { readonly name: string; readonly type: 'INTEGER'; readonly values: Int32Array }
  | { readonly name: string; readonly type: 'UTINYINT'; readonly values: Uint8Array }
  | { readonly name: string; readonly type: 'DOUBLE'; readonly values: Float64Array }
  | { readonly name: string; readonly type: 'FLOAT'; readonly values: Float32Array }
  | { readonly name: string; readonly type: 'VARCHAR'; readonly values: readonly (string | null)[] };

/** A column of strings and missing values as read back, or numbers in which nothing may be missing. */
export interface ParquetTable {
  numbers(name: string): ArrayLike<number>;
  texts(name: string): readonly (string | null)[];
  readonly rowCount: number;
}

const chunkRows = 2048;

/**
 * Writes equally long columns. The same columns give the same bytes.
 * @throws CourierError OUTPUT_NOT_WRITABLE
 */
export async function writeParquet(path: string, columns: readonly ParquetColumn[]): Promise<void> {
  const rowCount = columns[0]?.values.length ?? 0;
  if (columns.some(({ values }) => values.length !== rowCount)) throw new Error('Columns differ in length.');
  await withDuckDB([dirname(path)], async (connection) => {
    const definitions = columns.map(({ name, type }) => `${identifier(name)} ${type}`);
    await connection.run(`CREATE TABLE written (${definitions.join(', ')})`);
    const appender = await connection.createAppender('written');
    for (let from = 0; from < rowCount; from += chunkRows) {
      const to = Math.min(from + chunkRows, rowCount);
      const chunk = DuckDBDataChunk.create(
        columns.map(({ type }) => types[type]),
        to - from,
      );
      chunk.setColumns(columns.map(({ values }) => part(values, from, to)));
      appender.appendDataChunk(chunk);
    }
    appender.closeSync();
    await connection
      .run(`COPY written TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd)`)
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

function part(
  values: ArrayLike<number | string | null>,
  from: number,
  to: number,
): (number | string | null)[] {
  return Array.from({ length: to - from }, (_, offset) => values[from + offset]!);
}

/**
 * Reads a whole Parquet file that writeParquet wrote.
 * @throws CourierError FILE_CORRUPT when it cannot be read, DATASET_INVALID for a column that is missing, of
 * another type, or in which a number is missing
 */
export async function readParquet(path: string): Promise<ParquetTable> {
  const columns = new Map<string, (number | string | null)[]>();
  let rowCount = 0;
  await withDuckDB([dirname(path)], async (connection) => {
    const result = await connection.stream(`SELECT * FROM read_parquet(${fileLiteral(path)})`);
    const names = result.columnNames();
    const target = names.map((): (number | string | null)[] => []);
    names.forEach((name, column) => {
      columns.set(name, target[column]!);
    });
    for await (const chunk of result) {
      rowCount += chunk.rowCount;
      for (const [column, values] of target.entries()) appendColumn(chunk, column, values);
    }
  }).catch((error: unknown) => {
    throw new CourierError(
      'FILE_CORRUPT',
      `${path} cannot be read: ${messageOf(error)}`,
      'Ingest the dataset again with overwrite.',
      { cause: error },
    );
  });
  return new ReadTable(basename(path), columns, rowCount);
}

function appendColumn(chunk: DuckDBDataChunk, column: number, target: (number | string | null)[]): void {
  const vector = chunk.getColumnVector(column);
  for (let row = 0; row < chunk.rowCount; row++) {
    const value = vector.getItem(row);
    if (value !== null && typeof value !== 'number' && typeof value !== 'string') {
      throw new Error(`column ${column} holds values of an unexpected type`);
    }
    target.push(value);
  }
}

class ReadTable implements ParquetTable {
  readonly rowCount: number;
  readonly #file: string;
  readonly #columns: ReadonlyMap<string, readonly (number | string | null)[]>;

  constructor(
    file: string,
    columns: ReadonlyMap<string, readonly (number | string | null)[]>,
    rowCount: number,
  ) {
    this.#file = file;
    this.#columns = columns;
    this.rowCount = rowCount;
  }

  numbers(name: string): number[] {
    return this.#column(name).map((value) => {
      if (typeof value !== 'number') throw this.#invalid(name, 'holds something that is not a number');
      return value;
    });
  }

  texts(name: string): (string | null)[] {
    return this.#column(name).map((value) => {
      if (typeof value === 'number') throw this.#invalid(name, 'holds numbers instead of texts');
      return value;
    });
  }

  #column(name: string): readonly (number | string | null)[] {
    const column = this.#columns.get(name);
    if (column === undefined) throw this.#invalid(name, 'is missing');
    return column;
  }

  #invalid(name: string, problem: string): CourierError {
    return new CourierError(
      'DATASET_INVALID',
      `Column ${name} of ${this.#file} ${problem}.`,
      'Ingest the dataset again with overwrite.',
    );
  }
}
