/** Columns of a Parquet file as typed memory. */
import { basename, dirname } from 'node:path';
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBScalarFunction,
  type DuckDBType,
  DuckDBVarCharVector,
  FLOAT,
  INTEGER,
  LIST,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api';
import { CourierError, messageOf } from '../../errors.ts';
import { fileLiteral, identifier, withDuckDB } from './duckdb.ts';
import {
  chunkRows,
  copyLists,
  firstOfRun,
  hasNull,
  type Numbers,
  readLists,
  readNumbers,
  type Vector,
  vectorOf,
} from './duckdb-vectors.ts';

/** Vectors of equal length, one after the other. */
export interface FlatVectors {
  readonly dimension: number;
  /** (n, d) */
  readonly values: Float32Array;
}

const numberTypes = { INTEGER, UTINYINT, FLOAT, DOUBLE, BIGINT } as const;

/** Memory for a chunk of numbers of each type that they are read as. */
const chunkOf = {
  INTEGER: () => new Int32Array(chunkRows),
  UTINYINT: () => new Uint8Array(chunkRows),
  FLOAT: () => new Float32Array(chunkRows),
  DOUBLE: () => new Float64Array(chunkRows),
} as const;

type NumberType = keyof typeof chunkOf;

export interface NumberColumn {
  readonly name: string;
  /** What it is read as. */
  readonly type: NumberType;
  /** What it is in the file, where that is something else: whole numbers of 64 bits are read as doubles, which hold them up to 2^53. */
  readonly stored?: keyof typeof numberTypes;
  /** Is given some values, which it must not keep, and the row of the first of them; in any order. */
  take(values: Numbers, first: number): void;
}

/** Lists of these are read as vectors of float32. */
const listTypes = /^(U?(TINY|SMALL)INT|U?INTEGER|FLOAT|DOUBLE)\[\]$/;

const withoutList = 'has rows without a list';

/**
 * Opens a Parquet file, reads what is wanted of it, and closes it.
 * @throws CourierError FILE_CORRUPT when it cannot be read, and what `read` throws
 */
export async function readParquet<T>(path: string, read: (table: ParquetTable) => Promise<T>): Promise<T> {
  return withDuckDB([dirname(path)], async (connection) => read(await ParquetTable.open(path, connection)));
}

/**
 * The texts that writeParquet kept beside the columns.
 * @throws CourierError FILE_CORRUPT when the file cannot be read
 */
export async function readParquetMetadata(path: string): Promise<ReadonlyMap<string, string>> {
  const sql = `SELECT decode(key), decode(value) FROM parquet_kv_metadata(${fileLiteral(path)})`;
  const rows = await withDuckDB([dirname(path)], (connection) => rowsOf(connection, sql, path));
  return new Map(rows.map(([key, value]) => [String(key), String(value)]));
}

/**
 * An open Parquet file. Each column is read by itself, and only when it is asked for.
 *
 * DuckDB hands every chunk, with the number of its first row, to a function of ours while it scans: what a query
 * returns would be copied once more, and its memory freed whenever JavaScript collects garbage.
 * Reading throws CourierError DATASET_INVALID for a column that is missing, of another type, or in which something is
 * missing that may not be, and FILE_CORRUPT where the file is damaged.
 */
export class ParquetTable {
  readonly rowCount: number;
  readonly #path: string;
  readonly #connection: DuckDBConnection;
  /** Type of each column. */
  readonly #types: ReadonlyMap<string, string>;
  #scans = 0;

  private constructor(
    path: string,
    connection: DuckDBConnection,
    rowCount: number,
    types: ReadonlyMap<string, string>,
  ) {
    this.#path = path;
    this.#connection = connection;
    this.rowCount = rowCount;
    this.#types = types;
  }

  /** @throws CourierError FILE_CORRUPT */
  static async open(path: string, connection: DuckDBConnection): Promise<ParquetTable> {
    const source = `read_parquet(${fileLiteral(path)})`;
    const described = await rowsOf(connection, `DESCRIBE SELECT * FROM ${source}`, path);
    const [[count] = []] = await rowsOf(connection, `SELECT count(*) FROM ${source}`, path);
    const types = described.map(([name, type]) => [String(name), String(type)] as const);
    return new ParquetTable(path, connection, Number(count), new Map(types));
  }

  integers(name: string): Promise<Int32Array> {
    return this.#whole(name, 'INTEGER', new Int32Array(this.rowCount));
  }

  doubles(name: string): Promise<Float64Array> {
    return this.#whole(name, 'DOUBLE', new Float64Array(this.rowCount));
  }

  floats(name: string): Promise<Float32Array> {
    return this.#whole(name, 'FLOAT', new Float32Array(this.rowCount));
  }

