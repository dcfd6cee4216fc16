/** Typed columns to a Parquet file and back. */
import { basename, dirname } from 'node:path';
import {
  DOUBLE,
  DuckDBDataChunk,
  DuckDBListValue,
  FLOAT,
  INTEGER,
  LIST,
  listValue,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api';
import { CourierError, messageOf } from '../errors.ts';
import { fileLiteral, identifier, literal, withDuckDB } from './duckdb.ts';

const types = { INTEGER, UTINYINT, DOUBLE, FLOAT, VARCHAR, 'FLOAT[]': LIST(FLOAT) };

type Cell = number | string | null | DuckDBListValue;

export type ParquetColumn =
  | { readonly name: string; readonly type: 'INTEGER'; readonly values: Int32Array }
  | { readonly name: string; readonly type: 'UTINYINT'; readonly values: Uint8Array }
  | { readonly name: string; readonly type: 'DOUBLE'; readonly values: Float64Array }
  | { readonly name: string; readonly type: 'FLOAT'; readonly values: Float32Array }
  | { readonly name: string; readonly type: 'VARCHAR'; readonly values: readonly (string | null)[] }
  /** Vectors of equal length. */
  | { readonly name: string; readonly type: 'FLOAT[]'; readonly values: readonly Float32Array[] };

/** A column of strings and missing values as read back, or numbers in which nothing may be missing. */
export interface ParquetTable {
  numbers(name: string): ArrayLike<number>;
  texts(name: string): readonly (string | null)[];
  vectors(name: string): readonly Float32Array[];
  readonly rowCount: number;
}

const chunkRows = 2048;

/**
 * Writes equally long columns. The same columns give the same bytes.
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
      .run(`COPY written TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd${keyValues(metadata)})`)
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

function keyValues(metadata: Readonly<Record<string, string>>): string {
  const entries = Object.entries(metadata).map(([key, value]) => `${identifier(key)}: ${literal(value)}`);
  return entries.length === 0 ? '' : `, KV_METADATA {${entries.join(', ')}}`;
}

function part(values: ParquetColumn['values'], from: number, to: number): Cell[] {
  return Array.from({ length: to - from }, (_, offset) => {
    const value = values[from + offset]!;
    return value instanceof Float32Array ? listValue([...value]) : value;
  });
}

/**
 * Reads a whole Parquet file that writeParquet wrote.
 * @throws CourierError FILE_CORRUPT when it cannot be read, DATASET_INVALID for a column that is missing, of
 * another type, or in which a number is missing
 */
export async function readParquet(path: string): Promise<ParquetTable> {
  const columns = new Map<string, Cell[]>();
  let rowCount = 0;
  await withDuckDB([dirname(path)], async (connection) => {
    const result = await connection.stream(`SELECT * FROM read_parquet(${fileLiteral(path)})`);
    const names = result.columnNames();
    const target = names.map((): Cell[] => []);
    names.forEach((name, column) => {
      columns.set(name, target[column]!);
    });
    for await (const chunk of result) {
      rowCount += chunk.rowCount;
      for (const [column, values] of target.entries()) appendColumn(chunk, column, values);
    }
  }).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  return new ReadTable(basename(path), columns, rowCount);
}

/**
 * The texts that writeParquet kept beside the columns.
 * @throws CourierError FILE_CORRUPT when the file cannot be read
 */
export async function readParquetMetadata(path: string): Promise<ReadonlyMap<string, string>> {
  const metadata = new Map<string, string>();
  await withDuckDB([dirname(path)], async (connection) => {
    const source = `SELECT decode(key), decode(value) FROM parquet_kv_metadata(${fileLiteral(path)})`;
    for (const [key, value] of await (await connection.run(source)).getRows())
      metadata.set(String(key), String(value));
  }).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  return metadata;
}

function unreadable(path: string, error: unknown): CourierError {
  return new CourierError(
    'FILE_CORRUPT',
    `${path} cannot be read: ${messageOf(error)}`,
    'Write it again with the command that made it.',
    { cause: error },
  );
}

function appendColumn(chunk: DuckDBDataChunk, column: number, target: Cell[]): void {
  const vector = chunk.getColumnVector(column);
  for (let row = 0; row < chunk.rowCount; row++) {
    const value = vector.getItem(row);
    const known = value === null || typeof value === 'number' || typeof value === 'string';
    if (!known && !(value instanceof DuckDBListValue)) {
      throw new Error(`column ${column} holds values of an unexpected type`);
    }
    target.push(value);
  }
}

class ReadTable implements ParquetTable {
  readonly rowCount: number;
  readonly #file: string;
  readonly #columns: ReadonlyMap<string, readonly Cell[]>;

  constructor(file: string, columns: ReadonlyMap<string, readonly Cell[]>, rowCount: number) {
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

  vectors(name: string): Float32Array[] {
    return this.#column(name).map((value) => {
      if (!(value instanceof DuckDBListValue))
        throw this.#invalid(name, 'holds something that is not a list');
      return Float32Array.from(value.items, (item) => {
        if (typeof item !== 'number')
          throw this.#invalid(name, 'holds a list of something that is not a number');
        return item;
      });
    });
  }

  texts(name: string): (string | null)[] {
    return this.#column(name).map((value) => {
      if (typeof value === 'number' || value instanceof DuckDBListValue)
        throw this.#invalid(name, 'holds numbers instead of texts');
      return value;
    });
  }

  #column(name: string): readonly Cell[] {
    const column = this.#columns.get(name);
    if (column === undefined) throw this.#invalid(name, 'is missing');
    return column;
  }

  #invalid(name: string, problem: string): CourierError {
    return new CourierError(
      'DATASET_INVALID',
      `Column ${name} of ${this.#file} ${problem}.`,
      'Write it again with the command that made it.',
    );
  }
}
