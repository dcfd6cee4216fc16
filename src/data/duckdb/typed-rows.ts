/** Results of queries as typed memory. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { type Numbers, readNumbers, vectorOf } from './duckdb-vectors.ts';

const arrays = {
  INTEGER: (length: number) => new Int32Array(length),
  DOUBLE: (length: number) => new Float64Array(length),
  UTINYINT: (length: number) => new Uint8Array(length),
} as const;

export type TypedName = keyof typeof arrays;
type ArraysOf<Types extends readonly TypedName[]> = {
  [Place in keyof Types]: ReturnType<(typeof arrays)[Types[Place]]>;
};

/**
 * Reads the columns of a query, none of whose values may be missing.
 * @param columns SQL of each column
 * @param rest what follows the columns, from FROM on
 * @param count of its rows
 */
export async function readRows<const Types extends readonly TypedName[]>(
  connection: DuckDBConnection,
  columns: { readonly [Place in keyof Types]: string },
  types: Types,
  rest: string,
  count: number,
  signal?: AbortSignal,
): Promise<ArraysOf<Types>>;
export async function readRows(
  connection: DuckDBConnection,
  columns: readonly string[],
  types: readonly TypedName[],
  rest: string,
  count: number,
  signal?: AbortSignal,
): Promise<readonly Numbers[]> {
  const memory: readonly Numbers[] = types.map((type) => arrays[type](count));
  const selected = columns.map((sql, place) => `CAST(${sql} AS ${types[place]}) AS value_${place}`);
  const result = await connection.stream(`SELECT ${selected.join(', ')} ${rest}`);
  let row = 0;
  for (let chunk = await result.fetchChunk(); chunk !== null; chunk = await result.fetchChunk()) {
    signal?.throwIfAborted();
    const end = row + chunk.rowCount;
    if (end === row) break;
    if (end > count) throw new Error(`more than ${count} rows`);
    for (const [place, values] of memory.entries())
      readNumbers(vectorOf(chunk.chunk, place), values.subarray(row, end));
    row = end;
  }
  if (row !== count) throw new Error(`${row} rows instead of ${count}`);
  return memory;
}

/** The only number of a query. */
export async function readNumber(connection: DuckDBConnection, sql: string): Promise<number> {
  const [[value] = [0]] = (await connection.runAndReadAll(sql)).getRows();
  return Number(value);
}