  /** Columns of numbers, of which none may be missing, in one scan. */
  async numbers(columns: readonly NumberColumn[]): Promise<void> {
    const readers = columns.map(({ name, type, stored = type, take }) => {
      this.#require(name, numberTypes[stored]);
      const memory = chunkOf[type]();
      return (vector: Vector, count: number, first: number) => {
        if (hasNull(vector, 0, count)) throw this.#invalid(name, 'holds something that is not a number');
        const values = memory.subarray(0, count);
        readNumbers(vector, values);
        take(values, first);
      };
    });
    const selected = columns.map(({ name, type }) => ({ name, type: numberTypes[type] }));
    await this.#scan(selected, (chunk, first) => {
      for (const [place, read] of readers.entries())
        read(vectorOf(chunk.chunk, place), chunk.rowCount, first);
    });
  }

  /** null where a text is missing */
  async texts(name: string): Promise<(string | null)[]> {
    const texts = new Array<string | null>(this.rowCount).fill(null);
    await this.eachText(name, (row, text) => {
      texts[row] = text;
    });
    return texts;
  }

  /** Gives every text to `take`, in any order, and keeps none. */
  async eachText(name: string, take: (row: number, text: string | null) => void): Promise<void> {
    this.#require(name, VARCHAR);
    await this.#scan([{ name, type: VARCHAR }], (chunk, first) => {
      const vector = chunk.getColumnVector(0);
      if (!(vector instanceof DuckDBVarCharVector)) throw new Error(`${name} came as ${vector.type}`);
      for (let row = 0; row < chunk.rowCount; row++) take(first + row, vector.getItem(row));
    });
  }

  /**
   * Lists of numbers, of equal length, as float32.
   * @param uneven what is thrown for a row of another length than the others
   */
  async vectors(
    name: string,
    uneven: (row: number, length: number, dimension: number) => Error,
  ): Promise<FlatVectors> {
    const type = this.#typeOf(name);
    if (!type.endsWith('[]')) throw this.#invalid(name, 'holds something that is not a list');
    if (!listTypes.test(type)) throw this.#invalid(name, 'holds a list of something that is not a number');
    const dimension = await this.#firstLength(name);
    const values = new Float32Array(this.rowCount * dimension);
    if (dimension === 0) return { dimension, values };
    await this.#scan([{ name, type: LIST(FLOAT) }], (chunk, first) => {
      const vector = vectorOf(chunk.chunk, 0);
      const count = chunk.rowCount;
      if (hasNull(vector, 0, count)) throw this.#invalid(name, withoutList);
      const lists = readLists(vector, count);
      for (let row = 0; row < count; row++) {
        const length = lists.length(row);
        if (length !== dimension) throw uneven(first + row, length, dimension);
      }
      const target = values.subarray(first * dimension, (first + count) * dimension);
      if (!copyLists(lists, count, dimension, target))
        throw this.#invalid(name, 'holds a list of something that is not a number');
    });
    return { dimension, values };
  }

  /** Length of the first list: that of all, so that there is room for them before they are read. */
  async #firstLength(name: string): Promise<number> {
    const sql = `SELECT len(${identifier(name)}) FROM read_parquet(${fileLiteral(this.#path)}) LIMIT 1`;
    const [[length] = [0]] = await rowsOf(this.#connection, sql, this.#path);
    if (length === null) throw this.#invalid(name, withoutList);
    return Number(length);
  }

  async #whole<T extends Numbers>(name: string, type: NumberType, values: T): Promise<T> {
    await this.numbers([{ name, type, take: (some, first) => values.set(some, first) }]);
    return values;
  }

  /** Gives every chunk of some columns to `take`, with the number of its first row, in any order. */
  async #scan(
    columns: readonly { readonly name: string; readonly type: DuckDBType }[],
    take: (chunk: DuckDBDataChunk, first: number) => void,
  ): Promise<void> {
    const sink = `take_${this.#scans++}`;
    let [rows, failure]: [number, unknown] = [0, null];
    const mainFunction = (_: unknown, chunk: DuckDBDataChunk) => {
      try {
        take(chunk, firstOfRun(vectorOf(chunk.chunk, columns.length), chunk.rowCount));
        rows += chunk.rowCount;
      } catch (error) {
        failure ??= error;
        throw error;
      }
    };
    const handling = { volatile: true, specialHandling: true };
    const signature = {
      parameterTypes: [...columns.map(({ type }) => type), BIGINT],
      returnType: BOOLEAN,
    };
    const values = columns.map(({ name, type }) => `CAST(${identifier(name)} AS ${type})`).join(', ');
    const source = `read_parquet(${fileLiteral(this.#path)}, file_row_number = true)`;
    const sql = `SELECT count(${sink}(${values}, file_row_number)) FROM ${source}`;
    const ours = DuckDBScalarFunction.create({ name: sink, mainFunction, ...signature, ...handling });
    try {
      this.#connection.registerScalarFunction(ours);
      await rowsOf(this.#connection, sql, this.#path);
    } catch (error) {
      throw failure ?? error;
    } finally {
      // Here, and not whenever garbage is collected: the database has its own hold on it until it closes.
      ours.destroySync();
    }
    if (rows !== this.rowCount) throw new Error(`${rows} rows of ${values} instead of ${this.rowCount}`);
  }

  #require(name: string, type: DuckDBType): void {
    const found = this.#typeOf(name);
    if (found === `${type}`) return;
    throw this.#invalid(name, `holds ${found} instead of ${type}`);
  }

  #typeOf(name: string): string {
    const type = this.#types.get(name);
    if (type === undefined) throw this.#invalid(name, 'is missing');
    return type;
  }

  #invalid(name: string, problem: string): CourierError {
    return new CourierError(
      'DATASET_INVALID',
      `Column ${name} of ${basename(this.#path)} ${problem}.`,
      'Write it again with the command that made it.',
    );
  }
}

/** @throws CourierError FILE_CORRUPT where the query fails on the file */
async function rowsOf(connection: DuckDBConnection, sql: string, path: string) {
  try {
    return await (await connection.run(sql)).getRows();
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): CourierError {
  return new CourierError(
    'FILE_CORRUPT',
    `${path} cannot be read: ${messageOf(error)}`,
    'Write it again with the command that made it.',
    { cause: error },
  );
}
